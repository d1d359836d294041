/**
 * Rows of the table of compatibility (rows.ts): sv, as Debian has it, against svinit and against
 * runsv, on the same directories.
 */
import { mkdirSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Definitions } from '../supervisor/definitions.ts';
import { run, SKIP } from './clients.ts';
import { alike, longrun, type Pair, pair, type Side } from './real.ts';

const FINISHED = '#!/bin/sh\necho "$1 $2" >finished.new && mv finished.new finished\n';

const SERVICES: Definitions = {
  plain: longrun(0),
  finishing: longrun(0, { finish: '#!/bin/sh\nwhile ! test -e over; do sleep 0.1; done\n' }),
  deaf: longrun(0, {}, "trap '' TERM"),
  once: longrun(0, { down: '' }),
  exits: longrun(3, { finish: FINISHED }),
  logged: { ...longrun(0), 'log/run': longrun(0)['run'] ?? '' },
  checked: longrun(0, { check: '#!/bin/sh\nexit 1\n', down: '' }),
  controlled: longrun(0, { 'control/t': '#!/bin/sh\necho told >told\n' }),
  dies: { run: '#!/bin/sh\necho $$ >settled\nexec sleep 1000000\n', finish: FINISHED },
};

t.test('bun: runit', { skip: SKIP }, async (t) => {
  const both = await pair(t, 'bun', 'runit', SERVICES);
  await status(t, both);
  await control(t, both);
  await ends(t, both);
  await left(t, both);
});

const svIs = (side: Side, name: string, pattern: RegExp): Promise<string> =>
  side.becomes(pattern, () => side.sv('status', name));

async function status(t: Test, both: Pair): Promise<void> {
  await t.test('R3 runsv finds somebody there', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('plain');
        return [await side.client('runsv', 'plain')];
      },
      [/^111 .*unable to lock supervise\/lock: temporary failure$/],
    ),
  );
  await t.test('R40 R50 sv status: up, down, finishing; by its path, and in SVDIR', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('finishing');
        const said = [await side.sv('status', 'plain'), await side.client('sv', 'status', 'plain')];
        said.push(await side.sv('status', 'once'), await side.sv('down', 'finishing'));
        said.push(await svIs(side, 'finishing', /^0 finish: .*want down/));
        said.push(side.says('finishing', 'supervise/stat'));
        side.touch('finishing', 'over');
        return [...said, await svIs(side, 'finishing', /down: /)];
      },
      [
        ...[/^0 run: plain: \(pid N\) Ns$/, /^0 run: \S*plain: \(pid N\) Ns$/],
        ...[/^0 down: once: Ns$/, /^0$/, /^0 finish: finishing: \(pid N\) Ns, want down$/],
        ...[/^finish/, /^0 down: finishing: Ns, normally up$/],
      ],
    ),
  );
  await t.test('R41 sv status with a logger', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('logged');
        const up = await svIs(side, 'logged', /log: \(pid/);
        const down = await side.sv('down', 'logged/log');
        const said = [up, down, await svIs(side, 'logged', /down: log/)];
        return [
          ...said,
          await side.sv('up', 'logged/log'),
          await svIs(side, 'logged', /run: log:/),
        ];
      },
      [
        ...[/^0 run: logged: \(pid N\) Ns; run: log: \(pid N\) Ns$/, /^0$/],
        ...[/^0 run: logged: \(pid N\) Ns; down: log: Ns, normally up$/, /^0$/, /run: log:/],
      ],
    ),
  );
  await t.test('R42 sv status of what was never supervised', (t) =>
    alike(
      t,
      both,
      async (side) => {
        // Not where runsvdir would see it.
        const path = `${side.view('plain')}/none`;
        mkdirSync(path);
        const said = await side.client('sv', 'status', 'plain/none');
        rmSync(path, { recursive: true });
        return [said, await side.sv('status', 'missing')];
      },
      [/^1 warning: plain\/none: unable to open supervise\/ok: file does not exist$/, /^1 fail: /],
    ),
  );
  await t.test('R51 supervise/stat and supervise/pid', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const files = (): readonly string[] =>
          ['stat', 'pid'].map((file) => side.says('plain', `supervise/${file}`));
        const up = files();
        const paused = await side.sv('pause', 'plain');
        const status = await svIs(side, 'plain', /paused/);
        const stat = side.says('plain', 'supervise/stat');
        const on = await side.sv('cont', 'plain');
        const off = await side.sv('stop', 'plain');
        return [...up, paused, status, stat, on, off, ...files()];
      },
      [
        ...['run', 'N', /^0$/, /^0 run: plain: \(pid N\) Ns, paused$/, 'run, paused'],
        ...[/^0$/, /^0 ok: down: plain: Ns, normally up$/, 'down', ''],
      ],
    ),
  );
}

async function control(t: Test, both: Pair): Promise<void> {
  await t.test('R44 sv -v up and down', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const up = await side.sv('-v', 'up', 'plain');
        await side.settled('plain');
        return [up, await side.sv('-v', 'down', 'plain')];
      },
      [/^0 ok: run: plain: \(pid N\) Ns$/, /^0 ok: down: plain: Ns, normally up$/],
    ),
  );
  await t.test('R45 sv start of what has a check that fails', (t) =>
    alike(t, both, async (side) => [await side.sv('-w', '1', 'start', 'checked')], [
      /^1 timeout: run: checked: \(pid N\) Ns, normally down$/,
    ]),
  );
  await t.test('R49 control/t that has done it', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const pid = await side.settled('controlled');
        const said = [await side.sv('term', 'controlled'), await side.wrote('controlled', 'told')];
        // What is asked later is done later.
        said.push(await side.sv('1', 'controlled'));
        const same = (await side.wrote('controlled', 'usr1')) === pid;
        return [...said, `not killed: ${same}`, await side.sv('status', 'controlled')];
      },
      [/^0$/, 'told', /^0$/, /true$/, /^0 run: controlled: \(pid N\) Ns/],
    ),
  );
  await t.test('R47 sv once', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const told = await side.sv('once', 'once');
        await side.settled('once');
        const up = await svIs(side, 'once', /run: /);
        const killed = await side.sv('kill', 'once');
        return [told, up, killed, await svIs(side, 'once', /down: /)];
      },
      [
        ...[/^0$/, /^0 run: once: \(pid N\) Ns, normally down, want down$/, /^0$/],
        /^0 down: once: Ns$/,
      ],
    ),
  );
  await t.test('R48 the arguments of finish', (t) =>
    alike(
      t,
      both,
      async (side) => {
        const end = async (name: string, how: string): Promise<string> => {
          await side.settled(name);
          rmSync(side.home(name, 'finished'), { force: true });
          await side.sv(how, name);
          return side.wrote(name, 'finished');
        };
        return [await end('exits', 'term'), await end('dies', 'term'), await end('dies', 'kill')];
      },
      ['3 0', '-1 15', '-1 9'],
    ),
  );
}

async function ends(t: Test, both: Pair): Promise<void> {
  await t.test('R46 sv stop and force-stop of what ignores TERM', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.settled('deaf');
        await side.sv('term', 'deaf');
        const told = await svIs(side, 'deaf', /got TERM/);
        const late = await side.sv('-w', '1', 'stop', 'deaf');
        const stat = side.says('deaf', 'supervise/stat');
        const killed = await side.sv('-w', '1', 'force-stop', 'deaf');
        return [told, late, stat, killed, await svIs(side, 'deaf', /down: /)];
      },
      [
        /^0 run: deaf: \(pid N\) Ns, got TERM$/,
        /^1 timeout: run: deaf: \(pid N\) Ns, want down, got TERM$/,
        'run, got TERM, want down',
        /^1 kill: run: deaf: \(pid N\) Ns, want down, got TERM$/,
        /^0 down: deaf: Ns, normally up$/,
      ],
    ),
  );
}

/** Nobody supervises any more: last, because nobody comes back. */
async function left(t: Test, both: Pair): Promise<void> {
  await t.test('R42 R43 nobody is there', (t) =>
    alike(
      t,
      both,
      async (side) => {
        await side.leave();
        return [await side.sv('status', 'plain'), await side.sv('-v', 'exit', 'plain')];
      },
      [/^1 fail: plain: runsv not running$/, /^0 ok: plain: runsv not running$/],
    ),
  );
  await t.test('R50 without SVDIR it is /etc/service', async (t) => {
    const other = await run('sv', ['status', 'no-such-service']);
    t.match(other, { code: 1, stdout: /^fail: no-such-service: unable to change/ });
  });
}
