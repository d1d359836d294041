/**
 * The scan path becomes texts: which directories there are, and what is in their files. It decides
 * what may be read, not what it means: that is core/spec-files.ts.
 *
 * Synchronous on purpose: a scan is one event of the loop, a few calls a service, with no state
 * in between that another event could see.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loggedBy, loggerOf, nameProblem, printable } from '../core/names.ts';
import type { Dialect, DirectoryTexts, FoundFile, Problem } from '../core/spec.ts';
import { type Failed, type Place, readFiles, type ScanLimits, type Spot } from './scan-entries.ts';
import {
  type Entry,
  entriesOf,
  inside,
  trustedRealpath,
  Unreadable,
  withDirectory,
} from './scan-read.ts';

export type { ScanLimits } from './scan-entries.ts';
export type ScanRoot = { readonly path: string; readonly dialect: Dialect };

export type Scan = {
  readonly found: readonly DirectoryTexts[];
  readonly problems: readonly Problem[];
};

/**
 * The limits for a process of this user: root's files are read, and its own.
 * @param rootGroup Whether the group of root may write to them.
 */
export function scanLimits(uid: number, rootGroup = false): ScanLimits {
  return {
    servicesMax: 5000,
    entriesMax: 256,
    textMax: 64 * 1024,
    lineMax: 256,
    owners: Object.assign(new Set([0, uid]), rootGroup ? { rootGroup } : {}),
  };
}

/**
 * Reads every service directory of `roots`. Of two with the same name that of the earlier root
 * holds, even when it is refused: a broken override must not bring back what it overrides. A root
 * that does not exist is empty. It never throws; `problems` name what was not read and why.
 */
export function scanPath(roots: readonly ScanRoot[], limits: ScanLimits): Scan {
  const scan: Work = { found: [], problems: [], seen: new Set(), limits };
  for (const root of roots) {
    const path = resolve(root.path);
    if (!existsSync('/proc/self/fd')) {
      problem(scan, path, path, null, `Cannot read ${path}: /proc is not mounted`);
      continue;
    }
    try {
      scanRoot(scan, { ...root, path });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      // A name with a slash is no service's name: it cannot be taken for one.
      if (error.code !== 'ENOENT') problem(scan, path, path, null, error.message);
    }
  }
  return { found: scan.found, problems: scan.problems };
}

type Work = {
  readonly found: DirectoryTexts[];
  readonly problems: Problem[];
  readonly seen: Set<string>;
  readonly limits: ScanLimits;
};

function problem(
  scan: Work,
  name: string,
  directory: string,
  file: string | null,
  reason: string,
): void {
  scan.problems.push({ name, directory, file, line: null, reason });
}

function scanRoot(scan: Work, root: ScanRoot): void {
  const { owners, servicesMax } = scan.limits;
  const real = trustedRealpath(root.path, root.path, owners);
  withDirectory(real, root.path, owners, (fd) => {
    for (const entry of entriesOf(fd, root.path, servicesMax * 2)) {
      if (entry.kind !== 'directory' && entry.kind !== 'link') continue;
      const directory = `${root.path}/${printable(entry.name)}`;
      const wrong = nameProblem(entry.name);
      if (wrong !== null) {
        problem(scan, printable(entry.name), directory, null, wrong);
        continue;
      }
      if (scan.seen.has(entry.name)) continue;
      scan.seen.add(entry.name);
      if (scan.seen.size > servicesMax) {
        problem(scan, root.path, root.path, null, `more than ${servicesMax} services`);
        return;
      }
      scanService(scan, root, fd, real, entry);
    }
  });
}

function scanService(scan: Work, root: ScanRoot, fd: number, real: string, entry: Entry): void {
  const { name, kind } = entry;
  const spot = { name, directory: `${root.path}/${name}`, dialect: root.dialect };
  scanPlace(scan, spot, kind, () => {
    const { owners } = scan.limits;
    const linked = kind === 'link' ? trustedRealpath(`${real}/${name}`, name, owners) : null;
    return {
      ...spot,
      open: linked ?? inside(fd, name),
      realParent: linked === null ? real : resolve(linked, '..'),
    };
  });
}

function scanPlace(scan: Work, spot: Spot, kind: Entry['kind'], find: () => Place): void {
  const { name, directory } = spot;
  try {
    const place = find();
    const texts = readStable(scan, place);
    if (texts !== null) scan.found.push(texts);
    if (texts === null || texts.files.has('log/')) scanLogger(scan, place);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (kind === 'directory' && error.code === 'ENOENT') return;
    // A link to a file is like any other file beside the services: nobody's business here.
    if (kind === 'link' && error.code === 'ENOTDIR') return;
    problem(scan, name, directory, null, error.message);
  }
}

/** The logger that a service brings along; one of a logger itself there is not. */
function scanLogger(scan: Work, place: Place): void {
  const { name, directory, dialect, realParent } = place;
  if (loggedBy(name) !== null) return;
  const { limits } = scan;
  const spot = { name: loggerOf(name), directory: `${directory}/log`, dialect };
  withDirectory(place.open, name, limits.owners, (fd) => {
    const entry = entriesOf(fd, name, limits.entriesMax).find((each) => each.name === 'log');
    if (entry?.kind !== 'directory' && entry?.kind !== 'link') return;
    scan.seen.add(spot.name);
    scanPlace(scan, spot, entry.kind, () => {
      if (entry.kind === 'directory') return { ...spot, open: inside(fd, 'log'), realParent };
      const linked = trustedRealpath(inside(fd, 'log'), spot.name, limits.owners);
      return { ...spot, open: linked, realParent: resolve(linked, '..') };
    });
  });
}

/** How often a directory is read again in which files vanish under our hands. */
const TRIES = 3;

/** Null when the directory has a problem. One that is being changed is read anew. */
function readStable(scan: Work, place: Place): DirectoryTexts | null {
  const { name, directory, dialect } = place;
  let last: readonly Failed[] = [];
  for (let tries = 0; tries < TRIES; tries += 1) {
    const files = new Map<string, FoundFile>();
    last = withDirectory(place.open, name, scan.limits.owners, (fd) =>
      readFiles(scan.limits, place, fd, files),
    );
    if (last.length === 0) return { name, directory, dialect, files };
    if (!last.some(({ error }) => error.code === 'ENOENT')) break;
  }
  for (const { file, error } of last) problem(scan, name, directory, file, error.message);
  return null;
}
