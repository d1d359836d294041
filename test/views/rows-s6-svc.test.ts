/**
 * Rows of the table of compatibility (rows.ts): what the clients of s6, as Debian has them, do to
 * svinit's services and to those of s6-supervise, on the same directories.
 */
import { renameSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Definitions, writeDefinitions } from '../supervisor/definitions.ts';
import { SKIP } from './clients.ts';
import { alike, longrun, type Pair, pair, wait } from './real.ts';

const down = { down: '' };
const interrupted = (signal: string): ReturnType<typeof longrun> =>
  longrun(0, { 'down-signal': `${signal}\n` }, "trap 'exit 7' INT");

const SERVICES: Definitions = {
  plain: longrun(0),
  killed: longrun(0, { finish: '#!/bin/sh\nwhile ! test -e over; do sleep 0.1; done\n' }),
  wished: longrun(0),
  asleep: longrun(0, down),
  left: longrun(0, down),
  life: longrun(0, { 'notification-fd': '3\n', ...down }, 'echo >&3'),
  ...Object.fromEntries(['INT', 'SIGINT', 'sigint', '2'].map((s) => [`by-${s}`, interrupted(s)])),
  chatty: {
    ...longrun(0, {}, 'i=0; while test $i -lt 20000; do echo $i; i=$((i+1)); done; echo >over'),
    'log/run': '#!/bin/sh\nexec cat >>heard\n',
    'log/down': '',
  },
  arguments: longrun(
    3,
    { finish: '#!/bin/sh\necho "$1 $2 $3" >finished.new && mv finished.new finished\n' },
    'echo "$*" >arguments',
  ),
};

t.test('bun: s6-svc', { skip: SKIP }, async (t) => {
  const both = await pair(t, 'bun', 's6', SERVICES);
  await wishes(t, both);
  await signals(t, both);
  await lives(t, both);
  await left(t, both);
});

t.test('bun: s6-svscanctl', { skip: SKIP }, async (t) => {
  const both = await pair(t, 'bun', 's6', { first: longrun(0) });
  await t.test('R37 s6-svscanctl -a and -an', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const on = "trap 'echo over >ended.new && mv ended.new ended; exit 0' TERM";
        const files = longrun(0, { 'service.json': '{"dialect":"s6"}' }, on);
        writeDefinitions(side.homes, { second: files });
        const added = await side.client('s6-svscanctl', '-a', '.');
        await side.shown('second');
        await side.settled('second');
        const up = await side.stat('second');
        renameSync(join(side.homes, 'second'), join(side.homes, '.second'));
        const pruned = await side.client('s6-svscanctl', '-an', '.');
        const ended = await side.wrote('.second', 'ended');
        const gone = await side.becomes(/^1/, () => side.client('s6-svok', 'second'));
        return [added, up, pruned, ended, gone];
      },
      [/^0$/, /^0 up \(pid N\) N seconds$/, /^0$/, 'over', /^1$/],
    ),
  );
  await t.test('R38 s6-svscanctl -t', async (t) => {
    await alike(t, both, async (side) => [await side.client('s6-svscanctl', '-t', '.')], [/^0$/]);
    t.same(await both.ended, { code: 0, signal: null }, 'the real supervisor');
    t.same(await both.viewed.svinit.end(), { code: 0, signal: null }, 'all of svinit');
  });
});

async function wishes(t: Test, both: Pair): Promise<void> {
  await t.test('R26 -Q', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('wished');
        const told = await side.client('s6-svc', '-Q', 'wished');
        return [told, await side.statIs('wished', /want down/), side.has('wished', 'down')];
      },
      [/^0$/, /^0 up \(pid N\) N seconds, normally down, want down$/, 'down: true'],
    ),
  );
  await t.test('R27 -U and -D', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const up = await side.client('s6-svc', '-U', 'wished');
        const wanted = await side.statIs('wished', /seconds$/);
        const there = side.has('wished', 'down');
        const off = await side.client('s6-svc', ...wait('D'), '-D', 'wished');
        return [up, wanted, there, off, await side.stat('wished'), side.has('wished', 'down')];
      },
      [
        ...[/^0$/, /^0 up \(pid N\) N seconds$/, 'down: false', /^0$/],
        ...[/^0 down \(exitcode 0\) N seconds, ready N seconds$/, 'down: true'],
      ],
    ),
  );
  await t.test('R28 -o', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const ear = side.listen('asleep');
        const first = await side.stat('asleep');
        const once = await side.client('s6-svc', ...wait('u'), '-o', 'asleep');
        await side.settled('asleep');
        const up = await side.statIs('asleep', /want down/);
        const ended = await side.client('s6-svc', ...wait('D'), '-t', 'asleep');
        const said = [first, once, up, ended, await ear.hear('udD'), await side.stat('asleep')];
        ear.close();
        return said;
      },
      [
        ...[/^0 down \(exitcode 0\) N seconds, ready N seconds$/, /^0$/],
        ...[/^0 up \(pid N\) N seconds, normally down, want down$/, /^0$/, 'udD'],
        /^0 down \(exitcode 0\) N seconds, ready N seconds$/,
      ],
    ),
  );
}

async function signals(t: Test, both: Pair): Promise<void> {
  await t.test('R30 -p and -c', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const paused = await side.client('s6-svc', '-p', 'plain');
        const stat = await side.statIs('plain', /paused/);
        const field = await side.stat('-o', 'paused', 'plain');
        const on = await side.client('s6-svc', '-c', 'plain');
        const after = await side.statIs('plain', /seconds$/);
        return [paused, stat, field, on, after, await side.stat('-o', 'paused', 'plain')];
      },
      [
        ...[/^0$/, /^0 up \(pid N\) N seconds, paused$/, '0 true'],
        ...[/^0$/, /^0 up \(pid N\) N seconds$/, '0 false'],
      ],
    ),
  );
  await t.test('R31 down-signal, however it is written', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const restart = async (name: string): Promise<string> => {
          await side.settled(name);
          const done = await side.client('s6-svc', ...wait('r'), '-r', name);
          return `${done} ${await side.client('s6-svdt', name)}`;
        };
        return Promise.all(['by-INT', 'by-SIGINT', 'by-sigint', 'by-2'].map(restart));
      },
      Array.from({ length: 4 }, () => /^0 0 @STAMP exitcode 7$/),
    ),
  );
  await t.test('R32 -r of what is down', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const ear = side.listen('asleep');
        const told = await side.client('s6-svc', '-r', 'asleep');
        // What is asked later is done later.
        const up = await side.client('s6-svc', ...wait('u'), '-u', 'asleep');
        await side.settled('asleep');
        const off = await side.client('s6-svc', ...wait('D'), '-d', 'asleep');
        const heard = await ear.hear('udD');
        ear.close();
        return [told, up, off, heard];
      },
      [/^0$/, /^0$/, /^0$/, 'udD'],
    ),
  );
  await t.test('R33 s6-svdt and s6-svdt-clear', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('by-INT');
        const killed = await side.client('s6-svc', ...wait('r'), '-k', 'by-INT');
        const two = await side.client('s6-svdt', 'by-INT');
        const cleared = await side.client('s6-svdt-clear', 'by-INT');
        return [killed, two, cleared, await side.client('s6-svdt', 'by-INT')];
      },
      [/^0$/, /^0 @STAMP exitcode 7\n@STAMP signal SIGKILL$/, /^0$/, /^0$/],
    ),
  );
}

async function lives(t: Test, both: Pair): Promise<void> {
  await t.test('R29 -x while it is up, then -d', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const ear = side.listen('left');
        const up = await side.client('s6-svc', ...wait('u'), '-u', 'left');
        const pid = await side.settled('left');
        const told = await side.client('s6-svc', '-x', 'left');
        // What is asked later is done later.
        await side.client('s6-svc', '-1', 'left');
        const same = (await side.wrote('left', 'usr1')) === pid;
        const off = await side.client('s6-svc', ...wait('D'), '-d', 'left');
        const heard = await ear.hear('udDxs');
        ear.close();
        const again = await side.client('s6-svc', ...wait('u'), '-u', 'left');
        return [up, told, `not killed: ${same}`, off, heard, again];
      },
      [/^0$/, /^0$/, /true$/, /^0$/, 'udDxs', /^0$/],
    ),
  );
  await t.test('R34 all events, in order', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const ear = side.listen('life');
        const said = [await side.client('s6-svc', ...wait('U'), '-u', 'life')];
        said.push(await side.client('s6-svc', ...wait('R'), '-r', 'life'));
        said.push(await side.client('s6-svc', '-xd', 'life'));
        said.push(await ear.hear('uUdDuUdDxs'));
        ear.close();
        return said;
      },
      [/^0$/, /^0$/, /^0$/, 'uUdDuUdDxs'],
    ),
  );
  await t.test('R39 a logger that is down, then stopped', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const pid = await side.settled('chatty');
        const said = [await side.client('s6-svc', '-wu', '-T20000', '-u', 'chatty/log')];
        await side.heardAll('chatty', 20_000);
        said.push(await side.client('s6-svc', '-p', 'chatty/log'));
        said.push(await side.client('s6-svc', ...wait('R'), '-r', 'chatty'));
        said.push(await side.client('s6-svc', '-c', 'chatty/log'));
        await side.heardAll('chatty', 40_000);
        const other = (await side.settled('chatty')) !== pid;
        return [...said, `another process: ${other}`, await side.client('s6-svdt', 'chatty')];
      },
      [/^0$/, /^0$/, /^0 /, /^0$/, /true$/, /^0 @STAMP exitcode 0$/],
    ),
  );
  await t.test('R35 the arguments of run and finish', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('arguments');
        const said = [await side.wrote('arguments', 'arguments')];
        said.push(await side.client('s6-svc', ...wait('R'), '-k', 'arguments'));
        said.push(await side.wrote('arguments', 'finished'));
        await side.settled('arguments');
        said.push(await side.client('s6-svc', ...wait('D'), '-d', 'arguments'));
        return [...said, await side.wrote('arguments', 'finished')];
      },
      ['arguments', /^0 /, '256 9 arguments', /^0$/, '3 0 arguments'],
    ),
  );
}

/** Nobody supervises any more: last, because nobody comes back. */
async function left(t: Test, both: Pair): Promise<void> {
  await t.test('R11 a status that is too short', (t) =>
    alike(
      t,
      both,
      async (side) => {
        truncateSync(`${side.view('killed')}/supervise/status`, 20);
        return [await side.stat('killed')];
      },
      [/^111 .*Broken pipe$/],
    ),
  );
  await t.test('R22 the supervisor leaves while s6-svwait waits', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const waiting = side.client('s6-svwait', '-D', 'plain');
        await side.heard('plain', 0);
        await side.leave();
        return [await waiting];
      },
      [/^1 /],
    ),
  );
  await t.test('R10 R12 nobody is there', (t) =>
    alike(
      t,
      both,
      async (side) => [
        await side.stat('plain'),
        await side.client('s6-svok', 'plain'),
        await side.client('s6-svc', '-u', 'plain'),
        await side.client('s6-svc', '-u', 'none'),
      ],
      [/^1 .*s6-supervise not running$/, /^1$/, /^100 .*not listening$/, /^111 /],
    ),
  );
}
