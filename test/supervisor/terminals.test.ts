/** Terminals of services, and shells with terminals of their own, as a person at a terminal has them. */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import {
  encodeFrame,
  type Frame,
  FrameReader,
  type Hello,
  TERMINAL_PROTOCOL,
} from '../../src/core/terminal-frames.ts';
import type { Definitions } from './definitions.ts';
import { type Instance, start, until } from './instance.ts';
import { sit } from './screen.ts';

const PTY = '{ "tty": "pty", "stop": { "timeout": "5s" } }\n';
const SHELLS = readFileSync('services/shells/service.json', 'utf8');

/** Says what it is told and what happens to its terminal. */
const GAME = `#!/bin/sh
trap 'echo "a signal"' INT
trap 'echo "size $(stty size)"' WINCH
trap 'echo "the end"; exit 7' TERM
tty -s && echo "game $$ begins"
while :; do
  read -r line && echo "got $line"
done
`;

const game = (run = GAME): Definitions => ({ game: { run, 'service.json': PTY } });

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a service has a terminal, and several look at it`, async (t) => {
    const svinit = await start(t, { runtime, services: game() });
    const { pid } = await svinit.service('game');
    await svinit.logFile('game').expect(`game ${pid} begins\n`);
    t.match(await svinit.service('game.pty'), { state: 'up' });

    const first = sit(t, svinit, 'svctl', 'attach', 'game');
    await first.expect('ctrl-] leaves');
    await first.expect(`game ${pid} begins\r\n`);
    await first.expect('size 24 80');
    first.type('hello\r');
    await first.expect('got hello\r\n');
    first.type('\x03');
    await first.expect('a signal');
    first.resize(100, 30);
    await first.expect('size 30 100');

    const second = sit(t, svinit, 'svctl', 'attach', '--detach-key=^a', 'game');
    await second.expect('got hello');
    await first.expect('size 24 80');
    const third = sit(t, svinit, 'svctl', 'attach', '--read-only', 'game');
    await third.expect('size 24 80');
    third.type('not for you\r');
    second.type('from the second\r');
    await Promise.all([first, third].map((other) => other.expect('got from the second')));
    t.notMatch(first.text, 'not for you');
    first.type('back\r');
    await first.expect('size 30 100');

    second.type('\x1dx\x01');
    t.equal(await second.end(), 0, 'its own key leaves');
    third.type('\x03');
    t.equal(await third.end(), 0, 'who only looks leaves by ctrl-C');
    for (const left of [second, third]) t.ok(left.isRestored());

    t.match(await svinit.svctl('reexec'), { code: 0 });
    first.type('still there\r');
    await first.expect('got \x1dxstill there');
    t.match(await svinit.service('game'), { pid, restarts: 0 });

    t.match(await svinit.svctl('restart', 'game'), { code: 0 });
    await first.expect('the end');
    await first.expect(/game \d+ begins/);
    first.type('and on\r');
    await first.expect('got and on');
    t.match(await svinit.svctl('stop', 'game'), { code: 0 });
    t.equal(await first.end(), 9, 'its terminal is gone');
    t.ok(first.isRestored());
    t.match(await svinit.service('game'), { state: 'down', lastExit: 'exit 7' });
    t.match(await svinit.svctl('wait', 'game.pty:down'), { code: 0 }, 'it goes with the service');
    const lines = svinit.log('game');
    t.ok(lines.includes('got hello'), 'what was printed is in its log');
    t.notOk(lines.some((line) => /[\r\x1b]/.test(line)));
  });

  t.test(`${runtime}: without a terminal svctl copies, or says why it cannot`, async (t) => {
    const services = { ...game(), plain: { run: '#!/bin/sh\nexec sleep 1000000\n' } };
    const svinit = await start(t, { runtime, services });
    await svinit.logFile('game').expect('begins');
    const told = ['sh', '-c', 'echo from a pipe | svctl attach game'];
    t.match(await svinit.run(told), { code: 0, stdout: /^game \d+ begins/ });
    await svinit.logFile('game').expect('got from a pipe');
    const none = await svinit.svctl('attach', 'plain');
    t.match(none, { code: 1, stderr: /plain: it has no terminal of its own\n.*"tty": "pty"/ });
    t.match(await svinit.svctl('attach', 'nobody'), { code: 4 });
    await svinit.svctl('stop', 'game');
    await svinit.svctl('wait', 'game.pty:down');
    t.match(await svinit.svctl('attach', 'game'), { code: 3, stderr: /game: it is down/ });
    t.match(await svinit.svctl('attach', '--detach-key=nonsense', 'game'), { code: 2 });
    const shell = await svinit.svctl('shell');
    t.match(shell, { code: 4, stderr: /shells/ }, 'nobody holds shells here');
  });

  t.test(`${runtime}: a shell outlives who looks at it, and a re-exec`, async (t) => {
    const services = { shells: { 'service.json': SHELLS, type: 'longrun\n' } };
    const svinit = await start(t, { runtime, services });
    t.match(await svinit.svctl('shell', '--list'), { stdout: /^no sessions/ });
    const screen = sit(t, svinit, 'svctl', 'shell', '--name', 'work');
    await screen.expect('[session work; ctrl-] leaves]');
    screen.type('tty; stty size; echo $TERM $((6*7))\r');
    await screen.expect(/\/dev\/pts\/\d+\r\n24 80\r\nxterm 42\r\n/);
    screen.type('sleep 1000\r');
    await until('sleep runs', async () => ((await running(svinit, 'sleep')) ? true : null));
    screen.type('\x1a');
    await screen.expect(/Stopped/);
    screen.type('kill -9 %1; wait; echo over $((3*5))\r');
    await screen.expect('over 15\r\n');
    screen.type('precious=$((40+2))\r\x1d');
    t.equal(await screen.end(), 0);
    await screen.expect('svctl shell --name work comes back');
    t.ok(screen.isRestored());

    t.match(await svinit.svctl('reexec'), { code: 0 });
    t.match(await svinit.svctl('shell', '--list'), { stdout: /\nwork +\d+ +0 +shell\n?$/ });
    const again = sit(t, svinit, 'svctl', 'shell', '--name', 'work');
    await again.expect('session work, the output so far');
    again.type('echo still $precious\r');
    await again.expect('still 42\r\n');
    again.type('exit 5\r');
    t.equal(await again.end(), 5, 'the exit code of the shell');
    t.ok(again.isRestored());
    t.match(await svinit.svctl('shell', '--list'), { stdout: /^no sessions/ });

    const killed = await svinit.svctl('shell', '--', 'sh', '-c', 'kill -KILL $$');
    t.equal(killed.code, 137, 'as a shell tells of a signal');
    const piped = ['sh', '-c', 'echo "echo \\$((1+1)); exit 3" | svctl shell'];
    t.match(await svinit.run(piped), { code: 3, stdout: /^2\r?$/m });
    t.match(await svinit.svctl('shell', 'nonsense'), { code: 1, stderr: /no program nonsense/ });
  });

  t.test(`${runtime}: the terminal is given back whatever ends svctl`, async (t) => {
    const services = { shells: { 'service.json': SHELLS, type: 'longrun\n' } };
    const svinit = await start(t, { runtime, services });
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      const screen = sit(t, svinit, 'svctl', 'shell', '--name', 'work');
      await screen.expect('leaves]');
      screen.type('echo $((3*3))$((2*2))\r');
      await screen.expect('94');
      t.notOk(screen.isRestored(), 'it is another one meanwhile');
      screen.signal(signal);
      await screen.end();
      t.ok(screen.isRestored(), signal);
    }
    const screen = sit(t, svinit, 'svctl', 'shell', '--name', 'work');
    await screen.expect('leaves]');
    await svinit.svctl('stop', 'shells');
    t.equal(await screen.end(), 9, 'the holder ends');
    t.ok(screen.isRestored());
  });

  t.test(`${runtime}: nobody who looks holds the program, or its holder`, async (t) => {
    const run = `#!/bin/sh
read -r line
yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -n 60000
: >/run/said
exec sleep 1000000
`;
    const svinit = await start(t, { runtime, services: game(run) });
    const deaf = await dial(svinit, { readOnly: true });
    const socket = deaf.socket;
    await deaf.next('welcome');
    socket.pause();
    const other = await dial(svinit, {});
    await other.next('welcome');
    other.socket.write(encodeFrame({ kind: 'data', bytes: Buffer.from('go\r') }));
    await until('all is said', async () => existsSync(svinit.path('/run/said')) || null);
    await svinit.logFile('game.pty').expect('a viewer that took nothing was dropped');
    socket.destroy();
    other.socket.destroy();
    t.match(await svinit.service('game'), { state: 'up', restarts: 0 });

    for (const bytes of ['GET / HTTP/1.0\r\n\r\n', 'h\0\0\x02{}', 'h\0\0\x04nope', 'd\0\0\x01x']) {
      const stranger = await dial(svinit, null);
      stranger.socket.write(bytes);
      await stranger.next('refused');
      await stranger.closed;
    }
    const newer = await dial(svinit, { version: TERMINAL_PROTOCOL + 1 });
    t.match(await newer.next('refused'), { reason: /version 1/ });
    const misled = await dial(svinit, { name: 'other' });
    t.match(await misled.next('refused'), { reason: /terminal of game/ });
    t.match(await svinit.service('game.pty'), { state: 'up', restarts: 0 });
  });

  t.test(`${runtime}: a program without its holder is hung up and starts again`, async (t) => {
    const run = `${GAME.replace('while', "trap 'exit 1' HUP\nwhile")}`;
    const svinit = await start(t, { runtime, services: game(run) });
    const holder = await svinit.service('game.pty');
    const { pid } = await svinit.service('game');
    await svinit.logFile('game').expect(`game ${pid} begins`);
    await svinit.run(['kill', '-9', String(holder.pid)]);
    await until('both are up again', async () => {
      const [now, held] = [await svinit.service('game'), await svinit.service('game.pty')];
      const isUp = [now, held].every(({ state }) => state === 'up');
      return isUp && now.pid !== pid && held.pid !== holder.pid ? true : null;
    });
    const screen = sit(t, svinit, 'svctl', 'attach', 'game');
    await screen.expect(/game \d+ begins/);
    screen.type('once more\r');
    await screen.expect('got once more');
  });
}

async function running(svinit: Instance, name: string): Promise<boolean> {
  const { stdout } = await svinit.run(['pidof', name]);
  return stdout !== '';
}

type Dialled = {
  readonly socket: ReturnType<typeof connect>;
  /** The next frame of that kind. */
  next(kind: Frame['kind']): Promise<Frame>;
  readonly closed: Promise<void>;
};

const HELLO: Hello = {
  version: TERMINAL_PROTOCOL,
  want: 'attach',
  name: null,
  readOnly: false,
  size: null,
  command: [],
  term: null,
};

/** A connection to the holder of `game`; with null it says nothing. */
async function dial(svinit: Instance, hello: Partial<Hello> | null): Promise<Dialled> {
  const socket = connect({ path: svinit.path('/run/svinit/terminals/game/socket') });
  const reader = new FrameReader();
  const frames: Frame[] = [];
  let look = (): void => {};
  socket.on('data', (bytes) => {
    frames.push(...reader.push(Buffer.from(bytes)));
    look();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await new Promise<void>((resolve) => socket.on('connect', () => resolve()));
  if (hello !== null) socket.write(encodeFrame({ kind: 'hello', hello: { ...HELLO, ...hello } }));
  const next = (kind: Frame['kind']): Promise<Frame> =>
    new Promise((resolve, reject) => {
      look = () => {
        const found = frames.find((frame) => frame.kind === kind);
        if (found !== undefined) resolve(found);
      };
      look();
      void closed.then(() => reject(new Error(`closed without ${kind}: ${frames.length} frames`)));
    });
  return { socket, next, closed };
}
