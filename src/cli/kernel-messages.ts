/**
 * The last messages of the kernel, as /dev/kmsg has them. It takes none away.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { errorCode } from './failure.ts';

/** More than any record: CONSOLE_EXT_LOG_MAX of linux/printk.h and what belongs to a device. */
const RECORD_MAX = 8192;
/** A log that grows faster than it is read must come to an end. */
const RECORDS_MAX = 100_000;

/**
 * At most `count` lines, each with its seconds since the boot in front.
 * @throws {Error} with `code`: there is no such file, or it may not be read.
 */
export function kernelMessages(count: number): readonly string[] {
  const fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(RECORD_MAX);
  const lines: string[] = [];
  try {
    for (let i = 0; i < RECORDS_MAX; i++) {
      const bytes = readRecord(fd, buffer);
      if (bytes === null) break;
      if (bytes > 0) lines.push(lineOf(buffer.toString('utf8', 0, bytes)));
      if (lines.length > 2 * count) lines.splice(0, lines.length - count);
    }
  } finally {
    closeSync(fd);
  }
  return lines.slice(-count);
}

/** How many bytes a record has; 0 when it was overwritten meanwhile; null when there is no more. */
function readRecord(fd: number, buffer: Buffer): number | null {
  try {
    return readSync(fd, buffer) || null;
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return null;
    if (errorCode(error) === 'EPIPE') return 0;
    throw error;
  }
}

/** `PRIORITY,SEQUENCE,MICROSECONDS,-;TEXT`, and lines of a device (Documentation/ABI/dev-kmsg). */
function lineOf(record: string): string {
  const [head = '', text = ''] = (record.split('\n', 1)[0] ?? '').split(/;(.*)/s);
  const seconds = Number(head.split(',')[2] ?? 0) / 1e6;
  return `[${seconds.toFixed(6).padStart(12)}] ${text}`;
}
