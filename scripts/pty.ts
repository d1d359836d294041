/**
 * A pseudo-terminal whose slave is nobody's controlling terminal, so that a shell inside a
 * namespace can make it its own (pty(7), ioctl_tty(2)). No package needed: the system call is
 * reached by node:ffi.
 */

import { dlopen } from 'node:ffi';
import { closeSync, constants, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';

export type Pty = {
  /** What is written here is typed; what is read here was printed. */
  readonly master: ReadStream;
  /** To hand to a child as its standard descriptors, then to close. */
  readonly slaveFd: number;
  /** Path of the slave, `/dev/pts/3`. */
  readonly path: string;
  resize(columns: number, rows: number): void;
};

/** Requests of asm-generic/ioctls.h. */
const TIOCGPTN = 0x80045430n;
const TIOCSPTLCK = 0x40045431n;
const TIOCSWINSZ = 0x5414n;

const libc = dlopen('libc.so.6', {
  ioctl: { arguments: ['i32', 'u64', 'buffer'], return: 'i32' },
}).functions;

/** @throws {Error} when the system has no pseudo-terminal left. */
export function openPty(): Pty {
  const flags = constants.O_RDWR | constants.O_NOCTTY;
  const masterFd = openSync('/dev/ptmx', flags);
  ioctl(masterFd, TIOCSPTLCK, Buffer.alloc(4));
  const number = Buffer.alloc(4);
  ioctl(masterFd, TIOCGPTN, number);
  const path = `/dev/pts/${number.readInt32LE()}`;
  return {
    master: new ReadStream(masterFd),
    slaveFd: openSync(path, flags),
    path,
    resize: (columns, rows) => {
      const size = Buffer.alloc(8);
      size.writeUInt16LE(rows, 0);
      size.writeUInt16LE(columns, 2);
      ioctl(masterFd, TIOCSWINSZ, size);
    },
  };
}

/** The child has its own copies by now. */
export function releaseSlave(pty: Pty): void {
  closeSync(pty.slaveFd);
}

function ioctl(fd: number, request: bigint, argument: Buffer): void {
  if (libc.ioctl(fd, request, argument) !== 0)
    throw new Error('Cannot make a pseudo-terminal: ioctl failed');
}
