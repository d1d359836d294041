/**
 * Verbs on the machine as a whole: its clock, its name, its loopback, its drivers, and its end.
 */
import type { Fd, Millis } from '../core/units.ts';
import { O } from './constants.ts';
import { close } from './descriptors.ts';
import { errnoNumber } from './errno.ts';
import { check, checkUnless, type Libc, SysError } from './libc.ts';
import { cString, getU64, memory, viewOf } from './memory.ts';

export type RebootKind = 'halt' | 'kexec' | 'poweroff' | 'restart';

/**
 * CLOCK_MONOTONIC: milliseconds since some moment at boot, with fractions. Never goes back, is not
 * set by anyone, and goes on across `execve`. It stands still while the machine is suspended.
 *
 * Every Linux has it; should it be refused all the same, the last reading stands: an error here
 * would be one in whatever has to be done on time.
 */
export function monotonic(libc: Libc): Millis {
  libc.call('clock_gettime', CLOCK_MONOTONIC, timespec);
  return (getU64(timespecView, 0) * 1e3 + getU64(timespecView, 8) / 1e6) as Millis;
}

/**
 * reboot(2): ends the machine at once, without sync; in a pid namespace of its own it only ends the
 * namespace. Returns when the kernel has nothing to do it with (halt without a console).
 * @throws {SysError} `EPERM` without CAP_SYS_BOOT; `EINVAL` for kexec with nothing loaded.
 */
export function reboot(libc: Libc, kind: RebootKind): void {
  check(libc, `${kind} the machine`, 'reboot', RB[kind]);
}

/**
 * Ctrl-Alt-Del: true restarts at once (the kernel's default), false sends SIGINT to PID 1.
 * @throws {SysError} `EINVAL` in a pid namespace of its own, which has no such keys; `EPERM`.
 */
export function setCtrlAltDel(libc: Libc, enabled: boolean): void {
  check(libc, 'set Ctrl-Alt-Del', 'reboot', enabled ? RB_ENABLE_CAD : RB_DISABLE_CAD);
}

/** sync(2): waits until everything is on disk. It may take for ever: not for PID 1 itself. */
export function sync(libc: Libc): void {
  libc.call('sync');
}

/** sethostname(2). @throws {SysError} `EINVAL` above 64 bytes. */
export function sethostname(libc: Libc, name: string): void {
  const text = cString(name);
  check(libc, `name the machine ${name}`, 'sethostname', text, text.length - 1);
}

/** Brings a network interface up (IFF_UP), as for `lo`. @throws {SysError} `ENODEV`. */
export function interfaceUp(libc: Libc, name: string): void {
  const what = `bring ${name} up`;
  const label = cString(name);
  if (label.length > IFR_FLAGS_AT) throw new SysError('ioctl', errnoNumber('ENODEV'), what);
  const fd = check(libc, what, 'socket', AF_INET, SOCK_DGRAM | O.CLOEXEC, 0) as Fd;
  try {
    const ifreq = memory(IFREQ_BYTES);
    ifreq.set(label);
    check(libc, what, 'ioctl', fd, SIOCGIFFLAGS, ifreq);
    const view = viewOf(ifreq);
    view.setUint16(IFR_FLAGS_AT, view.getUint16(IFR_FLAGS_AT, true) | IFF_UP, true);
    check(libc, what, 'ioctl', fd, SIOCSIFFLAGS, ifreq);
  } finally {
    close(libc, fd);
  }
}

/**
 * finit_module(2): makes the file behind `fd` part of the kernel, and waits until its start is
 * over.
 * @param what Names it in errors.
 * @param options Its parameters as one text: `a=1 b="x y"`.
 * @param compressed The file is for the kernel to decompress (Linux 5.17,
 * CONFIG_MODULE_DECOMPRESS).
 * @returns False when a module of that name is there already.
 * @throws {SysError} `EPERM` without CAP_SYS_MODULE or where the kernel refuses this module;
 * `ENOENT` when a symbol is missing; `ENOEXEC` for another kernel's; `ENODEV` and what else a
 * module may say when it finds nothing to do.
 */
export function loadModule(
  libc: Libc,
  fd: Fd,
  what: string,
  options: string,
  compressed: boolean,
): boolean {
  const flags = compressed ? MODULE_INIT_COMPRESSED_FILE : 0;
  const act = `load module ${what} by finit_module`;
  const args = [SYS_FINIT_MODULE, fd, options, flags, null, 0] as const;
  return checkUnless(['EEXIST'], libc, act, 'syscall', ...args) === 0;
}

/**
 * kexec_file_load(2): keeps a kernel in memory that `reboot` can start.
 * @param initrd Null: it gets none.
 * @param commandLine What it reads as its own.
 * @throws {SysError} `EPERM` without CAP_SYS_BOOT or where it was switched off, `ENOEXEC` for what
 * is no kernel, `EKEYREJECTED` where only signed ones are taken, `ENOSYS`.
 */
export function loadKernel(libc: Libc, kernel: Fd, initrd: Fd | null, commandLine: string): void {
  const text = cString(commandLine);
  const flags = initrd === null ? KEXEC_FILE_NO_INITRAMFS : 0;
  const args = [SYS_KEXEC_FILE_LOAD, kernel, initrd ?? 0, text.length, commandLine, flags] as const;
  check(libc, 'load the kernel by kexec_file_load', 'syscall', ...args);
}

/** kexec_file_load(2): forgets the kernel that was loaded. @throws {SysError} as `loadKernel`. */
export function unloadKernel(libc: Libc): void {
  const args = [SYS_KEXEC_FILE_LOAD, 0, 0, 0, null, KEXEC_FILE_UNLOAD] as const;
  check(libc, 'unload the kernel by kexec_file_load', 'syscall', ...args);
}

/** asm/unistd_64.h of x86-64, asm-generic/unistd.h for arm64; linux/module.h. */
const SYS_FINIT_MODULE = process.arch === 'arm64' ? 273 : 313;
const MODULE_INIT_COMPRESSED_FILE = 4;
/** The same two, and linux/kexec.h. */
const SYS_KEXEC_FILE_LOAD = process.arch === 'arm64' ? 294 : 320;
const KEXEC_FILE_UNLOAD = 1;
const KEXEC_FILE_NO_INITRAMFS = 4;

/** linux/time.h; struct timespec is two words. */
const CLOCK_MONOTONIC = 1;
const timespec = memory(16);
const timespecView = viewOf(timespec);

/** RB_* of sys/reboot.h, as the signed number the function takes. */
const RB: Readonly<Record<RebootKind, number>> = {
  restart: 0x01234567,
  halt: 0xcdef0123 | 0,
  poweroff: 0x4321fedc,
  kexec: 0x45584543,
};
const RB_ENABLE_CAD: number = 0x89abcdef | 0;
const RB_DISABLE_CAD = 0;

/** bits/socket.h, linux/if.h, linux/sockios.h. */
const AF_INET = 2;
const SOCK_DGRAM = 2;
const IFREQ_BYTES = 40;
const IFR_FLAGS_AT = 16;
const IFF_UP = 1;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
