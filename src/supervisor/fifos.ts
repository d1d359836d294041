/**
 * One FIFO a service for what it prints, and one for what it reads, if it is the logger of another
 * or a consumer. PID 1 holds every one open for reading and writing, for ever: neither side ever
 * sees end-of-file or EPIPE, and what is in the pipe survives the death of either, and a re-exec.
 *
 * The FIFO of what `foo` prints has the name `foo`, that of what it reads `<foo`.
 */
import { chownSync, constants, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { fileNameOf, nameOfFile } from '../core/names.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { letGo } from './let-go.ts';
import type { Paths } from './paths.ts';

/** Where the FIFOs are: those for the logger, and those it has nothing to do with. */
export type FifoPlaces = Pick<Paths, 'fifos' | 'pipes'>;

const INPUT = '<';

/** The name of the FIFO that `reader` reads. */
export const inputOf = (reader: string): string => `${INPUT}${reader}`;

/** Who reads the FIFO `name`; null: svlog does. */
export const readerOf = (name: string): string | null =>
  name.startsWith(INPUT) ? name.slice(INPUT.length) : null;

/** The name of the FIFO at `path`; null when none of ours is there. */
export function fifoAt({ fifos, pipes }: FifoPlaces, path: string): string | null {
  if (path.startsWith(`${fifos}/`)) return nameOfFile(path.slice(fifos.length + 1));
  if (path.startsWith(`${pipes}/`)) return inputOf(nameOfFile(path.slice(pipes.length + 1)));
  return null;
}

export class Fifos {
  readonly #kernel: Kernel;
  readonly places: FifoPlaces;
  readonly #held = new Map<string, Fd>();
  /** Those that are known to be this user's. */
  readonly #own = new Set<string>();

  /** Hears of each descriptor that is held, and with null of one that is not any more. */
  readonly #note: (name: string, fd: Fd | null) => void;

  constructor(kernel: Kernel, places: FifoPlaces, note: (name: string, fd: Fd | null) => void) {
    this.#kernel = kernel;
    this.places = places;
    this.#note = note;
  }

  pathOf(name: string): string {
    const reader = readerOf(name);
    const { fifos, pipes } = this.places;
    return reader === null ? `${fifos}/${fileNameOf(name)}` : `${pipes}/${fileNameOf(reader)}`;
  }

  /** Makes and holds the FIFO of `name` on first use. */
  hold(name: string): Fd {
    const known = this.#held.get(name);
    if (known !== undefined) return known;
    const path = this.pathOf(name);
    if (readerOf(name) !== null) mkdirSync(this.places.pipes, { recursive: true, mode: 0o700 });
    this.#make(name, path);
    const fd = this.#kernel.open(path, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      // Held over every exec, planned or not; children are started without it all the same.
      this.#kernel.setCloexec(fd, false);
    } catch (error) {
      letGo(this.#kernel, fd);
      throw error;
    }
    this.#held.set(name, fd);
    this.#note(name, fd);
    return fd;
  }

  /** As mkfifo(3) says of most: it is new. Whatever else is in its place is removed. */
  #make(name: string, path: string): void {
    try {
      this.#kernel.mkfifo(path, 0o600);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      if (isFifo(path)) return;
      this.#kernel.mkfifo(path, 0o600);
    }
    this.#own.add(name);
  }

  /** The chain is about to give it to the user of a service. */
  giveAway(name: string): void {
    this.#own.delete(name);
  }

  /** The chain gives it to the user of a service; it may have had one before. */
  takeBack(name: string): void {
    if (this.#own.has(name)) return;
    const path = this.pathOf(name);
    const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined && found.uid !== uid) chownSync(path, uid, gid);
    this.#own.add(name);
  }

  /** Descriptors by name, for the next image. */
  held(): ReadonlyMap<string, Fd> {
    return this.#held;
  }

  /**
   * Takes over what the image before held; what turns out not to be there is opened anew.
   * @throws {SysError} when neither can be done: the service's next start tries again.
   */
  adopt(name: string, fd: Fd): void {
    try {
      this.#kernel.setCloexec(fd, false);
      this.#held.set(name, fd);
    } catch {
      letGo(this.#kernel, fd);
      this.hold(name);
    }
  }

  /** The service is no longer defined and at rest. The logger drains what it has open. */
  release(name: string): void {
    const isHeld = this.loosen(name);
    const path = this.pathOf(name);
    if (isHeld || lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
  }

  /** Whoever reads it comes to its end once nobody else writes; whether it was held. */
  loosen(name: string): boolean {
    const fd = this.#held.get(name);
    if (fd === undefined) return false;
    this.#held.delete(name);
    this.#own.delete(name);
    this.#note(name, null);
    letGo(this.#kernel, fd);
    return true;
  }
}

/** Whatever else is in the place of a FIFO is removed: the directory is ours alone. */
function isFifo(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (found.isFIFO()) return true;
  unlinkSync(path);
  return false;
}
