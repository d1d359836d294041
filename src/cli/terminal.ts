/**
 * Where svctl writes and how: to descriptors 1 and 2, at once and whole, in colour and with
 * pictures only where these can be shown. It knows no services.
 *
 * Glyphs are ASCII unless the locale says UTF-8 (LC_ALL, LC_CTYPE, LANG in this order), and always
 * when TERM is `dumb` or `linux`: serial consoles and the kernel's own font do not have the others.
 * Colour needs a terminal, and NO_COLOR (https://no-color.org) and TERM=dumb are honoured.
 */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { EXIT, errorCode, Failure } from './failure.ts';

export type Style = {
  /** The width to fit into; null: not a terminal, so everything is shown. */
  readonly columns: number | null;
  readonly colour: boolean;
  readonly unicode: boolean;
};

/** The part of the process that svctl touches, so that tests can hand in another. */
export type World = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** The terminal's own width; null when unknown. */
  readonly columns: () => number | null;
  /** @throws {OutputClosed} when nobody reads any more, Failure when it cannot be written. */
  readonly write: (descriptor: 1 | 2, text: string | Uint8Array) => void;
  readonly readStdin: () => Promise<string>;
  /** Absent: this terminal stays as it is. */
  readonly terminal?: {
    /** Every byte typed passes at once, every byte printed unchanged; gives what undoes it. */
    readonly raw: () => () => void;
  };
};

/** The reader of our output went away (`svctl ls | head`): not an error. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** How long to sleep when a non-blocking descriptor is full, in milliseconds. */
const FULL_SLEEP_MS = 5;

/** This process. */
export function openWorld(): World {
  const stdoutIsTerminal = isatty(1);
  return {
    env: process.env,
    stdoutIsTerminal,
    stderrIsTerminal: isatty(2),
    columns: () => (stdoutIsTerminal ? process.stdout.columns || null : null),
    write: writeAll,
    readStdin: async () => {
      const { text } = await import('node:stream/consumers');
      return text(process.stdin);
    },
  };
}

export function styleOf(world: World, noColor: boolean): Style {
  const { env, stdoutIsTerminal } = world;
  const term = env['TERM'] ?? '';
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return {
    columns: stdoutIsTerminal ? widthOf(world) : null,
    colour: stdoutIsTerminal && !noColor && !env['NO_COLOR'] && term !== 'dumb',
    unicode: /utf-?8/i.test(locale) && term !== 'dumb' && term !== 'linux',
  };
}

function widthOf({ env, columns }: World): number | null {
  const wished = Number(env['COLUMNS']);
  return Number.isInteger(wished) && wished > 0 ? wished : columns();
}

/** Writes all of `text`, whether the descriptor blocks or not. */
function writeAll(descriptor: 1 | 2, text: string | Uint8Array): void {
  let rest: Uint8Array = typeof text === 'string' ? Buffer.from(text) : text;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EPIPE') throw new OutputClosed('Nobody reads the output');
      if (code !== 'EAGAIN') throw cannotWrite(descriptor, code ?? String(error));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_SLEEP_MS);
    }
  }
}

function cannotWrite(descriptor: 1 | 2, code: string): Failure {
  const stream = descriptor === 1 ? 'stdout' : 'stderr';
  return new Failure(EXIT.failed, `Cannot write to ${stream}: write failed with ${code}`);
}
