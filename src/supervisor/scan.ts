/**
 * The scan path becomes texts: which directories there are, and what is in their files. It decides
 * what may be read, not what it means: that is core/spec-files.ts.
 *
 * Synchronous on purpose: a scan is one event of the loop, a few calls a service, with no state
 * in between that another event could see.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { nameProblem, printable } from '../core/names.ts';
import type { Dialect, DirectoryTexts, FoundFile, Problem } from '../core/spec.ts';
import { readingOf } from '../core/spec-known.ts';
import {
  type Entry,
  entriesOf,
  inside,
  type Owners,
  readText,
  trustedRealpath,
  Unreadable,
  withDirectory,
} from './scan-read.ts';

export type ScanRoot = { readonly path: string; readonly dialect: Dialect };

export type ScanLimits = {
  /** Definitions in all roots together, and names in one dependencies.d or contents.d. */
  readonly servicesMax: number;
  /** Entries of a service directory, and variables in one env/. */
  readonly entriesMax: number;
  /** Bytes of a text file. */
  readonly textMax: number;
  /** Bytes of a first line: as much as the kernel looks at (BINPRM_BUF_SIZE, binfmts.h). */
  readonly lineMax: number;
  /** Users who may own a definition. */
  readonly owners: Owners;
};

export type Scan = {
  readonly found: readonly DirectoryTexts[];
  readonly problems: readonly Problem[];
};

/** The limits for a process of this user: root's files are read, and its own. */
export function scanLimits(uid: number): ScanLimits {
  return {
    servicesMax: 5000,
    entriesMax: 256,
    textMax: 64 * 1024,
    lineMax: 256,
    owners: new Set([0, uid]),
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

/** Where one service directory is: by the path people know, and by the one that is opened. */
type Place = {
  readonly name: string;
  readonly directory: string;
  readonly dialect: Dialect;
  readonly open: string;
  /** The directory above it without symbolic links: links inside may lead there and no further. */
  readonly realParent: string;
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
  const { name } = entry;
  const directory = `${root.path}/${name}`;
  try {
    const linked =
      entry.kind === 'link' ? trustedRealpath(`${real}/${name}`, name, scan.limits.owners) : null;
    const place: Place = {
      ...{ name, directory, dialect: root.dialect },
      open: linked ?? inside(fd, name),
      realParent: linked === null ? real : resolve(linked, '..'),
    };
    const texts = readStable(scan, place);
    if (texts !== null) scan.found.push(texts);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (entry.kind === 'directory' && error.code === 'ENOENT') return;
    // A link to a file is like any other file beside the services: nobody's business here.
    if (entry.kind === 'link' && error.code === 'ENOTDIR') return;
    problem(scan, name, directory, null, error.message);
  }
}

/** How often a directory is read again in which files vanish under our hands. */
const TRIES = 3;

type Failed = { readonly file: string; readonly error: Unreadable };

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

/** Fills `files` with what the definition may need of the open directory. */
function readFiles(
  limits: ScanLimits,
  place: Place,
  fd: number,
  files: Map<string, FoundFile>,
): Failed[] {
  const failed: Failed[] = [];
  for (const entry of entriesOf(fd, place.name, limits.entriesMax)) {
    try {
      readEntry(limits, place, fd, entry, files);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      failed.push({ file: printable(entry.name), error });
    }
  }
  return failed;
}

const MARK: FoundFile = { text: '', executable: false };

function readEntry(
  limits: ScanLimits,
  place: Place,
  fd: number,
  { name, kind }: Entry,
  files: Map<string, FoundFile>,
): void {
  const { owners, textMax, lineMax } = limits;
  const asFile = readingOf(name, false);
  const asDirectory = readingOf(name, true);
  if (asFile === 'mark') files.set(name, MARK);
  // The mark of a directory itself: an empty one must not be taken for none.
  if (asDirectory !== null && kind !== 'file') files.set(`${name}/`, MARK);
  const reading = asFile ?? asDirectory;
  if (reading === null || reading === 'mark') return;
  const path = kind === 'link' ? followed(place, fd, name, owners) : inside(fd, name);
  if (reading === 'program') files.set(name, readText(path, name, owners, lineMax, true));
  else if (reading === 'text') files.set(name, readText(path, name, owners, textMax, false));
  else if (kind !== 'file') readInner(limits, path, name, reading === 'texts', files);
}

function readInner(
  limits: ScanLimits,
  path: string,
  name: string,
  withTexts: boolean,
  files: Map<string, FoundFile>,
): void {
  const { owners, servicesMax, entriesMax, textMax } = limits;
  withDirectory(path, name, owners, (fd) => {
    for (const entry of entriesOf(fd, name, withTexts ? entriesMax : servicesMax)) {
      const file = `${name}/${entry.name}`;
      const text = () => readText(inside(fd, entry.name), file, owners, textMax, false);
      files.set(file, withTexts ? text() : MARK);
    }
  });
}

/** A symbolic link in a service directory, as `run -> ../generic/run`, may not lead far away. */
function followed(place: Place, fd: number, name: string, owners: Owners): string {
  const real = trustedRealpath(inside(fd, name), name, owners);
  if (real.startsWith(`${place.realParent}/`)) return real;
  throw new Unreadable(name, `it is a symbolic link that leaves ${place.realParent}`);
}
