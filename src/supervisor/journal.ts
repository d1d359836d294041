/**
 * What PID 1 itself has to say: structured lines into its own FIFO, where svlog finds them, and
 * words for people on the console. Neither may ever block or fail it.
 */
import pino from 'pino';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

export type Journal = {
  readonly info: (text: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly warn: (text: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly error: (text: string, fields?: Readonly<Record<string, unknown>>) => void;
};

/** Kept while the FIFO has no room, oldest first; what is more is counted. */
const HELD_LINES_MAX = 200;

/** Keeps a line below PIPE_BUF, so that it is written whole or not at all. */
const TEXT_CHARS_MAX = 1000;

/** A journal that writes to `fd`, a non-blocking FIFO, and remembers what found no room. */
export function openJournal(kernel: Kernel, fd: Fd | null): Journal {
  const held: string[] = [];
  let dropped = 0;
  const encoder = new TextEncoder();

  const put = (line: string): boolean => {
    if (fd === null) return false;
    try {
      // Lines up to PIPE_BUF (4096 bytes, pipe(7)) are written whole or not at all.
      return kernel.write(fd, encoder.encode(line)) !== null;
    } catch {
      return false;
    }
  };
  const flush = (): void => {
    while (held.length > 0 && put(held[0] ?? '')) held.shift();
    if (held.length === 0 && dropped > 0) {
      const note = { level: 40, time: Date.now(), msg: `${dropped} lines dropped` };
      if (put(`${JSON.stringify(note)}\n`)) dropped = 0;
    }
  };
  const write = (line: string): void => {
    flush();
    if (held.length === 0 && put(line)) return;
    if (held.length < HELD_LINES_MAX) held.push(line);
    else dropped += 1;
  };

  const logger = pino({ base: null, errorKey: 'error' }, { write });
  return {
    info: (text, fields = {}) => logger.info(fields, text.slice(0, TEXT_CHARS_MAX)),
    warn: (text, fields = {}) => logger.warn(fields, text.slice(0, TEXT_CHARS_MAX)),
    error: (text, fields = {}) => logger.error(fields, text.slice(0, TEXT_CHARS_MAX)),
  };
}
