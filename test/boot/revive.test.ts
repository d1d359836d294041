/**
 * What kills other inits: faults of PID 1 itself, on a machine. Each begins a fresh image with the
 * same pid and the same services, and the log names what happened.
 */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import type { Results } from '../../src/core/methods.ts';
import { boot, type VirtualMachine } from './harness.ts';

/** How PID 1 is brought to its end, and what the log then says that it died of. */
const ENDS: readonly (readonly [title: string, command: string, died: RegExp])[] = [
  ['kill -SEGV 1', 'kill -SEGV 1', /SIGSEGV/],
  ['a null dereference in C code', fault('null'), /SIGSEGV/],
  ['abort()', fault('abort'), /its own end/],
  ['an endless loop', fault('loop'), /a hang/],
];

/** These count towards a crash loop of their own, so they get a machine of their own. */
const MORE: typeof ENDS = [
  ['process.exit()', fault('exit'), /its own end/],
  ['a system call that never returns', fault('block'), /a hang/],
  ['kill -ABRT 1', 'kill -ABRT 1', /SIGABRT/],
  ['heap exhaustion', fault('heap'), /SIG(?:ABRT|TRAP|SEGV|ILL)|its own end|has grown to/],
];

const GOES_ON = /svinit (?:died of|has grown to) .* goes on/;
const UP = /services up in/;
const LONG_MS = 120_000;

function fault(kind: string): string {
  return `svctl call fault '{"kind":"${kind}"}'`;
}

for (const runtime of RUNTIMES) {
  for (const [part, ends] of [ENDS, MORE].entries()) {
    t.test(
      `${runtime}: F23 F24 F25 PID 1 comes back from what ends it (${part + 1})`,
      async (t) => {
        const machine = await boot({ runtime, append: 'quiet svinit.testing' });
        t.teardown(() => machine.kill());
        await machine.console.expect(UP, LONG_MS);
        await machine.run('svctl stop flaky');
        const before = await pids(machine);
        t.ok(before.length > 5, 'services run');
        for (const [title, command, died] of ends) {
          const sentAt = performance.now();
          machine.send(command);
          const told = await machine.console.expect(GOES_ON, LONG_MS);
          t.comment(`${title}: told after ${Math.round(performance.now() - sentAt)} ms`);
          t.match(String(told), died, `${title}: the console names it`);
          t.same(await pids(machine), before, `${title}: every service has its pid`);
          const log = await machine.run(
            'svctl logs --raw svinit | grep -E "svinit (died|has grown)" | tail -1',
          );
          t.match(log.output, died, `${title}: the log names it`);
        }
        t.notMatch(machine.console.transcript, /Kernel panic/, 'no panic');
      },
    );
  }

  t.test(`${runtime}: five deaths in a minute end in safe mode, a re-exec leaves it`, async (t) => {
    const machine = await boot({ runtime, append: 'quiet svinit.testing' });
    t.teardown(() => machine.kill());
    await machine.console.expect(UP, LONG_MS);
    await machine.run('svctl stop flaky');
    const before = await pids(machine);
    for (let count = 0; count < 5; count += 1) {
      machine.send('kill -SEGV 1');
      await machine.console.expect(/svinit died of SIGSEGV/, LONG_MS);
      await machine.run('svctl version');
    }
    t.match((await machine.run('svctl version')).output, /safe mode/);
    t.match(await machine.run('svctl start flaky'), { code: 1, output: /safe mode/ });
    t.same(await pids(machine), before, 'services run on');
    t.match(await machine.run('svctl reexec'), { code: 0 });
    t.match(await machine.run('svctl start --no-wait flaky'), { code: 0 });
    t.notMatch((await machine.run('svctl version')).output, /safe mode/);
  });
}

async function pids(machine: VirtualMachine): Promise<string[]> {
  const { output } = await machine.run('svctl ls --json');
  const text = output.slice(output.indexOf('{'));
  const { services } = JSON.parse(text) as Results['ls'];
  return services
    .filter(({ pid }) => pid !== null)
    .map(({ name, pid }) => `${name} ${pid}`)
    .sort();
}
