/**
 * A service with a logger of its own, seen by the clients of runit and s6 as they see their own
 * pairs: both on one line, each controlled for itself, both gone together.
 */
import { existsSync, rmSync } from 'node:fs';
import t from 'tap';
import { type Directory, script } from '../supervisor/definitions.ts';
import { until } from '../supervisor/instance.ts';
import { SKIP, viewed } from './clients.ts';

const RUN = script("trap 'exit 0' TERM; idle");
const pair = (more: Directory = {}): Directory => ({
  run: RUN,
  'service.json': '{"dialect":"runit"}',
  'log/run': script("trap 'exit 0' TERM; idle"),
  ...more,
});

t.test('bun: a logger beside its service', { skip: SKIP }, async (t) => {
  const v = await viewed(t, 'bun', { web: pair(), quiet: pair({ 'log/down': '' }) });
  const pidOf = async (name: string): Promise<number | null> => (await v.svinit.service(name)).pid;
  const stdout = async (...args: string[]): Promise<string> => (await v.sv(...args)).stdout;
  const status = (name: string, pattern: RegExp): Promise<string> =>
    until(`${name} is ${pattern}`, async () => {
      const text = await stdout('status', name);
      return pattern.test(text) ? text : null;
    });

  const both = /^run: web: \(pid (\d+)\) \d+s; run: log: \(pid (\d+)\) \d+s$/;
  const found = both.exec(await status('web', both)) ?? [];
  const pids = [await pidOf('web'), await pidOf('web/log')].map(String);
  t.same(found.slice(1), pids, 'row 41: both, with their pids');
  t.match(await stdout('status', 'quiet'), /^run: quiet: \(pid \d+\) \d+s; down: log: \d+s$/);
  t.match(await stdout('status', 'web/log'), /^run: web\/log: \(pid \d+\) \d+s$/);

  t.match(await v.sv('down', 'web/log'), { code: 0 });
  await status('web', /^run: web: \(pid \d+\) \d+s; down: log: \d+s, normally up$/);
  t.equal(String(await pidOf('web')), pids[0], 'the service stays as it is');
  t.match(await v.sv('up', 'web/log'), { code: 0 });
  await status('web', both);
  const before = await pidOf('web/log');
  const refused = await v.sv('-w', '1', 'exit', 'web/log');
  t.match(refused, { code: 1, stdout: /^timeout: run: web\/log: / }, 'runsv does not heed it');
  t.equal(await pidOf('web/log'), before);
  t.match(await v.sv('down', 'web'), { code: 0 });
  await status('web', /^down: web: \d+s, normally up; run: log: /);
  t.equal(await pidOf('web/log'), before, 'the logger stays as it is');

  t.match(await v.client('s6-svok', 'web/log'), { code: 0 });
  t.equal(await v.stat('-p', 'web/log'), String(before));
  const ear = v.listen('web/log');
  t.match(await v.client('s6-svc', '-wr', '-T20000', '-t', 'web/log'), { code: 0, stderr: '' });
  t.match(await ear.hear('du'), /d.*u/, 'its events are its own');
  ear.close();
  t.not(await pidOf('web/log'), before);

  for (const name of ['web', 'quiet']) {
    rmSync(v.svinit.path(`/etc/svinit/services/${name}`), { recursive: true });
  }
  t.match(await v.svinit.svctl('scan', '--prune'), { code: 0 });
  await until('both views are gone', async () => {
    const left = ['web', 'quiet'].flatMap((name) => [v.s6(name), v.runit(name)]);
    return left.some((path) => existsSync(path)) ? null : true;
  });
});
