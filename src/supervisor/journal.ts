/**
 * What PID 1 itself has to say: structured lines into its own FIFO, where svlog finds them, and
 * words for people on the console. Neither may ever block or fail it.
 */
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

export type Journal = {
  readonly info: (text: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly warn: (text: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly error: (text: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** The lines of `act` are written together: who reads them is woken once. */
  readonly together: (act: () => void) => void;
};

/** Pieces kept while the FIFO has no room, oldest first; what is more is counted. */
const HELD_MAX = 200;

/** Bytes that are written at once: so many go in whole or not at all (pipe(7), PIPE_BUF). */
const PIECE_BYTES_MAX = 4096;

/** Keeps a line below PIPE_BUF, so that it is written whole or not at all. */
const TEXT_CHARS_MAX = 1000;

/** Numbers and keys of pino's lines, a form that log tools know; svctl makes sentences of them. */
const LEVELS = { info: 30, warn: 40, error: 50 } as const;

/** A journal that writes to `fd`, a non-blocking FIFO, and remembers what found no room. */
export function openJournal(kernel: Kernel, fd: Fd | null): Journal {
  const held: string[] = [];
  let dropped = 0;
  /** Null: each line goes out by itself. */
  let piece: string | null = null;
  const encoder = new TextEncoder();

  const put = (line: string): boolean => {
    if (fd === null) return false;
    try {
      return kernel.write(fd, encoder.encode(line)) !== null;
    } catch {
      return false;
    }
  };
  const flush = (): void => {
    while (held.length > 0 && put(held[0] ?? '')) held.shift();
    if (held.length === 0 && dropped > 0) {
      if (put(lineOf('warn', `${dropped} lines dropped`))) dropped = 0;
    }
  };
  const write = (lines: string): void => {
    if (lines === '') return;
    flush();
    if (held.length === 0 && put(lines)) return;
    if (held.length < HELD_MAX) held.push(lines);
    else dropped += lines.split('\n').length - 1;
  };
  const say = (line: string): void => {
    if (piece === null) return write(line);
    const bytes = Buffer.byteLength(piece) + Buffer.byteLength(line);
    if (bytes <= PIECE_BYTES_MAX) piece += line;
    else {
      write(piece);
      piece = line;
    }
  };
  const together = (act: () => void): void => {
    if (piece !== null) return act();
    piece = '';
    try {
      act();
    } finally {
      write(piece);
      piece = null;
    }
  };

  return {
    info: (text, fields) => say(lineOf('info', text, fields)),
    warn: (text, fields) => say(lineOf('warn', text, fields)),
    error: (text, fields) => say(lineOf('error', text, fields)),
    together,
  };
}

function lineOf(
  level: keyof typeof LEVELS,
  text: string,
  fields: Readonly<Record<string, unknown>> = {},
): string {
  const msg = text.slice(0, TEXT_CHARS_MAX);
  return `${JSON.stringify({ level: LEVELS[level], time: Date.now(), ...fields, msg })}\n`;
}
