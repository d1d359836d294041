/**
 * The clients of s6, as Debian has them, work on svinit's services as they do on s6's own: rows of
 * the table of compatibility. Those that everything rests on are shown on both runtimes.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, script } from '../supervisor/definitions.ts';
import { until } from '../supervisor/instance.ts';
import { idle, run, SKIP, type Viewed, viewed } from './clients.ts';

/** Says on descriptor 3 that it is ready, and ends with 0 on TERM. */
const ready = idle({
  run: script("trap 'exit 0' TERM; echo >&3; idle"),
  'notification-fd': '3\n',
});

const down = { down: '' };

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: what all else rests on`, { skip: SKIP }, async (t) => {
    const v = await viewed(t, runtime, {
      plain: idle(),
      ready,
      three: idle({ run: script("trap 'exit 3' TERM; idle") }),
      life: { ...ready, ...down },
    });

    await v.statIs('plain', /^up/);
    t.match(await v.client('s6-svok', 'plain'), { code: 0, stdout: '', stderr: '' }, 'row 1: svok');
    t.match(await v.client('s6-svok', 'none'), { code: 1, stdout: '', stderr: '' }, 'row 1: not');
    const twice = await v.client('s6-supervise', 'plain');
    t.match(twice, { code: 100, stderr: /another instance of s6-supervise is already running/ });
    t.pass('row 2: s6-supervise finds somebody there');
    const runsv = await run('runsv', [v.runit('plain')]);
    t.match(
      runsv.stderr,
      /unable to lock supervise\/lock: temporary failure/,
      'row 3: so does runsv',
    );
    t.equal(runsv.code, 111, 'row 3: 111');

    t.match(await v.stat('plain'), /^up \(pid \d+\) \d+ seconds$/, 'row 4: up');
    const { pid } = await v.svinit.service('plain');
    t.equal(await v.stat('-p', 'plain'), String(pid), 'row 4: the pid is that of the service');
    const text = await v.statIs('ready', /, ready/);
    t.match(text, /^up \(pid \d+\) \d+ seconds, ready \d+ seconds$/, 'row 5: ready');

    t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'three'), { code: 0, stderr: '' });
    const exited = /^down \(exitcode 3\) \d+ seconds, normally up, ready \d+ seconds$/;
    t.match(
      await v.stat('three'),
      exited,
      'row 6: down with its exit code; row 14: when it is over',
    );
    const fields = await v.stat('-o', 'up,ready,exitcode,signal,signum,pid', 'three');
    t.equal(fields, 'false false 3 NA -1 -1', 'row 8: the fields');

    const before = await v.stat('-p', 'ready');
    t.match(await v.client('s6-svc', '-wR', '-T20000', '-r', 'ready'), { code: 0, stderr: '' });
    t.not(await v.stat('-p', 'ready'), before, 'row 19: restarted, and ready again');
    t.match(await v.stat('ready'), /ready \d+ seconds$/, 'row 19: ready');

    const ear = v.listen('life');
    t.match(await v.client('s6-svc', '-wU', '-T20000', '-u', 'life'), { code: 0, stderr: '' });
    t.match(await v.client('s6-svc', '-wR', '-T20000', '-r', 'life'), { code: 0, stderr: '' });
    t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'life'), { code: 0, stderr: '' });
    t.equal(await ear.hear('uUdDuUdD'), 'uUdDuUdD', 'row 34: events in order');
    ear.close();
  });
}

t.test('bun: s6-svstat, s6-svc and s6-svwait', { skip: SKIP }, async (t) => {
  const v = await viewed(t, 'bun', services());
  await status(t, v);
  await control(t, v);
  await waiting(t, v);
  await wishes(t, v);
  await signals(t, v);
  await unsupervised(t, v);
});

function services(): Definitions {
  return {
    plain: idle(),
    killed: idle({ finish: '#!/bin/sh\nwhile ! test -e /run/over; do sleep 0.1; done\n' }),
    slow: idle({
      run: script('while ! test -e /run/go; do sleep 0.1; done; echo >&3; idle'),
      'notification-fd': '3\n',
      ...down,
    }),
    deaf: idle({
      run: "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n",
      'timeout-kill': '700\n',
    }),
    finishing: idle({ finish: '#!/bin/sh\nexec sleep 1000\n', 'timeout-finish': '900\n' }),
    silent: idle({ 'notification-fd': '3\n', ...down }),
    gone: idle({ finish: '#!/bin/sh\nexit 125\n' }),
    wished: idle(),
    asleep: idle(down),
    interrupted: idle({ run: script("trap 'exit 7' INT; idle"), 'down-signal': 'INT\n' }),
    arguments: idle({
      run: script("say run $*; trap 'exit 3' TERM; idle"),
      finish: '#!/bin/sh\necho "@ finish $*" >>/proc/1/fd/2\n',
    }),
  };
}

async function status(t: Test, v: Viewed): Promise<void> {
  await v.statIs('killed', /^up/);
  t.match(await v.client('s6-svc', '-wd', '-T20000', '-k', 'killed'), DONE);
  const killed = /^down \(signal SIGKILL\) \d+ seconds, normally up, want up$/;
  t.match(await v.stat('killed'), killed, 'row 7: killed, and waiting to be started again');
  t.match(await v.stat('-n', 'killed'), /^down \(signal 9\)/, 'row 7: the number of the signal');
  writeFileSync(v.svinit.path('/run/over'), '');
  await v.statIs('killed', /^up/);

  t.match(await v.client('s6-svc', '-u', 'slow'), DONE);
  await v.statIs('slow', /^up/);
  t.equal(await v.stat('-ur', 'slow'), 'true false', 'row 9: up and not ready');
  writeFileSync(v.svinit.path('/run/go'), 'go\n');
  await v.statIs('slow', /, ready/);
  t.equal(await v.stat('-ur', 'slow'), 'true true', 'row 9: up and ready');
}

async function control(t: Test, v: Viewed): Promise<void> {
  t.match(await v.client('s6-svc', 'plain'), DONE, 'row 13: no letter, somebody listens');
  const missing = await v.client('s6-svc', '-u', 'none');
  t.equal(missing.code, 111, 'row 12: there is no such directory');

  t.match(await v.client('s6-svc', '-wd', '-T20000', '-d', 'deaf'), DONE);
  t.match(await v.stat('deaf'), /^down \(signal SIGKILL\)/, 'row 15: killed after timeout-kill');

  const ear = v.listen('finishing');
  t.match(await v.client('s6-svc', '-wd', '-T20000', '-d', 'finishing'), DONE);
  t.equal(ear.heard, 'd', 'row 16: finish runs');
  t.notMatch(await v.stat('finishing'), /ready/, 'row 16: it is not to be started yet');
  t.equal(await ear.hear('dD'), 'dD', 'row 16: finish was killed after timeout-finish');
  ear.close();

  const inTime = await v.client('s6-svc', '-wU', '-T500', '-u', 'silent');
  t.match(inTime, { code: 99, stderr: /timed out/ }, 'row 17: no newline came');
  t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'silent'), DONE);
  const ignored = await v.client('s6-svc', '-wU', '-T20000', '-u', 'plain');
  t.match(ignored, { code: 0, stderr: /not present - ignoring request/ }, 'row 18: warned');
}

async function waiting(t: Test, v: Viewed): Promise<void> {
  const ear = v.listen('gone');
  const failing = v.client('s6-svwait', '-R', '-t', '20000', 'gone');
  await listened(v, 'gone', 1);
  t.match(await v.client('s6-svc', '-t', 'gone'), DONE);
  t.equal(await ear.hear('dOD'), 'dOD', 'row 20: a permanent failure');
  const failed = await failing;
  t.match(failed, { code: 1, stderr: /permanent failure/ }, 'row 21: whoever waits is told');
  t.match(await v.stat('gone'), /^down \(exitcode 0\).*normally up, ready/, 'row 20: want down');
  t.match(await v.client('s6-svc', '-wu', '-T20000', '-u', 'gone'), DONE, 'row 20: -u starts it');
  ear.close();

  const plain = v.s6('plain');
  const listen = ['-D', '-t', '20000', plain, 's6-svc', '-d', plain];
  t.match(await run('s6-svlisten1', listen), DONE, 's6-svlisten1 listens, then has it stopped');
  t.match(await v.stat('plain'), /^down \(exitcode 0\)/);
  t.match(await v.client('s6-svc', '-wu', '-T20000', '-u', 'plain'), DONE);

  const early = await v.client('s6-svwait', '-t', '300', '-d', 'plain');
  t.match(early, { code: 99, stderr: /timed out/ }, 'row 23: still up when time is up');
  t.equal((await v.client('s6-svwait', '-u', 'plain')).code, 0, 'it is up already');
  mkdirSync(v.s6('none'));
  t.equal((await v.client('s6-svwait', '-u', 'none')).code, 111, 'row 24: never supervised');
  t.ok(existsSync(`${v.s6('none')}/event`), 'row 24: the client has made event');
  rmSync(v.s6('none'), { recursive: true });
  t.equal((await run('s6-svwait', [])).code, 100, 'row 25: no arguments');
}

async function wishes(t: Test, v: Viewed): Promise<void> {
  const file = `${v.s6('wished')}/down`;
  t.match(await v.client('s6-svc', '-Q', 'wished'), DONE);
  await v.statIs('wished', /want down/);
  t.match(await v.stat('wished'), /^up .*, normally down, want down/, 'row 26: -Q, and up');
  t.ok(existsSync(file), 'row 26: the file down is there');
  t.match(await v.client('s6-svc', '-U', 'wished'), DONE);
  t.ok(await v.statIs('wished', /^up \(pid \d+\) \d+ seconds$/), 'row 27: -U, up and wanted');
  t.notOk(existsSync(file), 'row 27: -U takes it away');
  t.match(await v.client('s6-svc', '-wD', '-T20000', '-D', 'wished'), DONE);
  t.ok(existsSync(file), 'row 27: -D makes it');
  t.match(
    await v.stat('wished'),
    /^down \(exitcode 0\) \d+ seconds, ready/,
    'row 27: and stops it',
  );

  const ear = v.listen('asleep');
  t.match(await v.stat('asleep'), /^down \(exitcode 0\) \d+ seconds, ready/, 'a file down is one');
  t.match(await v.client('s6-svc', '-wu', '-T20000', '-o', 'asleep'), DONE);
  await v.statIs('asleep', /^up .*, normally down, want down$/);
  t.match(await v.client('s6-svc', '-wD', '-T20000', '-t', 'asleep'), DONE);
  t.equal(await ear.hear('udD'), 'udD', 'row 28: -o, it ran once');
  t.match(await v.stat('asleep'), /^down .* seconds, ready/, 'row 28: and is not wanted');

  t.match(await v.client('s6-svc', '-wu', '-T20000', '-u', 'asleep'), DONE);
  const pid = await v.stat('-p', 'asleep');
  t.match(await v.client('s6-svc', '-x', 'asleep'), DONE);
  await until('-x is known', async () => (await v.svinit.service('asleep')).once || null);
  t.equal(await v.stat('-p', 'asleep'), pid, 'row 29: -x kills nothing');
  t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'asleep'), DONE);
  t.equal(
    await ear.hear('udDudD'),
    'udDudD',
    'row 29: it is down for good; there is no x after it',
  );
  ear.close();
}

async function signals(t: Test, v: Viewed): Promise<void> {
  t.match(await v.client('s6-svc', '-p', 'plain'), DONE);
  await v.statIs('plain', /^up .*, paused$/);
  t.equal(await v.stat('-o', 'paused', 'plain'), 'true', 'row 30: -p pauses');
  const { pid } = await v.svinit.service('plain');
  await until('it is stopped', async () => v.svinit.processes().get(pid ?? 0) === 'T' || null);
  t.pass('row 30: it is stopped indeed');
  t.match(await v.client('s6-svc', '-c', 'plain'), DONE);
  await v.statIs('plain', /seconds$/);
  t.equal(await v.stat('-o', 'paused', 'plain'), 'false', 'row 30: -c goes on');

  t.match(await v.client('s6-svc', '-wR', '-T20000', '-r', 'interrupted'), { code: 0 });
  const tally = await v.client('s6-svdt', 'interrupted');
  t.match(tally.stdout, /^@[0-9a-f]{24} exitcode 7$/, 'row 31: SIGINT; row 33: the death is noted');
  t.match(await v.client('s6-svc', '-wr', '-T20000', '-k', 'interrupted'), DONE);
  const two = (await v.client('s6-svdt', 'interrupted')).stdout.split('\n');
  t.match(two, [/exitcode 7$/, /signal SIGKILL$/], 'row 33: oldest first');
  t.match(await v.client('s6-svdt-clear', 'interrupted'), DONE);
  t.equal((await v.client('s6-svdt', 'interrupted')).stdout, '', 'row 33: emptied');

  const before = await v.stat('wished');
  t.match(await v.client('s6-svc', '-r', 'wished'), DONE);
  // What is asked later is done later: when this is seen, -r was as well.
  t.match(await v.client('s6-svc', '-wu', '-T20000', '-u', 'wished'), DONE);
  t.match(before, /^down/);
  t.equal((await v.svinit.service('wished')).restarts, 1, 'row 32: -r did not start it');

  t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'arguments'), DONE);
  const said = v.svinit.console.said();
  t.ok(said.includes('run arguments'), 'row 35: run is told its name');
  await v.svinit.console.expect(/@ finish 3 0 arguments \d+\n/);
  t.pass('row 35: finish is told code, signal, name and group');
}

async function unsupervised(t: Test, v: Viewed): Promise<void> {
  const path = `${v.s6('killed')}/supervise/status`;
  truncateSync(path, 20);
  const broken = await v.client('s6-svstat', 'killed');
  t.match(broken, { code: 111, stderr: /Broken pipe/ }, 'row 11: a status that is too short');

  const waiting = v.client('s6-svwait', '-D', 'plain');
  await listened(v, 'plain', 0);
  t.match(await v.svinit.svctl('stop', 'views'), { code: 0 });
  t.equal((await waiting).code, 1, 'row 22: whoever waits hears x');
  const nobody = await v.client('s6-svstat', 'plain');
  t.match(nobody, { code: 1, stderr: /s6-supervise not running/ }, 'row 10: not supervised');
  t.equal((await v.client('s6-svok', 'plain')).code, 1, 'row 1: nor any more');
  const deaf = await v.client('s6-svc', '-u', 'plain');
  t.match(deaf, { code: 100, stderr: /not listening/ }, 'row 12: nobody listens');
}

/** Waits until more clients than `count` hear of the service. */
async function listened(v: Viewed, name: string, count: number): Promise<void> {
  await until(`somebody listens to ${name}`, async () => {
    const names = readdirSync(`${v.s6(name)}/event`).filter((file) => !file.startsWith('.'));
    return names.length > count || null;
  });
}

const DONE = { code: 0, stderr: '' };
