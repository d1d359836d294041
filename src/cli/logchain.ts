/**
 * The files of one stored log at one moment: its archives and `current`, open and in order, however
 * svlog renames them meanwhile. What is in them is not looked at.
 */
import { closeSync, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export type OpenFile = { readonly fd: number; readonly inode: number };

/** Whether the file of `inode` is the one that svlog writes to now. */
export function isCurrent(dir: string, inode: number): boolean {
  return statSync(join(dir, CURRENT), { throwIfNoEntry: false })?.ino === inode;
}

/**
 * All files of one log, oldest first. `current` is opened before the archives are listed: if it
 * becomes an archive in between it is listed as one, and none is missed. If it is neither, it has
 * been removed already, or its turn to be listed is still to come: that is looked at again.
 */
export function openChain(dir: string): OpenFile[] {
  for (;;) {
    const current = openFile(join(dir, CURRENT));
    const chain = openArchives(dir);
    if (current === null) return chain;
    const isListed = chain.some(({ inode }) => inode === current.inode);
    if (!isListed && isCurrent(dir, current.inode)) return [...chain, current];
    closeSync(current.fd);
    if (isListed) return chain;
    for (const { fd } of chain) closeSync(fd);
  }
}

/**
 * The newest first: where one is gone already, all older ones are, and there is no hole between.
 */
function openArchives(dir: string): OpenFile[] {
  const files: OpenFile[] = [];
  for (const name of archivesIn(dir).reverse()) {
    const file = openFile(join(dir, name));
    if (file === null) break;
    files.unshift(file);
  }
  return files;
}

/** Names of the archives, oldest first, at one moment: so few are read in one getdents64(2). */
function archivesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => ARCHIVE.test(name))
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function openFile(path: string): OpenFile | null {
  try {
    const fd = openSync(path, 'r');
    return { fd, inode: fstatSync(fd).ino };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

const CURRENT = 'current';
const ARCHIVE = /^@[0-9a-f]{24}\.[su]$/;
