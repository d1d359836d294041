/** Many at once: orphans that svinit must reap, services that it must bring up and down. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, longrun, script } from './definitions.ts';
import { start, until } from './instance.ts';

const ORPHANS = 10_000;
const SERVICES = 200;

/** Every child of a subshell that ends at once is left to PID 1; the last one lives on. */
const flood = script(`
  i=0; while [ $i -lt ${ORPHANS} ]; do (true & ); i=$((i + 1)); done
  (sleep 1000000 & say orphan $!)
  say flooded; idle
`);

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F1 ${ORPHANS} orphans leave no zombie`, async (t) => {
    const services = { flood: { run: flood, down: '' }, other: longrun('other') };
    const svinit = await start(t, { runtime, services });
    // PID 1, svlog, and the shell of the other with what that waits for.
    const before = 4;
    await until('all are there', async () => svinit.processes().size === before || null);
    t.match(await svinit.svctl('start', 'flood'), { code: 0 });
    await svinit.console.expect('@ flooded');
    const zombies = (): number => [...svinit.processes().values()].filter((s) => s === 'Z').length;
    await until('no zombie is left', async () => zombies() === 0 || null);
    // The service, its sleep, and the last orphan.
    await until('only three are left', async () => svinit.processes().size === before + 3 || null);
    const orphan = /orphan (\d+)/.exec(svinit.console.text())?.[1];
    t.match(await svinit.run(['grep', 'PPid', `/proc/${orphan}/status`]), { stdout: /\t1$/ });
    t.match(await svinit.service('other'), { state: 'up', restarts: 0 });
    await svinit.run(['kill', '-9', String(orphan)]);
    await until('it has been reaped', async () => !svinit.processes().has(Number(orphan)) || null);
  });

  t.test(`${runtime}: ${SERVICES} services up and down`, async (t) => {
    const names = Array.from({ length: SERVICES }, (_, i) => `n${String(i).padStart(3, '0')}`);
    const run = script("trap 'exit 0' TERM; echo ready >&3; idle");
    const services: Definitions = Object.fromEntries(
      names.map((name, i) => {
        // Ten chains of twenty.
        const need = i < 10 ? {} : { [`dependencies.d/${names[i - 10]}`]: '' };
        return [name, { run, 'notification-fd': '3\n', ...need }];
      }),
    );
    const svinit = await start(t, { runtime, services });
    const states = async (): Promise<string[]> => {
      const all = [...(await svinit.services()).values()];
      return [...new Set(all.filter(({ early }) => !early).map(({ state }) => state))];
    };
    t.same(await states(), ['up']);
    // PID 1, svlog, and of each service its shell and what that waits for.
    const all = (): true | null => svinit.processes().size === 2 + 2 * SERVICES || null;
    await until('there are two of each', async () => all());
    t.match(await svinit.svctl('stop', 'n*'), { code: 0 });
    t.same(await states(), ['down']);
    await until('nothing is left of them', async () => svinit.processes().size === 2 || null);
    t.match(await svinit.svctl('start', 'n*'), { code: 0 });
    t.same(await states(), ['up']);
    await until('there are two of each again', async () => all());
    svinit.signal('SIGTERM');
    t.match(await svinit.end(), { code: 0 });
  });
}
