/**
 * sv, as Debian has it, works on svinit's services as it does on runit's: rows of the table of
 * compatibility. Those that everything rests on are shown on both runtimes.
 */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Directory, script } from '../supervisor/definitions.ts';
import { until } from '../supervisor/instance.ts';
import { run, SKIP, type Viewed, viewed } from './clients.ts';

/** A longrun of the runit dialect that idles, and ends with 0 on TERM. */
function idle(more: Directory = {}): Directory {
  return {
    run: script("trap 'exit 0' TERM; idle"),
    'service.json': '{"dialect":"runit"}',
    ...more,
  };
}

const deaf = idle({ run: "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n" });
const untilTold = '#!/bin/sh\nwhile ! test -e /run/over; do sleep 0.1; done\n';

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: what all else rests on`, { skip: SKIP }, async (t) => {
    const v = await viewed(t, runtime, { plain: idle(), finishing: idle({ finish: untilTold }) });

    await sv(v, 'plain', /^run: /);
    const up = /^run: plain: \(pid (\d+)\) \d+s$/;
    const { pid } = await v.svinit.service('plain');
    const status = await v.sv('status', 'plain');
    t.match(status, { code: 0, stdout: up }, 'row 40: it runs; row 50: found in SVDIR');
    t.equal(up.exec(status.stdout)?.[1], String(pid), 'row 40: the pid is that of the service');
    const below = await run('sv', ['status', v.runit('plain')]);
    t.match(
      below,
      { code: 0, stdout: /^run: \S+\/plain: \(pid \d+\) \d+s$/ },
      'row 40: by its path',
    );

    const stopped = await v.sv('-v', 'down', 'plain');
    t.match(stopped, { code: 0, stdout: /^ok: down: plain: \d+s, normally up$/ }, 'row 44: down');
    t.match(
      await v.sv('status', 'plain'),
      { stdout: /^down: plain: \d+s, normally up$/ },
      'row 40',
    );
    const started = await v.sv('-v', 'up', 'plain');
    t.match(started, { code: 0, stdout: /^ok: run: plain: \(pid \d+\) \d+s$/ }, 'row 44: up');

    t.match(await v.sv('down', 'finishing'), { code: 0 });
    const text = await until('finish runs', async () => {
      const { stdout } = await v.sv('status', 'finishing');
      return stdout.startsWith('finish: ') ? stdout : null;
    });
    t.match(text, /^finish: finishing: \(pid \d+\) \d+s, want down$/, 'row 40: finish runs');
  });
}

t.test('bun: sv', { skip: SKIP }, async (t) => {
  const v = await viewed(t, 'bun', {
    plain: idle(),
    deaf,
    once: idle({ down: '' }),
    unchecked: idle({ check: '#!/bin/sh\nexit 1\n', down: '' }),
    arguments: idle({
      run: '#!/bin/sh\nexec sleep 1000000\n',
      finish: '#!/bin/sh\necho "@ finish $*" >>/proc/1/fd/2\n',
    }),
  });
  await sv(v, 'arguments', /^run: /);
  await acts(t, v);
  await ends(t, v);
  await unsupervised(t, v);
});

async function acts(t: Test, v: Viewed): Promise<void> {
  const late = await v.sv('-w', '1', 'start', 'unchecked');
  const unavailable = /^timeout: run: unchecked: \(pid \d+\) \d+s, normally down$/;
  t.match(late, { code: 1, stdout: unavailable }, 'row 45: its check fails');

  t.match(await v.sv('once', 'once'), { code: 0 });
  const running = await sv(v, 'once', /^run: /);
  t.match(
    running,
    /^run: once: \(pid \d+\) \d+s, normally down, want down$/,
    'row 47: it runs once',
  );
  t.match(await v.sv('kill', 'once'), { code: 0 });
  t.match(await sv(v, 'once', /^down: /), /^down: once: \d+s$/, 'row 47: not restarted');
  t.match(await v.svinit.service('once'), { want: 'down', restarts: 0 });

  const file = (name: string): string =>
    readFileSync(`${v.runit('plain')}/supervise/${name}`, 'utf8');
  const { pid } = await v.svinit.service('plain');
  t.same([file('stat'), file('pid')], ['run\n', `${pid}\n`], 'row 51: stat and pid');
  t.match(await v.sv('pause', 'plain'), { code: 0 });
  t.match(await sv(v, 'plain', /paused/), /^run: plain: \(pid \d+\) \d+s, paused$/, 'paused');
  t.equal(file('stat'), 'run, paused\n', 'row 51: paused');
  t.match(await v.sv('cont', 'plain'), { code: 0 });
  t.match(await v.sv('stop', 'plain'), { code: 0 });
  t.same([file('stat'), file('pid')], ['down\n', ''], 'row 51: down');

  const before = (await v.svinit.service('arguments')).pid;
  t.match(await v.sv('term', 'arguments'), { code: 0 });
  await v.svinit.console.expect('@ finish -1 15\n');
  t.pass('row 48: finish is told of the signal');
  await until('it is restarted', async () => {
    const { pid: now, state } = await v.svinit.service('arguments');
    return (state === 'up' && now !== before) || null;
  });
  t.match(await v.sv('restart', 'arguments'), { code: 0, stdout: /^ok: run: arguments: / });
}

async function ends(t: Test, v: Viewed): Promise<void> {
  const late = await v.sv('-w', '2', 'stop', 'deaf');
  const text = /^timeout: run: deaf: \(pid \d+\) \d+s, want down, got TERM$/;
  t.match(late, { code: 1, stdout: text }, 'row 46: it ignores TERM');
  t.equal(
    readFileSync(`${v.runit('deaf')}/supervise/stat`, 'utf8'),
    'run, got TERM, want down\n',
    'row 51: got TERM',
  );
  const killed = await v.sv('-w', '1', 'force-stop', 'deaf');
  t.match(
    killed.stdout,
    /^kill: run: deaf: \(pid \d+\) \d+s, want down, got TERM$/,
    'row 46: killed',
  );
  t.match(await sv(v, 'deaf', /^down: /), /^down: deaf: \d+s, normally up$/, 'row 46: and down');

  const left = await v.sv('shutdown', 'arguments');
  t.match(left, { code: 0, stdout: /^ok: / }, 'exit stops it, and nobody is there');
  t.match(await sv(v, 'arguments', /^down: /), /^down: /, 'until there is again');
  t.match(await v.sv('-v', 'up', 'arguments'), { code: 0, stdout: /^ok: run: / });
}

async function unsupervised(t: Test, v: Viewed): Promise<void> {
  const never = await v.sv('status', 'none');
  t.match(never, { code: 1, stdout: /^fail: none: unable to change to service directory/ });
  t.match(await v.svinit.svctl('stop', 'views'), { code: 0 });
  const dead = await v.sv('status', 'plain');
  t.match(dead, { code: 1, stdout: 'fail: plain: runsv not running' }, 'row 42: nobody is there');
  const exited = await v.sv('-v', 'exit', 'plain');
  t.match(exited, { code: 0, stdout: 'ok: plain: runsv not running' }, 'row 43: then it has ended');
}

/** What sv says of a service once it says what is waited for. */
function sv(v: Viewed, name: string, pattern: RegExp): Promise<string> {
  return until(`sv says ${pattern} of ${name}`, async () => {
    const { stdout } = await v.sv('status', name);
    return pattern.test(stdout) ? stdout : null;
  });
}
