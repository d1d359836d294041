/**
 * Verbs that make nodes in the filesystem and files in memory. What is made where, and why, is the
 * caller's.
 */
import type { Fd } from '../core/units.ts';
import { S_IF } from './constants.ts';
import { close, writeAll } from './descriptors.ts';
import { check, type Libc, orUndo } from './libc.ts';
import { memory } from './memory.ts';

/**
 * mknod(2): a device node. `mode` is permission bits, taken through the umask.
 * @throws {SysError} `EEXIST`; `EPERM` without CAP_MKNOD.
 */
export function mknod(
  libc: Libc,
  path: string,
  kind: 'block' | 'char',
  mode: number,
  major: number,
  minor: number,
): void {
  const device = deviceNumber(major, minor);
  check(libc, `make the device ${path}`, 'mknod', path, S_IF[kind] | mode, device);
}

/** mkfifo(3). `mode` is permission bits, taken through the umask. @throws {SysError} `EEXIST`. */
export function mkfifo(libc: Libc, path: string, mode: number): void {
  check(libc, `make the FIFO ${path}`, 'mkfifo', path, mode);
}

/** umask(2): sets the mask of the whole process and gives the one before. */
export function umask(libc: Libc, mode: number): number {
  return libc.call('umask', mode);
}

/** memfd_create(2): an empty file in memory that can be written and appended to. Close-on-exec. */
export function scratch(libc: Libc, name: string): Fd {
  return check(libc, `make the file in memory ${name}`, 'memfd_create', name, MFD_CLOEXEC) as Fd;
}

/**
 * memfd_create(2): a file in memory that holds `bytes` and can never change again. Close-on-exec.
 * @param name Shown in /proc only, at most 249 bytes.
 */
export function memfd(libc: Libc, name: string, bytes: Uint8Array): Fd {
  const what = `keep ${name} in memory`;
  const fd = check(libc, what, 'memfd_create', name, MFD_CLOEXEC | MFD_ALLOW_SEALING) as Fd;
  return orUndo(
    () => {
      writeAll(libc, fd, bytes);
      check(libc, what, 'fcntl', fd, F_ADD_SEALS, SEALS);
      return fd;
    },
    () => close(libc, fd),
  );
}

/**
 * The content of a file from its beginning, wherever its offset stands. More than `bytesMax` is cut
 * off there: the content must tell its own length.
 */
export function memfdRead(libc: Libc, fd: Fd, bytesMax: number): Uint8Array {
  let content = memory(Math.min(bytesMax, FIRST_READ_BYTES));
  let length = 0;
  for (;;) {
    const free = content.subarray(length);
    const args = [fd, free, free.length, length] as const;
    const read = check(libc, `read descriptor ${fd}`, 'pread', ...args);
    length += read;
    if (read === 0 || length === bytesMax) return content.subarray(0, length);
    if (length === content.length) content = grown(content, bytesMax);
  }
}

/** linux/memfd.h and linux/fcntl.h: F_SEAL_SEAL, SHRINK, GROW and WRITE together. */
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const SEALS = 0x1 | 0x2 | 0x4 | 0x8;

const FIRST_READ_BYTES = 256 * 1024;

/** gnu_dev_makedev of sys/sysmacros.h: the low halves in the low word, the rest above. */
function deviceNumber(major: number, minor: number): number {
  const low = (((minor & 0xfff00) << 12) | ((major & 0xfff) << 8) | (minor & 0xff)) >>> 0;
  return low + Math.floor(major / 0x1000) * 2 ** 44;
}

function grown(content: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> {
  const larger = memory(Math.min(bytesMax, content.length * 2));
  larger.set(content);
  return larger;
}
