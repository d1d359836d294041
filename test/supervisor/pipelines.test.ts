/**
 * Pipelines of s6-rc, and loggers that come and go while their services run.
 */
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { type Directory, script } from './definitions.ts';
import { start, until } from './instance.ts';
import { logger, provide, SKIP } from './loggers.ts';

const LINES = 3000;

/** Prints when it is told to end. */
const last = (name: string): string =>
  script(`
    trap 'i=0; while [ $i -lt ${LINES} ]; do i=$((i + 1)); echo "${name} $i"; done; exit 0' TERM
    idle
  `);
const middle = script('while read -r line; do echo "m $line"; done');
const end = script('while read -r line; do echo "$line" >>/proc/1/fd/2; done');

t.test('node: a pipeline', async (t) => {
  const typed = (files: Directory): Directory => ({ type: 'longrun\n', ...files });
  const svinit = await start(t, {
    runtime: 'node',
    services: {
      a: typed({ run: last('a'), 'producer-for': 'mid\n' }),
      b: typed({ run: last('b'), 'producer-for': 'mid\n' }),
      mid: typed({ run: middle, 'consumer-for': 'a\nb\n', 'producer-for': 'end\n' }),
      end: typed({ run: end, 'consumer-for': 'mid\n', 'pipeline-name': 'flow\n' }),
      bad: typed({ run: middle, 'producer-for': 'a\n' }),
      default: { type: 'bundle\n', contents: '' },
    },
  });
  const listed = await svinit.svctl('ls');
  t.match(listed.stdout, /refused: bad: producer-for: names 'a', whose consumer-for does not/);
  t.match(await svinit.svctl('start', 'a'), { code: 0 });
  const states = async (): Promise<string> => {
    const services = await svinit.services();
    return ['a', 'b', 'mid', 'end'].map((name) => services.get(name)?.state).join(' ');
  };
  t.equal(await states(), 'up down up up', 'it needs all who read, and nobody else');
  const held = await svinit.svctl('stop', 'end');
  t.match(held, { code: 6, stderr: /a, mid would stop too|mid, a would stop too/ });
  t.match(await svinit.svctl('start', 'flow'), { code: 0 }, 'the pipeline is a bundle');
  t.equal(await states(), 'up up up up');
  t.match(await svinit.service('mid'), { printsTo: 'end', readsFrom: ['a', 'b'] });

  svinit.signal('SIGTERM');
  await svinit.end();
  const text = svinit.console.text();
  for (const name of ['a', 'b']) {
    const lines = [...text.matchAll(new RegExp(`^m ${name} (\\d+)$`, 'gm'))].map(([, n]) => n);
    const wanted = Array.from({ length: LINES }, (_, i) => String(i + 1));
    t.ok(lines.join() === wanted.join(), `all that ${name} said while it was stopped has arrived`);
  }
});

const talker = script('i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.02; done');

t.test('bun: a logger that comes and goes', async (t) => {
  const svinit = await start(t, { runtime: 'bun', services: { web: { run: talker } } });
  const home = svinit.path('/etc/svinit/services/web');
  await svinit.logFile('web').expect(/tick/);

  mkdirSync(`${home}/log`);
  writeFileSync(`${home}/log/run`, script('while read -r x; do say "logged $x"; done'));
  chmodSync(`${home}/log/run`, 0o755);
  // It may have been seen already, without being told.
  t.match(await svinit.svctl('scan'), { code: 0 });
  t.match(await svinit.svctl('wait', 'web/log'), { code: 0 });
  t.match(await svinit.service('web'), { definition: 'changed', restarts: 0 });
  t.notMatch(svinit.console.text(), /logged/, 'what runs is let alone');
  t.match(await svinit.svctl('restart', 'web'), { code: 0 });
  await svinit.console.expect(/@ logged tick 1\n/);

  const shown = await svinit.svctl('logs', 'web');
  t.match(shown.stderr, /svctl: web prints to web\/log, its own logger/);
  t.match((await svinit.svctl('status', 'web')).stdout, /prints to {4}web\/log\n/);
  t.match((await svinit.svctl('status', 'web/log')).stdout, /reads {8}web\n/);
  t.match((await svinit.svctl('why', 'web')).stdout, /prints to: web\/log$/);
  t.match((await svinit.svctl('stop', 'web/log')).code, 0);
  t.match((await svinit.svctl('ls')).stdout, /web .*nobody reads what it prints: web\/log is down/);
  t.match((await svinit.svctl('start', 'web/log')).code, 0);

  rmSync(`${home}/log`, { recursive: true });
  t.match(await svinit.svctl('scan'), { code: 0 });
  t.match(await svinit.service('web/log'), { state: 'up', definition: 'removed' });
  const said = svinit.console.said().length;
  await until('it is logged still', async () => svinit.console.said().length > said || null);
  const lines = svinit.log('web').length;
  t.match(await svinit.svctl('restart', 'web'), { code: 0 });
  await until('svlog has it', async () => svinit.log('web').length > lines || null);
  t.match(await svinit.svctl('scan', '--prune'), { code: 0 });
  await until('the logger is gone', async () => !(await svinit.services()).has('web/log') || null);
  const pipes = svinit.path('/run/svinit/pipes');
  await until('its pipe is gone', async () => readdirSync(pipes).length === 0 || null);
  t.notMatch(svinit.descriptors().join('\n'), /pipes/, 'and nobody holds it');
});

t.test('bun: R52 the loggers read each other’s directories', { skip: SKIP }, async (t) => {
  const svinit = await start(t, {
    runtime: 'bun',
    services: { web: { run: talker, 'log/run': logger('s6-log n20 s1000000 /run/logged') } },
  });
  provide(svinit);
  const directory = svinit.path('/run/logged');
  const current = `${directory}/current`;
  for (const command of ['svlogd /run/logged', 's6-log n20 s1000000 /run/logged']) {
    await grows(current);
    t.match(await svinit.svctl('stop', 'web', 'web/log'), { code: 0 });
    t.equal(statSync(current).mode & 0o777, 0o744, 'it was closed as it should be');
    const script = svinit.path('/etc/svinit/services/web/log/run');
    writeFileSync(script, logger(command));
    t.match(await svinit.svctl('start', 'web', 'web/log'), { code: 0 });
    await grows(current);
    const unclean = readdirSync(directory).filter((name) => name.endsWith('.u'));
    t.same(unclean, [], `${command} has found nothing to repair`);
  }
});

async function grows(file: string): Promise<void> {
  const before = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  await until('something is logged', async () => {
    const now = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    return now > before || null;
  });
}
