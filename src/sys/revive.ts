/**
 * A way back from what kills a runtime. SIGSEGV and its like, and an alarm that nobody put off, get
 * a handler that is machine code in a page of its own: it loads path, argv and envp and calls
 * execve(2), so that a fresh image begins with the same pid, children and descriptors. No code of
 * the runtime runs any more, whatever state it is in. When the exec fails it is tried again after a
 * second, for ever: a PID 1 that waits is better than a kernel that panics.
 */
import { check, type Libc } from './libc.ts';
import { memory, putU64, viewOf } from './memory.ts';

export type Revival = {
  /** The programs that are tried, in this order. */
  readonly paths: readonly [string, ...string[]];
  /** The argument vector for a signal that ended this image: it should say which it was. */
  readonly argvFor: (signal: number) => readonly string[];
  readonly env: readonly string[];
  readonly signals: readonly number[];
};

/**
 * Installs the handlers. They run on a stack of their own in this thread, so that an exhausted
 * stack is survived too; in other threads on the stack that is there.
 * @throws {SysError} of mmap, mprotect, sigaltstack or sigaction; {TypeError} on another CPU.
 */
export function installRevival(libc: Libc, revival: Revival): void {
  const base = check(libc, 'map the page of the handlers', 'mmap', ...anonymous(REGION_BYTES));
  const region = layOut(revival, base);
  libc.call('memcpy', base, region.bytes, region.bytes.length);
  const access = PROT_READ | PROT_EXEC;
  // Written first, executable after: no page is ever both.
  check(libc, 'make the handlers executable', 'mprotect', base, CODE_BYTES, access);
  setAlternateStack(libc);
  for (const [signal, at] of region.handlers) setHandler(libc, signal, at);
}

/**
 * Puts off the alarm (setitimer(2), ITIMER_REAL): SIGALRM comes when this is not called again
 * within `withinMs`. 0 takes the alarm away. It goes on over an execve.
 */
export function putOffAlarm(libc: Libc, withinMs: number): void {
  const value = memory(ITIMERVAL_BYTES);
  const view = viewOf(value);
  const whole = Math.round(withinMs);
  putU64(view, 16, Math.floor(whole / 1000));
  putU64(view, 24, (whole % 1000) * 1000);
  check(libc, 'set the alarm', 'setitimer', ITIMER_REAL, value, null);
}

/** Reads one byte at `address`: where nothing is mapped a fault below the runtime. For tests. */
export function touch(libc: Libc, address: number): void {
  libc.call('memcpy', memory(8), address, 1);
}

/** asm-generic/mman-common.h. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
/** linux/time.h. */
const ITIMER_REAL = 0;
/** struct itimerval: interval and value, each seconds and microseconds of eight bytes. */
const ITIMERVAL_BYTES = 32;
/** struct sigaction of glibc, bits/sigaction.h: handler, mask, flags, restorer. */
const SIGACTION_BYTES = 152;
const SIGACTION_FLAGS_AT = 136;
/** asm-generic/signal-defs.h. */
const SA_ONSTACK = 0x08000000;
const SA_NODEFER = 0x40000000;
/** struct stack_t: address, flags, size. */
const STACK_T_BYTES = 24;
const STACK_BYTES = 65_536;
const CODE_BYTES = 4096;
/** Code, then vectors and texts: an environment of stage 0 and a few arguments are far smaller. */
const REGION_BYTES = 65_536;
/** Room for one handler; with two paths the longest has 144 bytes. */
const HANDLER_BYTES = 256;

function anonymous(bytes: number): [null, number, number, number, number, number] {
  return [null, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0];
}

type Region = {
  readonly bytes: Uint8Array;
  readonly handlers: readonly (readonly [signal: number, address: number])[];
};

function layOut(revival: Revival, base: number): Region {
  const bytes = memory(REGION_BYTES);
  const view = viewOf(bytes);
  let end = CODE_BYTES;
  const reserve = (length: number): number => {
    const at = Math.ceil(end / 8) * 8;
    end = at + length;
    if (end > REGION_BYTES) throw new TypeError('The arguments of the next image are too long');
    return at;
  };
  const known = new Map<string, number>();
  // What the vectors of all signals have in common is there once.
  const text = (value: string): number => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const encoded = new TextEncoder().encode(`${value}\0`);
    const at = reserve(encoded.length);
    bytes.set(encoded, at);
    known.set(value, base + at);
    return base + at;
  };
  const vector = (values: readonly string[]): number => {
    const addresses = values.map(text);
    const at = reserve(8 * (values.length + 1));
    for (const [i, address] of addresses.entries()) putU64(view, at + 8 * i, address);
    return base + at;
  };
  const paths = revival.paths.map(text);
  const envp = vector(revival.env);
  const pause = reserve(16);
  putU64(view, pause, 1);
  const handlers = revival.signals.map((signal, i): readonly [number, number] => {
    const argv = vector(revival.argvFor(signal));
    bytes.set(handlerCode(paths, argv, envp, base + pause), i * HANDLER_BYTES);
    return [signal, base + i * HANDLER_BYTES];
  });
  return { bytes, handlers };
}

/** execve(path, argv, envp) of each, and when all return: nanosleep(pause, NULL), and again. */
export function handlerCode(
  paths: readonly number[],
  argv: number,
  envp: number,
  pause: number,
): Uint8Array {
  switch (process.arch) {
    case 'x64':
      return x64Code(paths, argv, envp, pause);
    case 'arm64':
      return arm64Code(paths, argv, envp, pause);
    default:
      throw new TypeError(`There is no handler code for ${process.arch}`);
  }
}

/** asm/unistd_64.h of x86, asm-generic/unistd.h of arm64. */
const X64 = { execve: 59, nanosleep: 35 };
const ARM64 = { execve: 221, nanosleep: 101 };

/** Intel SDM vol. 2: mov r64, imm64 (REX.W B8+r), mov r32, imm32, xor, syscall, jmp rel8. */
function x64Code(paths: readonly number[], argv: number, envp: number, pause: number): Uint8Array {
  const [rdi, rsi, rdx] = [0xbf, 0xbe, 0xba];
  const load = (register: number, value: number): number[] => [0x48, register, ...u64(value)];
  const call = (number: number): number[] => [0xb8, ...u64(number).slice(0, 4), 0x0f, 0x05];
  const code = [
    ...load(rsi, argv),
    ...load(rdx, envp),
    ...paths.flatMap((path) => [...load(rdi, path), ...call(X64.execve)]),
    ...load(rdi, pause),
    ...[0x31, 0xf6],
    ...call(X64.nanosleep),
  ];
  return Uint8Array.from([...code, 0xeb, 256 - (code.length + 2)]);
}

/** Arm ARM C6: MOVZ and MOVK of 16 bits each, SVC #0, B. */
function arm64Code(
  paths: readonly number[],
  argv: number,
  envp: number,
  pause: number,
): Uint8Array {
  const load = (register: number, value: number): number[] =>
    [0xd2800000, 0xf2a00000, 0xf2c00000, 0xf2e00000].map((opcode, i) => {
      const part = Math.floor(value / 2 ** (16 * i)) % 65_536;
      return opcode + part * 32 + register;
    });
  const SVC = 0xd4000001;
  const words = [
    ...load(1, argv),
    ...load(2, envp),
    ...load(8, ARM64.execve),
    ...paths.flatMap((path) => [...load(0, path), SVC]),
    ...load(0, pause),
    ...load(1, 0),
    ...load(8, ARM64.nanosleep),
    SVC,
  ];
  const back = 0x14000000 + (0x4000000 - words.length);
  return Uint8Array.from([...words, back].flatMap((word) => u64(word).slice(0, 4)));
}

/** Little endian. Called a hundred times in a start, so without a buffer of its own each time. */
function u64(value: number): number[] {
  const [low, high] = [value % 2 ** 32, Math.floor(value / 2 ** 32)];
  return [
    ...[low & 255, (low >>> 8) & 255, (low >>> 16) & 255, low >>> 24],
    ...[high & 255, (high >>> 8) & 255, (high >>> 16) & 255, high >>> 24],
  ];
}

let stack: Uint8Array | null = null;

function setAlternateStack(libc: Libc): void {
  stack ??= memory(STACK_BYTES);
  const description = memory(STACK_T_BYTES);
  putU64(viewOf(description), 0, libc.address(stack));
  putU64(viewOf(description), 16, STACK_BYTES);
  check(libc, 'set the stack of the handlers', 'sigaltstack', description, null);
}

function setHandler(libc: Libc, signal: number, address: number): void {
  const action = memory(SIGACTION_BYTES);
  putU64(viewOf(action), 0, address);
  viewOf(action).setInt32(SIGACTION_FLAGS_AT, SA_ONSTACK | SA_NODEFER, true);
  check(libc, `handle signal ${signal}`, 'sigaction', signal, action, null);
}
