/**
 * A bell that rings when something in the scan path has changed and then been quiet for a while.
 * It says neither what changed nor whether it matters: the truth is what the next scan reads.
 *
 * Only directories are watched (inotify(7)), all of them through one descriptor: a watch a file
 * would cost several times as many and not tell of a `chmod +x`. A package that watches trees was
 * measured at a third of PID 1's own memory with a thousand services.
 */
import { readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { eventsIn, IN, type InotifyEvent } from '../core/inotify.ts';
import { readingOf } from '../core/spec-known.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { wordsOf } from './let-go.ts';
import type { Watch } from './watch.ts';

export type BellPorts = {
  readonly kernel: Pick<Kernel, 'inotifyInit' | 'inotifyAdd' | 'read'>;
  readonly watch: Pick<Watch, 'add' | 'drop'>;
  /** Directories of service directories, of which any may not exist yet. */
  readonly roots: readonly string[];
  /** Called once nothing has happened for `quietMs`: who copies a directory is let finish. */
  readonly ring: () => void;
  /** A watch that cannot be had, once a reason: a change may go unseen until somebody scans. */
  readonly failed: (reason: string) => void;
  /** In milliseconds. */
  readonly quietMs?: number;
};

/** What is watched: a directory of a scan root, or one that a missing root will appear in. */
type Place = {
  readonly path: string;
  /** 0: a root, 1: a service directory, 2: a directory in one; null: above a missing root. */
  readonly depth: number | null;
};

export class Bell {
  readonly #ports: BellPorts;
  readonly #roots: readonly string[];
  readonly #places = new Map<number, Place>();
  readonly #told = new Set<string>();
  #fd: Fd | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(ports: BellPorts) {
    this.#ports = ports;
    this.#roots = ports.roots.map((root) => resolve(root));
  }

  /** Watches from now on; what cannot be watched is told and left out. */
  open(): void {
    const { kernel, watch } = this.#ports;
    try {
      const fd = kernel.inotifyInit();
      this.#fd = fd;
      watch.add(fd, () => this.#hear(fd));
    } catch (error) {
      return this.#tell(error);
    }
    for (const root of this.#roots) this.#hangRoot(root);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#fd !== null) this.#ports.watch.drop(this.#fd);
    this.#fd = null;
  }

  #hear(fd: Fd): void {
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (;;) {
      const count = this.#ports.kernel.read(fd, buffer);
      if (count === null || count === 0) return;
      for (const event of eventsIn(buffer.subarray(0, count))) this.#happened(event);
    }
  }

  #happened({ number, mask, name }: InotifyEvent): void {
    const place = this.#places.get(number);
    if ((mask & IN.IGNORED) !== 0) this.#places.delete(number);
    // Nobody knows what happened, and so what there is now to be watched.
    if ((mask & IN.Q_OVERFLOW) !== 0) return this.#rehang();
    if (place === undefined) return;
    const { path, depth } = place;
    const isGone = (mask & GONE) !== 0;
    if (depth === null ? isGone || this.#leadsOn(path, name) : depth === 0 && isGone) {
      // A root that was moved away is heard no more, wherever it is now.
      if (isGone) this.#places.delete(number);
      return this.#rehang();
    }
    if (depth === null || isGone || !matters(depth, name)) return;
    if ((mask & IN.ISDIR) !== 0 && (mask & APPEARED) !== 0)
      this.#hang(`${path}/${name}`, this.#depthOf(path, name, depth));
    this.#touch();
  }

  /** Whether a missing root may have come nearer. */
  #leadsOn(path: string, name: string): boolean {
    const inside = path === '/' ? `/${name}` : `${path}/${name}`;
    return this.#roots.some((root) => root === inside || root.startsWith(`${inside}/`));
  }

  /** A root has come, or gone: what stands above it is watched, or it. */
  #rehang(): void {
    for (const root of this.#roots) this.#hangRoot(root);
    this.#touch();
  }

  #hangRoot(root: string): void {
    if (this.#hang(root, 0)) return;
    for (let path = dirname(root); ; path = dirname(path)) {
      if (this.#add(path, null) || path === '/') break;
    }
    // It may have come between the two looks.
    this.#hang(root, 0);
  }

  /** Watches a directory and what matters in it; whether it is one. */
  #hang(path: string, depth: number): boolean {
    if (depth === 2 && !isRead(path.slice(path.lastIndexOf('/') + 1))) return true;
    if (!this.#add(path, depth)) return false;
    if (depth === 2) return true;
    try {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        if (entry.name.startsWith('.')) continue;
        // Behind a link there may be a definition as well.
        const mayHold = entry.isDirectory() || entry.isSymbolicLink();
        if (mayHold) this.#hang(`${path}/${entry.name}`, this.#depthOf(path, entry.name, depth));
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#tell(error);
    }
    return true;
  }

  /** What a logger is made of is a service directory again, but has no logger of its own. */
  #depthOf(path: string, name: string, depth: number): number {
    return name === LOG && depth === 1 && this.#roots.includes(dirname(path)) ? 1 : depth + 1;
  }

  #add(path: string, depth: number | null): boolean {
    if (this.#fd === null) return false;
    // A root may be above another one; what is heard as such is more.
    if (depth === null && this.#isHeard(path)) return true;
    try {
      const mask = depth === null ? ABOVE_MASK : MASK;
      this.#places.set(this.#ports.kernel.inotifyAdd(this.#fd, path, mask), { path, depth });
      return true;
    } catch (error) {
      if (!ABSENT.has(codeOf(error))) this.#tell(error);
      return false;
    }
  }

  #isHeard(path: string): boolean {
    return [...this.#places.values()].some((place) => place.path === path && place.depth !== null);
  }

  #touch(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#ports.ring();
    }, this.#ports.quietMs ?? QUIET_MS);
  }

  #tell(error: unknown): void {
    // The same for a thousand directories is one message.
    const reason = codeOf(error) || wordsOf(error);
    if (!this.#told.has(reason)) this.#ports.failed(wordsOf(error));
    this.#told.add(reason);
  }
}

/** Whether an event about `name` in a directory `depth` below a root can change a scan. */
export function matters(depth: number, name: string): boolean {
  if (name === '' || name.startsWith('.') || name.endsWith('~')) return false;
  return depth !== 1 || readingOf(name, false) !== null || readingOf(name, true) !== null;
}

/** Whether the scan reads what is in a directory of that name in a service directory. */
function isRead(name: string): boolean {
  const reading = readingOf(name, true);
  return reading !== null && reading !== 'mark';
}

/** s6-svscan(8), runsv(8). */
const LOG = 'log';
const QUIET_MS = 100;
/** Not a directory, or not there: a file, a link that leads nowhere, or gone meanwhile. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

const APPEARED: number = IN.CREATE | IN.MOVED_TO;
const GONE: number = IN.DELETE_SELF | IN.MOVE_SELF;
const MASK: number =
  IN.ONLYDIR | IN.MODIFY | IN.ATTRIB | APPEARED | IN.MOVED_FROM | IN.DELETE | GONE;
/** Of what is above a missing root only what brings it nearer, or takes that away. */
const ABOVE_MASK: number = IN.ONLYDIR | APPEARED | GONE;
/** Some hundred events at once; one has at most 16 + NAME_MAX + 1 bytes (inotify(7)). */
const BUFFER_BYTES = 16_384;
