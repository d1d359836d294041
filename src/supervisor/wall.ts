/**
 * Tells everybody at a terminal something. There is no record of who is logged in (utmp), so the
 * terminals are asked for by what is there: pseudo-terminals, and those that services run on.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, writeSync } from 'node:fs';

export type WallPorts = {
  /** A line on the console. */
  readonly say: (line: string) => void;
  /** Terminals that services run on, besides the console. */
  readonly terminals: () => readonly string[];
  readonly warn: (text: string) => void;
};

/** Where the pseudo-terminals of this mount namespace are (pts(4)). */
const PTS = '/dev/pts';
/** Terminals that are told; more are not people. */
const TERMINALS_MAX = 1000;

/**
 * Writes `text` to all; who does not read does not get it, and holds nobody.
 * @param folder where pseudo-terminals are.
 */
export function wall(ports: WallPorts, text: string, folder: string = PTS): void {
  ports.say(text);
  // A terminal may be in raw mode: the line needs both its ends.
  const line = Buffer.from(`\r\n${text}\r\n`);
  const paths = [...ports.terminals(), ...pseudoTerminals(folder)];
  for (const path of new Set(paths.slice(0, TERMINALS_MAX))) {
    try {
      writeTo(path, line);
    } catch (error) {
      // Nobody holds its other end any more, or its reader has stopped it.
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code !== 'EIO' && code !== 'EAGAIN' && code !== 'ENOENT') {
        ports.warn(`Cannot write to ${path}: ${String(code ?? error)}`);
      }
    }
  }
}

function pseudoTerminals(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /^[0-9]+$/.test(name));
    return names.map((name) => `${folder}/${name}`);
  } catch {
    return [];
  }
}

/** Never waits: neither for a carrier, nor for a reader; and it gets no controlling terminal. */
const FLAGS: number =
  constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW;

function writeTo(path: string, line: Uint8Array): void {
  const fd = openSync(path, FLAGS);
  try {
    if (fstatSync(fd).isCharacterDevice()) writeSync(fd, line);
  } finally {
    closeSync(fd);
  }
}
