/** svinit in containers: as root, and with nothing that root has. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, longrun, needs, script } from '../supervisor/definitions.ts';
import { Transcript } from '../supervisor/transcript.ts';
import { buildImages, type Container, refusal, start } from './container.ts';

const skip = refusal ?? false;
if (refusal !== null) console.error(`skipped: ${refusal}`);
await buildImages(t, RUNTIMES);

const three: Definitions = {
  base: longrun('base'),
  middle: longrun('middle', needs('base')),
  app: {
    run: script("trap 'say stop app; exit 7' TERM; say start app; echo >&3; idle"),
    'notification-fd': '3\n',
    ...needs('middle'),
  },
};

/** Notes every program that it runs in. */
const spy = `require('fs').appendFileSync('/record/ran',
  process.argv0 + ' ' + process.argv.slice(2).join(' ') + '\\n')`;

/** Orphans for PID 1: some that end at once, one that stays. */
const orphans = 'i=0; while [ $i -lt 100 ]; do (true &); i=$((i+1)); done; (sleep 1000 &) >&- 2>&-';

const KINDS: readonly (readonly [name: string, options: readonly string[]])[] = [
  ['as root', []],
  ['with no privilege', ['--user', '1000', '--read-only', '--cap-drop', 'all']],
];

for (const runtime of RUNTIMES) {
  for (const [kind, options] of KINDS) {
    t.test(`F53 ${runtime}, ${kind}: up, driven, stopped in order`, { skip }, async (t) => {
      const container = await start(t, {
        runtime,
        services: three,
        options,
        args: ['--main', 'app'],
      });
      await container.record.expect('@ start app\n');
      t.match(await container.svctl('wait', 'app'), { code: 0 });
      const ls = await container.svctl('ls');
      t.match(ls.stdout, /app +up[\s\S]*base +up[\s\S]*middle +up[\s\S]*svlog +up/);
      await t.test('services can be stopped and started', async (t) => {
        t.match(await container.svctl('stop', 'base'), { code: 6, stderr: /middle/ });
        t.match(await container.svctl('restart', 'middle'), { code: 0 });
      });
      await t.test('what others leave behind is reaped', async (t) => {
        t.match(await container.run('sh', '-c', orphans), { code: 0 });
        t.match(await container.svctl('wait', 'app'), { code: 0 });
        t.same(await zombies(container), []);
      });
      t.match(await container.svctl('reexec'), { code: 0 });
      await container.stop();
      t.match(await container.end(), { code: 7 }, 'the exit code of the main service');
      t.same(container.record.said().slice(-3), ['stop app', 'stop middle', 'stop base']);
    });

    t.test(`${runtime}, ${kind}: the services of the image`, { skip }, async (t) => {
      const container = await start(t, { runtime, services: {}, options, args: ['--quiet'] });
      await container.console.expect(/services up in/);
      const wait = ['wait', 'web', 'worker', 'hostname', 'seed', '--timeout', '60s'];
      t.match(await container.svctl(...wait), { code: 0 });
      const page = await container.run('wget', '-q', '-O', '-', 'http://127.0.0.1:8080/');
      t.match(page, { code: 0, stdout: /./ });
      t.match(await container.svctl('logs', 'worker'), { code: 0, stdout: /./ });
      await container.stop();
      t.match(await container.end(), { code: 0 });
    });

    t.test(`${runtime}, ${kind}: -- COMMAND`, { skip }, async (t) => {
      const text = 'svctl wait base >&2; echo "$VAR in $PWD"; exit 5';
      const container = await start(t, {
        runtime,
        services: { base: longrun('base') },
        options: [...options, '--env', 'VAR=x y', '--workdir', '/tmp'],
        args: ['--', 'sh', '-c', `{ ${text}; } >>/record/said`],
      });
      t.match(await container.end(), { code: 5 });
      t.match(container.record.text(), /^x y in \/tmp$/m);
      t.same(container.record.said(), ['start base', 'stop base']);
    });
  }

  t.test(`${runtime}: the environment is not code`, { skip }, async (t) => {
    const shown = { run: script('say "$VAR,$NODE_OPTIONS,$BUN_OPTIONS"; idle') };
    const evil = '/record/evil.cjs';
    const container = await start(t, {
      runtime,
      services: { shown, after: longrun('after') },
      files: { 'evil.cjs': spy },
      options: [
        ...['--env', 'VAR=x', '--env', `NODE_OPTIONS=--require=${evil}`],
        ...['--env', `BUN_OPTIONS=--preload=${evil}`],
      ],
    });
    await container.record.expect(`@ x,--require=${evil},--preload=${evil}\n`);
    await container.record.expect('@ start after');
    t.match(await container.svctl('ls'), { code: 0, stdout: /shown +up/ });
    const ran = new Transcript(`${container.directory}/ran`).text().split('\n');
    // Bun reads BUN_OPTIONS before anything of ours runs, but only in the life that is thrown away.
    const first = runtime === 'bun' ? /^$|^\S*init $|^\S*svctl / : /^$/;
    t.same(
      ran.filter((line) => !first.test(line)),
      [],
      'what they name runs neither in PID 1 nor in the logger',
    );
    await container.stop();
    t.match(await container.end(), { code: 0 });
  });
}

async function zombies(container: Container): Promise<readonly string[]> {
  const { stdout } = await container.run('sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null');
  return stdout.split('\n').filter((line) => /\) Z /.test(line));
}
