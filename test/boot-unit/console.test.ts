/**
 * The console on terminals that are slow, stopped, hung up or missing.
 */
import t from 'tap';
import { openConsole, otherConsoles, realConsole } from '../../src/boot/console.ts';
import type { Fd } from '../../src/core/units.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { SysError } from '../../src/sys/libc.ts';
import { device, file, World } from './world.ts';

/** A terminal that takes bytes while there is `room`, `atOnce` in one call, and can be hung up. */
class Terminal {
  room = Number.POSITIVE_INFINITY;
  atOnce = Number.POSITIVE_INFINITY;
  text = '';
  opened: string[] = [];
  closed = 0;
  /** Paths that cannot be opened. */
  missing: readonly string[] = [];
  /** Descriptors that were hung up. */
  dead: Set<number> = new Set();
  #nextFd = 10;

  open(path: string): Fd {
    if (this.missing.includes(path)) throw refusal('open', 'ENXIO');
    this.opened.push(path);
    return this.#nextFd++ as Fd;
  }

  close(_fd: Fd): void {
    this.closed += 1;
  }

  write(fd: Fd, bytes: Uint8Array): number | null {
    if (this.dead.has(fd)) throw refusal('write', 'EIO');
    const taken = Math.min(bytes.length, this.room, this.atOnce);
    if (taken === 0) return null;
    this.room -= taken;
    this.text += new TextDecoder().decode(bytes.subarray(0, taken));
    return taken;
  }
}

/** What is to be tried again waits for the next line. */
const NEVER = (): void => {};

const refusal = (call: 'open' | 'write', code: string) =>
  new SysError(call, errnoNumber(code), 'use the console');

t.test('write() ends lines for a terminal, and keeps them from acting on it', async (t) => {
  const terminal = new Terminal();
  const console = openConsole(terminal, true, NEVER);
  console.write('up');
  console.write('\u001b[2J\r\n\u009bforged');
  console.write('x'.repeat(5000));
  const [first, second, third] = terminal.text.split('\r\n');
  t.equal(first, 'up');
  t.equal(second, '\\x1b[2J\\x0d\\x0a\\u{9b}forged');
  t.equal(third, `${'x'.repeat(1024)}...`);
  t.same(terminal.opened, ['/dev/console']);
});

t.test('F35 write() keeps some of what a stopped terminal does not take, and counts', async (t) => {
  const terminal = new Terminal();
  const console = openConsole(terminal, true, NEVER);
  console.write('one');
  terminal.room = 0;
  for (let i = 0; i < 64 + 7; i++) console.write('more');
  t.equal(console.dropped, 7);
  terminal.room = Number.POSITIVE_INFINITY;
  console.write('two');
  const more = 'more\r\n'.repeat(64);
  t.equal(terminal.text, `one\r\n${more}7 console lines dropped\r\ntwo\r\n`);
  t.equal(console.dropped, 0);
});

t.test('what a busy terminal refuses is written without another line, ever later', async (t) => {
  const terminal = new Terminal();
  const due: (readonly [() => void, number])[] = [];
  const console = openConsole(terminal, true, (act, ms) => due.push([act, ms]));
  terminal.room = 6;
  console.write('one two');
  console.write('three');
  t.equal(due.length, 1, 'one look is due at a time');
  const pauses: number[] = [];
  for (let looks = 0; looks < 8; looks++) {
    const [act, ms] = due.shift() ?? [() => {}, 0];
    pauses.push(ms);
    if (looks === 7) terminal.room = Number.POSITIVE_INFINITY;
    act();
  }
  t.same(pauses, [20, 40, 80, 160, 320, 640, 1000, 1000]);
  t.equal(terminal.text, 'one two\r\nthree\r\n');
  t.same(due, [], 'all is out');
  terminal.room = 0;
  console.write('four');
  t.equal(due[0]?.[1], 20, 'it is asked soon again');
});

t.test('write() never tears a line, and counts each line once', async (t) => {
  for (let step = 0; step < 24; step++) {
    const terminal = new Terminal();
    const console = openConsole(terminal, true, NEVER);
    // A slow line: each call takes a little, and some find no room at all.
    terminal.atOnce = step;
    for (let i = 0; i < 40; i++) {
      terminal.room = i % 3 === 0 ? 0 : Number.POSITIVE_INFINITY;
      console.write(`line ${i}`);
    }
    terminal.atOnce = Number.POSITIVE_INFINITY;
    terminal.room = Number.POSITIVE_INFINITY;
    console.write('the end');
    const lines = terminal.text.split('\r\n').slice(0, -1);
    const said = lines.flatMap((line) => /^(\d+) console lines dropped$/.exec(line)?.[1] ?? []);
    const own = lines.filter((line) => /^(line \d+|the end)$/.test(line));
    const name = `${step} bytes at once: ${JSON.stringify(terminal.text)}`;
    t.equal(own.length + said.length, lines.length, `whole lines only, ${name}`);
    const lost = said.reduce((sum, n) => sum + Number(n), 0);
    t.equal(own.length + lost, 41, `each is there or counted, ${name}`);
    t.equal(console.dropped, 0);
  }
});

t.test('F35 write() opens a terminal that was hung up again', async (t) => {
  const terminal = new Terminal();
  const console = openConsole(terminal, true, NEVER);
  console.write('one');
  terminal.dead.add(10);
  console.write('two');
  t.equal(terminal.text, 'one\r\ntwo\r\n');
  t.same(terminal.opened, ['/dev/console', '/dev/console']);
  t.equal(terminal.closed, 1);

  for (let fd = 0; fd < 100; fd++) terminal.dead.add(fd);
  console.write('three');
  terminal.dead.clear();
  console.write('four');
  t.equal(terminal.text, 'one\r\ntwo\r\nthree\r\nfour\r\n');
});

t.test('openConsole() finds another way out', async (t) => {
  const kmsg = new Terminal();
  kmsg.missing = ['/dev/console'];
  openConsole(kmsg, true).write('x');
  t.same([kmsg.opened, kmsg.text], [['/dev/kmsg'], 'x\n']);

  const container = new Terminal();
  openConsole(container, false).write('x');
  t.same([container.opened, container.text], [['/proc/self/fd/2'], 'x\n'], 'not /dev/console');

  const socket = new Terminal();
  socket.missing = ['/proc/self/fd/2'];
  openConsole(socket, false).write('x');
  t.same([socket.opened, socket.text, socket.closed], [[], 'x\n', 0], 'descriptor 2 as it is');
});

const ACTIVE = '/sys/class/tty/console/active';

t.test('realConsole() on a machine is what the kernel chose last', async (t) => {
  const real = (nodes: Record<string, string>) => {
    const files = Object.entries(nodes).map(([path, text]) => [path, file(text)]);
    return realConsole(true, new World(Object.fromEntries(files)).files);
  };
  t.equal(real({ [ACTIVE]: 'tty0 ttyS0\n' }), '/dev/ttyS0');
  t.equal(real({ [ACTIVE]: 'ttyS0 tty0\n', '/sys/class/tty/tty0/active': 'tty2\n' }), '/dev/tty2');
  t.equal(real({ [ACTIVE]: 'tty0\n' }), '/dev/tty0');
  t.equal(real({ [ACTIVE]: '\n' }), null);
  t.equal(real({}), null);
});

t.test('realConsole() in a container is a pseudo-terminal or nothing', async (t) => {
  const real = (major: number, minor: number) =>
    realConsole(false, new World({ '/dev/console': device(major, minor, 0o620) }).files);
  t.equal(real(136, 0), '/dev/console');
  t.equal(real(143, 7), '/dev/console');
  t.equal(real(5, 1), null, 'that would be the console of the host');
  t.equal(realConsole(false, new World({ '/dev/console': file('') }).files), null);
  t.equal(realConsole(false, new World().files), null);
});

t.test('otherConsoles() are where somebody may sit besides the real one', async (t) => {
  const others = (texts: Record<string, string>, devices: readonly string[], named = ['']) => {
    const nodes = devices.map((name) => [`/dev/${name}`, device(4, 64, 0o600)] as const);
    const files = Object.entries(texts).map(([path, text]) => [path, file(text)] as const);
    return otherConsoles(true, named, new World(Object.fromEntries([...nodes, ...files])).files);
  };
  const ports = ['ttyS0', 'ttyS1', 'tty1', 'tty2'];
  const serial = { [ACTIVE]: 'ttyS0\n' };
  t.strictSame(others(serial, ports), []);
  t.strictSame(others(serial, ports, ['ttyS1', 'ttyS0']), ['/dev/ttyS1'], 'of console=');
  t.strictSame(others(serial, ports, ['ttyS7', 'netcon0']), [], 'devices only');
  const absent = { ...serial, '/sys/class/tty/ttyS1/type': '0\n' };
  t.strictSame(others(absent, ports, ['ttyS1']), [], 'no hardware behind it');
  const two = { [ACTIVE]: 'tty0 ttyS0\n', '/sys/class/tty/tty0/active': 'tty2\n' };
  t.strictSame(others(two, ports, ['tty0', 'ttyS0']), ['/dev/tty2'], 'the one in front');
  const screen = (name: string, bind: string) => ({
    ...serial,
    '/sys/class/vtconsole/vtcon0/name': '(S) dummy device\n',
    '/sys/class/vtconsole/vtcon0/bind': '1\n',
    '/sys/class/vtconsole/vtcon1/name': name,
    '/sys/class/vtconsole/vtcon1/bind': bind,
  });
  t.strictSame(others(screen('(M) frame buffer device\n', '1\n'), ports), ['/dev/tty1']);
  t.strictSame(others(screen('(M) frame buffer device\n', '0\n'), ports), [], 'not in use');
  t.strictSame(others(screen('(S) dummy device\n', '1\n'), ports), []);
  t.strictSame(otherConsoles(false, ['ttyS1'], new World().files), [], 'not in a container');
});
