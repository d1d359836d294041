/**
 * Verbs on terminals: a pseudo-terminal, its size, its mode, who is in its foreground (pty(7),
 * ioctl_tty(2), termios(3)). All of them go through ioctl(2). What is on a terminal is the
 * caller's.
 */
import type { Fd, Pid } from '../core/units.ts';
import { O } from './constants.ts';
import { close, open } from './descriptors.ts';
import { check, checkUnless, type Libc, orUndo } from './libc.ts';
import { memory, viewOf } from './memory.ts';

export type Pty = {
  /** What is written here is typed, what is read here was printed. Nonblocking. */
  readonly master: Fd;
  /** The terminal itself, `/dev/pts/3`. */
  readonly path: string;
};

/** How a terminal treats what passes through it, as the kernel has it. */
export type TerminalMode = Uint8Array;

/** The verbs, bound to one C library. */
export interface TerminalKernel {
  openPty(): Pty;
  setWindowSize(fd: Fd, size: { readonly rows: number; readonly columns: number }): void;
  /** The process group in the foreground of the terminal; null when there is none. */
  foregroundGroup(fd: Fd): Pid | null;
  /** Output that was stopped (Ctrl-S) goes on. */
  startOutput(fd: Fd): void;
  terminalMode(fd: Fd): TerminalMode;
  setTerminalMode(fd: Fd, mode: TerminalMode): void;
}

export function openTerminals(libc: Libc): TerminalKernel {
  return {
    openPty: () => openPty(libc),
    setWindowSize: (fd, size) => setWindowSize(libc, fd, size),
    foregroundGroup: (fd) => foregroundGroup(libc, fd),
    startOutput: (fd) => startOutput(libc, fd),
    terminalMode: (fd) => terminalMode(libc, fd),
    setTerminalMode: (fd, mode) => setTerminalMode(libc, fd, mode),
  };
}

/**
 * A new pseudo-terminal (pts(4)), unlocked; whoever opens `path` first as leader of a session
 * without one has it as controlling terminal.
 * @throws {SysError} `ENOENT`, `EACCES` without devpts, `ENOSPC` when there are too many.
 */
export function openPty(libc: Libc): Pty {
  const what = 'make a pseudo-terminal';
  const master = open(libc, '/dev/ptmx', O.RDWR | O.NOCTTY | O.NONBLOCK);
  return orUndo(
    () => {
      const value = memory(4);
      check(libc, what, 'ioctl', master, TIOCSPTLCK, value);
      check(libc, what, 'ioctl', master, TIOCGPTN, value);
      return { master, path: `/dev/pts/${viewOf(value).getUint32(0, true)}` };
    },
    () => close(libc, master),
  );
}

/** TIOCSWINSZ: its foreground hears of it by SIGWINCH if it is another size than before. */
export function setWindowSize(
  libc: Libc,
  fd: Fd,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): void {
  const winsize = memory(8);
  viewOf(winsize).setUint16(0, rows, true);
  viewOf(winsize).setUint16(2, columns, true);
  check(libc, `set the size of terminal ${fd}`, 'ioctl', fd, TIOCSWINSZ, winsize);
}

/** TIOCGPGRP; of a master it is that of the terminal behind it. */
export function foregroundGroup(libc: Libc, fd: Fd): Pid | null {
  const value = memory(4);
  const what = `ask who is in the foreground of terminal ${fd}`;
  const answer = checkUnless(['ENOTTY', 'EIO'], libc, what, 'ioctl', fd, TIOCGPGRP, value);
  const group = answer === null ? 0 : viewOf(value).getInt32(0, true);
  return group > 0 ? (group as Pid) : null;
}

/**
 * TCXONC: as if somebody typed Ctrl-Q. It waits for nothing. The kernel starts only what was
 * stopped by the same call (n_tty_ioctl_helper of drivers/tty/tty_ioctl.c), so that comes first.
 */
export function startOutput(libc: Libc, fd: Fd): void {
  for (const action of [TCOOFF, TCOON]) {
    check(libc, `start the output of terminal ${fd}`, 'ioctl', fd, TCXONC, action);
  }
}

/** TCGETS. @throws {SysError} `ENOTTY` for what is no terminal. */
export function terminalMode(libc: Libc, fd: Fd): TerminalMode {
  const termios = memory(TERMIOS_BYTES);
  check(libc, `ask for the mode of terminal ${fd}`, 'ioctl', fd, TCGETS, termios);
  return termios;
}

/**
 * TCSETSW: what was written before is printed first. A process in the background would be stopped
 * by it (SIGTTOU).
 */
export function setTerminalMode(libc: Libc, fd: Fd, mode: TerminalMode): void {
  const termios = memory(TERMIOS_BYTES);
  termios.set(mode.subarray(0, TERMIOS_BYTES));
  check(libc, `set the mode of terminal ${fd}`, 'ioctl', fd, TCSETSW, termios);
}

/**
 * `mode` as cfmakeraw(3) makes it: every byte passes at once and unchanged, both ways. The
 * runtimes' own raw mode goes on translating newlines that are printed.
 */
export function rawMode(mode: TerminalMode): TerminalMode {
  const raw = mode.slice();
  const view = viewOf(raw);
  const clear = (at: number, flags: number): void =>
    view.setUint32(at, view.getUint32(at, true) & ~flags, true);
  clear(0, INPUT);
  clear(4, OPOST);
  clear(8, CSIZE | PARENB);
  view.setUint32(8, view.getUint32(8, true) | CS8, true);
  clear(12, LOCAL);
  raw[CONTROLS_AT + VMIN] = 1;
  raw[CONTROLS_AT + VTIME] = 0;
  return raw;
}

/** asm-generic/ioctls.h: x86-64 and arm64 agree. */
const TCGETS = 0x5401;
const TCSETSW = 0x5403;
const TCXONC = 0x540a;
const TCOOFF = 0;
const TCOON = 1;
const TIOCGPGRP = 0x540f;
const TIOCSWINSZ = 0x5414;
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;

/**
 * struct termios of asm-generic/termbits.h: four words of flags, the line discipline, 19 control
 * characters.
 */
const TERMIOS_BYTES = 36;
const CONTROLS_AT = 17;
const VTIME = 5;
const VMIN = 6;
/** IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON. */
const INPUT = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400;
const OPOST = 0x1;
const CSIZE = 0x30;
const CS8 = 0x30;
const PARENB = 0x100;
/** ISIG, ICANON, ECHO, ECHONL, IEXTEN. */
const LOCAL = 0x1 | 0x2 | 0x8 | 0x40 | 0x8000;
