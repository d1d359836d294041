/**
 * What is in one service directory becomes texts: which of its entries are read, how much of each,
 * and where their links may lead.
 */
import { printable } from '../core/names.ts';
import type { DirectoryTexts, FoundFile } from '../core/spec.ts';
import { type Reading, readingOf } from '../core/spec-known.ts';
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

export type Spot = Pick<DirectoryTexts, 'name' | 'directory' | 'dialect'>;

/** Where one service directory is: by the path people know, and by the one that is opened. */
export type Place = Spot & {
  readonly open: string;
  /** The directory above it without symbolic links: links inside may lead there and no further. */
  readonly realParent: string;
};

export type Failed = { readonly file: string; readonly error: Unreadable };

/** Fills `files` with what the definition may need of the open directory. */
export function readFiles(
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
  else if (kind !== 'file') readInner(limits, path, name, reading, files);
}

function readInner(
  limits: ScanLimits,
  path: string,
  name: string,
  reading: Reading,
  files: Map<string, FoundFile>,
): void {
  const { owners, servicesMax, entriesMax, textMax, lineMax } = limits;
  const isNames = reading === 'names';
  const isProgram = reading === 'programs';
  withDirectory(path, name, owners, (fd) => {
    for (const entry of entriesOf(fd, name, isNames ? servicesMax : entriesMax)) {
      const file = `${name}/${entry.name}`;
      const max = isProgram ? lineMax : textMax;
      const read = () => readText(inside(fd, entry.name), file, owners, max, isProgram);
      files.set(file, isNames ? MARK : read());
    }
  });
}

/** A symbolic link in a service directory, as `run -> ../generic/run`, may not lead far away. */
function followed(place: Place, fd: number, name: string, owners: Owners): string {
  const real = trustedRealpath(inside(fd, name), name, owners);
  if (real.startsWith(`${place.realParent}/`)) return real;
  throw new Unreadable(name, `it is a symbolic link that leaves ${place.realParent}`);
}
