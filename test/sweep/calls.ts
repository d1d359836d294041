/**
 * What each C function does to the machine. Those that are not here do nothing and succeed, or are
 * answered by the fake of src/sys.
 */
import { basename } from 'node:path';
import type { Pid } from '../../src/core/units.ts';
import { answerFor, callsIn } from '../../src/sys/child.ts';
import { MAGIC } from '../../src/sys/constants.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { type Answer, BecameAnother } from '../../src/sys/fake.ts';
import type { CValue } from '../../src/sys/libc.ts';
import { getU64, viewOf } from '../../src/sys/memory.ts';
import { device } from '../boot-unit/world.ts';
import { newFile, type OpenFile } from './file.ts';
import type { Calls, Machine } from './machine.ts';

const no = (code: string): Answer => ({ errno: errnoNumber(code) });
const bytesOf = (value: CValue | undefined): Uint8Array => {
  if (value instanceof Uint8Array) return value;
  throw new TypeError('A call got no buffer where it fills or reads one');
};
const fileOf = (machine: Machine, fd: CValue | undefined): OpenFile | null =>
  machine.fds.get(Number(fd))?.file ?? null;

/** linux/fcntl.h */
const F_SETFD = 2;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const O_ASYNC = 0o20000;
/** sys/epoll.h */
const EPOLL_CTL_ADD = 1;
const EPOLL_EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
/** asm-generic/signal.h, linux/reboot.h */
const SIG_IGN = 1;
const SIGSEGV = 11;
const SIGIO = 29;
const ENDS: ReadonlyMap<number, string> = new Map([
  [0x01234567, 'restart'],
  [0x4321fedc, 'poweroff'],
]);
const MAPPED_AT = 0x7f0000000000;

export const CALLS: Calls = {
  getuid: (machine) => machine.uid,
  geteuid: (machine) => machine.uid,
  getpid: () => 1,
  clock_gettime: (machine, args) => {
    machine.memory.now = machine.now;
    return machine.memory.call('clock_gettime', ...args);
  },
  statfs: (_, [path, block]) => {
    viewOf(bytesOf(block)).setUint32(0, path === '/proc' ? MAGIC.proc : MAGIC.ramfs, true);
    return 0;
  },
  mknod: ({ world }, [path, mode, number]) => {
    if (world.nodes.has(String(path))) return no('EEXIST');
    const [major, minor] = [(Number(number) >> 8) & 0xfff, Number(number) & 0xff];
    world.nodes.set(String(path), device(major, minor, Number(mode) & 0o777));
    return 0;
  },
  mkfifo: (machine, [path]) => {
    if (machine.nodes.has(String(path))) return no('EEXIST');
    machine.nodes.set(String(path), 'fifo');
    return 0;
  },
  open: (machine, [path]) => {
    const text = String(path);
    if (text.startsWith('/run/') && !machine.nodes.has(text)) return no('ENOENT');
    return machine.put(newFile(`open ${text}`));
  },
  close: (machine, [fd]) => (machine.close(Number(fd)) ? 0 : no('EBADF')),
  pipe2: (machine, [ends]) => {
    const reader = newFile('pipe');
    const view = viewOf(bytesOf(ends));
    view.setInt32(0, machine.put(reader), true);
    view.setInt32(4, machine.put(newFile('pipe, write end', { reader })), true);
    return 0;
  },
  memfd_create: (machine, [name]) => machine.put(newFile(`memory ${name}`)),
  socket: (machine) => machine.put(newFile('socket')),
  bind: (machine, [fd, address]) => {
    const path = new TextDecoder().decode(bytesOf(address).subarray(2, -1));
    const descriptor = machine.fds.get(Number(fd));
    if (descriptor === undefined) return no('EBADF');
    if (machine.nodes.has(path)) return no('EADDRINUSE');
    machine.nodes.set(path, 'socket');
    const { cloexec } = descriptor;
    machine.put(newFile(`socket ${path}`), { fd: Number(fd), cloexec });
    return 0;
  },
  connect: () => no('ENOENT'),
  getsockopt: (machine, [, , , ucred]) => {
    viewOf(bytesOf(ucred)).setUint32(4, machine.uid, true);
    return 0;
  },
  dup3: (machine, [fd, to]) => {
    const file = fileOf(machine, fd);
    return file === null ? no('EBADF') : machine.put(file, { fd: Number(to), cloexec: false });
  },
  fcntl: (machine, [fd, command, value]) => {
    const descriptor = machine.fds.get(Number(fd));
    if (descriptor === undefined) return no('EBADF');
    if (command === F_DUPFD_CLOEXEC) return machine.put(descriptor.file, { from: Number(value) });
    if (command === F_SETFD) descriptor.cloexec = value !== 0;
    if (command === F_SETFL) descriptor.file.isAsync = (Number(value) & O_ASYNC) !== 0;
    return 0;
  },
  write: (machine, [fd, bytes]) => {
    const file = fileOf(machine, fd);
    if (file === null) return no('EBADF');
    const chunk = bytesOf(bytes).slice();
    if (file.label.startsWith('memory ')) file.chunks.push(chunk);
    else {
      const text = new TextDecoder().decode(chunk);
      if (file.hear !== null) file.hear(text);
      else machine.said.push(...text.trimEnd().split('\n'));
    }
    return chunk.length;
  },
  pread: (machine, [fd, buffer, length, offset]) => {
    const file = fileOf(machine, fd);
    if (file === null) return no('EBADF');
    const from = Number(offset);
    const part = Buffer.concat(file.chunks).subarray(from, from + Number(length));
    bytesOf(buffer).set(part);
    return part.length;
  },
  read: (machine, [fd, buffer]) => {
    const file = fileOf(machine, fd);
    if (file === null) return no('EBADF');
    const chunk = file.chunks.shift();
    if (chunk === undefined) return file.writers === 0 ? 0 : no('EAGAIN');
    bytesOf(buffer).set(chunk);
    return chunk.length;
  },
  epoll_create1: (machine) => machine.put(newFile('epoll')),
  epoll_ctl: (machine, [epfd, command, fd]) => {
    const set = fileOf(machine, epfd)?.watched;
    if (set === undefined || !machine.fds.has(Number(fd))) return no('EBADF');
    if (command !== EPOLL_CTL_ADD) return set.delete(Number(fd)) ? 0 : no('ENOENT');
    if (set.has(Number(fd))) return no('EEXIST');
    set.add(Number(fd));
    return 0;
  },
  epoll_wait: (machine, [epfd, block, max]) => {
    const set = fileOf(machine, epfd)?.watched;
    if (set === undefined) return no('EBADF');
    const isReadable = (fd: number): boolean => {
      const file = machine.fds.get(fd)?.file;
      return file !== undefined && (file.chunks.length > 0 || file.writers === 0);
    };
    const ready = [...set].filter(isReadable).slice(0, Number(max));
    const view = viewOf(bytesOf(block));
    for (const [i, fd] of ready.entries()) {
      view.setUint32(EPOLL_EVENT_BYTES * i, 1, true);
      view.setInt32(EPOLL_EVENT_BYTES * (i + 1) - 8, fd, true);
    }
    return ready.length;
  },
  kill: (machine, [pid, signal]) =>
    machine.processes.signal(Number(pid), Number(signal)) ? 0 : no('ESRCH'),
  waitid: (machine, [, , info]) => {
    const child = machine.processes.zombie(-1);
    if (child === null) return machine.processes.all.size === 0 ? no('ECHILD') : 0;
    const view = viewOf(bytesOf(info));
    const signal = child.status & 0x7f;
    // siginfo_t of asm-generic/siginfo.h: CLD_EXITED or CLD_KILLED, pid, status.
    view.setInt32(8, signal === 0 ? 1 : 2, true);
    view.setInt32(16, child.pid, true);
    view.setInt32(24, signal === 0 ? child.status >> 8 : signal, true);
    return 0;
  },
  waitpid: (machine, [pid, status]) => {
    const child = machine.processes.zombie(Number(pid));
    if (child === null) return machine.processes.all.size === 0 ? no('ECHILD') : 0;
    machine.processes.all.delete(child.pid);
    viewOf(bytesOf(status)).setInt32(0, child.status, true);
    return child.pid;
  },
  bsearch: (machine, [list]) => {
    const { memory } = machine;
    const bytes = memory.memoryAt(Number(list));
    const calls = callsIn(bytes);
    const argsOf = (name: string): readonly number[] =>
      calls.find(({ call }) => call === name)?.args ?? [];
    const [path = 0, argv = 0] = argsOf('execve');
    const program = basename(memory.textAt(path));
    const [name = ''] = memory.vectorAt(argv);
    // `./run` in its own directory; anything else is a program of the system.
    const isOwn = name.startsWith('./');
    const [directory] = argsOf('chdir');
    const cwd = directory === undefined ? '' : memory.textAt(directory);
    const [, output] = calls.filter(({ call }) => call === 'open');
    const [source] = argsOf('dup3');
    const started = machine.processes.start({
      service: isOwn ? basename(cwd) : basename(name),
      program: isOwn ? name.slice(2) : name === 'svlog' ? 'run' : program,
      output: output === undefined ? '' : memory.textAt(output.args[1] ?? 0),
      notification: source === undefined ? null : fileOf(machine, source),
    });
    answerFor(bytes, Number(list), started as Pid);
    return 0;
  },
  execve: (machine, [, argv]) => {
    const refusal = machine.execRefusals.shift();
    if (refusal !== undefined) return no(refusal);
    machine.become(machine.memory.vectorAt(Number(argv)).slice(1));
    throw new BecameAnother('Became another image');
  },
  mmap: () => MAPPED_AT,
  memcpy: (machine, [, bytes]) => {
    // The vectors of the next image lie behind the handlers as texts: the first is for SIGILL.
    const texts = new TextDecoder('latin1').decode(bytesOf(bytes)).split('\0');
    const state = texts.find((text) => text.startsWith('--state='));
    machine.laidOut = ['--booted', state ?? ''];
    return MAPPED_AT;
  },
  sigaction: (machine, [signal, action]) => {
    const handler = getU64(viewOf(bytesOf(action)), 0);
    if (signal === SIGIO) machine.isSigioIgnored = handler === SIG_IGN;
    if (signal === SIGSEGV) machine.revival = handler > SIG_IGN ? machine.laidOut : null;
    return 0;
  },
  setitimer: (machine, [, value]) => {
    const seconds = getU64(viewOf(bytesOf(value)), 16);
    machine.alarmAt = seconds === 0 ? null : machine.now + seconds * 1000;
    return 0;
  },
  reboot: (machine, [command]) => {
    const end = ENDS.get(Number(command));
    if (end !== undefined) machine.ended = end;
    return 0;
  },
};
