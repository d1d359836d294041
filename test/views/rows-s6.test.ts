/**
 * Rows of the table of compatibility (rows.ts): what the clients of s6, as Debian has them, say of
 * svinit's services and of those of s6-supervise, on the same directories, and wait for.
 */
import { mkdirSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Definitions } from '../supervisor/definitions.ts';
import { run, SKIP } from './clients.ts';
import { alike, longrun, type Pair, pair, wait } from './real.ts';

const down = { down: '' };
const announced = { 'notification-fd': '3\n' };
const ready = longrun(0, announced, 'echo >&3');

const SERVICES: Definitions = {
  plain: longrun(0),
  ready,
  three: longrun(3),
  killed: longrun(0, { finish: '#!/bin/sh\nwhile ! test -e over; do sleep 0.1; done\n' }),
  slow: longrun(0, { ...announced, ...down }, 'while ! test -e go; do sleep 0.1; done; echo >&3'),
  deaf: longrun(0, { 'timeout-kill': '700\n' }, "trap '' TERM"),
  finishing: longrun(0, { finish: '#!/bin/sh\nexec sleep 1000\n', 'timeout-finish': '900\n' }),
  silent: longrun(0, { ...announced, ...down }),
  gone: longrun(0, { finish: '#!/bin/sh\nexit 125\n' }),
  life: { ...ready, ...down },
};

t.test('bun: s6', { skip: SKIP }, async (t) => {
  const both = await pair(t, 'bun', 's6', SERVICES);
  await status(t, both);
  await control(t, both);
  await waiting(t, both);
});

async function status(t: Test, both: Pair): Promise<void> {
  await t.test('R1 s6-svok', (t) =>
    alike(
      t,
      both,
      async (side) => [await side.client('s6-svok', 'plain'), await side.client('s6-svok', 'none')],
      [/^0$/, /^1$/],
    ),
  );
  await t.test('R2 s6-supervise finds somebody there', (t) =>
    alike(t, both, async (side) => [await side.client('s6-supervise', 'plain')], [
      /^100 .*another instance of s6-supervise is already running$/,
    ]),
  );
  await t.test('R4 s6-svstat: up', (t) =>
    alike(t, both, async (side) => [await side.statIs('plain', /up/)], [
      /^0 up \(pid N\) N seconds$/,
    ]),
  );
  await t.test('R5 s6-svstat: up and ready', (t) =>
    alike(t, both, async (side) => [await side.statIs('ready', /ready/)], [
      /^0 up \(pid N\) N seconds, ready N seconds$/,
    ]),
  );
  const exited = /^0 down \(exitcode 3\) N seconds, normally up, ready N seconds$/;
  await t.test('R6 R14 down by -d; -wD waits for all of it', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('three');
        return [await side.client('s6-svc', ...wait('D'), '-d', 'three'), await side.stat('three')];
      },
      [/^0$/, exited],
    ),
  );
  await t.test('R8 s6-svstat -o', (t) =>
    alike(
      t,
      both,
      async (side) => [await side.stat('-o', 'up,ready,exitcode,signal,signum,pid', 'three')],
      [/^0 false false 3 NA -1 -1$/],
    ),
  );
  await t.test('R7 killed, and waiting', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('killed');
        const killed = await side.client('s6-svc', ...wait('d'), '-k', 'killed');
        const said = [killed, await side.stat('killed'), await side.stat('-n', 'killed')];
        side.touch('killed', 'over');
        return [...said, await side.statIs('killed', /up \(/)];
      },
      [
        /^0$/,
        /^0 down \(signal SIGKILL\) N seconds, normally up, want up$/,
        /^0 down \(signal 9\)/,
        /^0 up/,
      ],
    ),
  );
  await t.test('R9 up, then ready', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const started = await side.client('s6-svc', ...wait('u'), '-u', 'slow');
        const before = await side.stat('-ur', 'slow');
        side.touch('slow', 'go');
        await side.statIs('slow', /ready/);
        return [started, before, await side.stat('-ur', 'slow')];
      },
      [/^0$/, /^0 true false$/, /^0 true true$/],
    ),
  );
}

async function control(t: Test, both: Pair): Promise<void> {
  await t.test('R13 s6-svc without letters', (t) =>
    alike(t, both, async (side) => [await side.client('s6-svc', 'plain')], [/^0$/]),
  );
  await t.test('R15 timeout-kill', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('deaf');
        const stopped = await side.client('s6-svc', ...wait('D'), '-d', 'deaf');
        return [stopped, await side.stat('deaf')];
      },
      [/^0$/, /^0 down \(signal SIGKILL\) N seconds, normally up, ready N seconds$/],
    ),
  );
  await t.test('R16 timeout-finish', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('finishing');
        const ear = side.listen('finishing');
        const stopped = await side.client('s6-svc', ...wait('D'), '-d', 'finishing');
        const heard = await ear.hear('dD');
        ear.close();
        return [stopped, heard, await side.stat('finishing')];
      },
      [/^0$/, 'dD', /^0 down \(exitcode 0\) N seconds, normally up, ready N seconds$/],
    ),
  );
  await t.test('R17 -wU, with a newline and without', (t) =>
    alike(
      t,
      both,
      async (side) => [
        await side.client('s6-svc', '-wU', '-T500', '-u', 'silent'),
        await side.client('s6-svc', ...wait('D'), '-d', 'silent'),
        await side.client('s6-svc', ...wait('U'), '-u', 'life'),
        await side.client('s6-svc', ...wait('D'), '-d', 'life'),
      ],
      [/^99 .*timed out$/, /^0$/, /^0$/, /^0$/],
    ),
  );
  await t.test('R18 -wU without notification-fd', (t) =>
    alike(t, both, async (side) => [await side.client('s6-svc', ...wait('U'), '-u', 'plain')], [
      /^0 .*not present - ignoring request/,
    ]),
  );
  await t.test('R19 -wR', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const before = await side.settled('ready');
        const restarted = await side.client('s6-svc', ...wait('R'), '-r', 'ready');
        const other = (await side.settled('ready')) !== before;
        return [restarted, `another process: ${other}`, await side.stat('ready')];
      },
      [/^0$/, /true$/, /^0 up \(pid N\) N seconds, ready N seconds$/],
    ),
  );
}

async function waiting(t: Test, both: Pair): Promise<void> {
  await t.test('R20 R21 finish exits 125', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('gone');
        const ear = side.listen('gone');
        const failing = side.client('s6-svwait', '-R', '-t', '20000', 'gone');
        await side.heard('gone', 1);
        const told = await side.client('s6-svc', '-t', 'gone');
        const said = [told, await ear.hear('dOD'), await failing, await side.stat('gone')];
        ear.close();
        return [...said, await side.client('s6-svc', ...wait('u'), '-u', 'gone')];
      },
      [
        /^0$/,
        'dOD',
        /^1 .*permanent failure/,
        /^0 down \(exitcode 0\) N seconds, normally up, ready N seconds$/,
        /^0$/,
      ],
    ),
  );
  await t.test('R23 s6-svwait -t', (t) =>
    alike(
      t,
      both,
      async (side) => [
        await side.client('s6-svwait', '-t', '300', '-d', 'plain'),
        await side.client('s6-svwait', '-u', 'plain'),
      ],
      [/^99 .*timed out$/, /^0$/],
    ),
  );
  await t.test('R24 s6-svwait of what was never supervised', (t) =>
    alike(
      t,
      both,
      async (side) => {
        mkdirSync(side.view('none'));
        const said = [await side.client('s6-svwait', '-u', 'none'), side.has('none', 'event')];
        rmSync(side.view('none'), { recursive: true });
        return said;
      },
      [/^111 /, 'event: true'],
    ),
  );
  await t.test('R25 s6-svwait without arguments', async (t) => {
    t.match(await run('s6-svwait', []), { code: 100 });
  });
}
