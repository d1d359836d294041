/**
 * A log on a disk that can be full, and records that tell their number.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Fd } from '../../src/core/units.ts';
import type { Budget } from '../../src/log/backlog.ts';
import type { LogContext, LogFile } from '../../src/log/file.ts';
import { Stamper } from '../../src/log/stamp.ts';
import { SysError } from '../../src/sys/libc.ts';
import { recordsIn } from './parts.ts';

/** `room`: bytes the disk still takes; like a disk, it takes what fits and then says no. */
export type Disk = { room: number; errno: number; failing: string[]; problems: string[] };

export function fakeContext(
  budget: Budget = { left: Number.POSITIVE_INFINITY },
): LogContext & Disk {
  const disk = { room: Number.POSITIVE_INFINITY, errno: 28, failing: [], problems: [] } as Disk;
  const kernel = {
    open: (path: string, flags: number, mode?: number) => openSync(path, flags, mode) as Fd,
    close: (fd: Fd) => closeSync(fd),
    write: (fd: Fd, bytes: Uint8Array) => {
      if (bytes.length > 0 && disk.room <= 0) throw new SysError('write', disk.errno, 'write');
      const taken = writeSync(fd, bytes.subarray(0, Math.min(disk.room, bytes.length)));
      disk.room -= taken;
      return taken;
    },
  };
  return Object.assign(disk, {
    kernel,
    stamper: new Stamper(),
    budget,
    makeRoom: () => false,
    onFailing: (log: LogFile, why: string) => void disk.failing.push(`${log.name}: ${why}`),
    onProblem: (message: string) => void disk.problems.push(message),
  });
}

export const record = (text: string): Buffer =>
  Buffer.from(`2026-11-21T00:10:00.123456Z ${text}\n`);
export const numbered = (n: number, bytes = 100): Buffer =>
  record(`${n} ${'x'.repeat(bytes)}`.slice(0, bytes - 29));
export const texts = (stored: Buffer): string[] =>
  recordsIn(stored).map(({ kind, text }) => `${kind === 'remark' ? '!' : ''}${Buffer.from(text)}`);
export const numbers = (stored: Buffer): number[] =>
  texts(stored).map((text) => Number.parseInt(text, 10));
