/**
 * Owners and modes as /etc/fix-attrs.d asks for them. Links are left alone: what they lead to may
 * be anywhere.
 */
import { chmodSync, type Dirent, lchownSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { OVERLAY } from '../core/overlay.ts';
import { type Attributes, parseAttributes } from '../core/overlay-attributes.ts';

type Say = (line: string) => void;
type Owner = { readonly uid: number; readonly gid: number };

/** @returns 0; what could not be done is said, and is no reason to keep anything from starting. */
export function fixAttributes(hidden: boolean, say: Say): number {
  for (const entry of filesOf(OVERLAY.attributes)) {
    if (entry.name.startsWith('.') && !hidden) continue;
    const path = `${OVERLAY.attributes}/${entry.name}`;
    const { rows, problems } = parseAttributes(readFileSync(path, 'utf8'));
    for (const problem of problems) say(`fix-attrs: ${path}: ${problem}`);
    for (const row of rows) {
      const owner = ownerOf(row);
      if (owner === null) say(`fix-attrs: ${path}: nobody is called ${row.accounts.join(' or ')}`);
      else if (lstatSync(row.path, { throwIfNoEntry: false })) apply(row.path, row, owner, say);
    }
  }
  return 0;
}

function apply(path: string, row: Attributes, owner: Owner, say: Say): void {
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return;
    const isDirectory = stats.isDirectory();
    lchownSync(path, owner.uid, owner.gid);
    chmodSync(path, isDirectory ? row.directoryMode : row.fileMode);
    if (!isDirectory || !row.recursive) return;
    for (const name of readdirSync(path)) apply(`${path}/${name}`, row, owner, say);
  } catch (error) {
    say(`fix-attrs: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The first account that there is; a user alone brings its own group. */
function ownerOf({ accounts }: Attributes): Owner | null {
  for (const account of accounts) {
    const [user = '', group] = account.split(':');
    const row = lineOf('/etc/passwd', user, 2);
    const uid = row === null ? numberOf(user) : numberOf(row[2] ?? '');
    const named = group === undefined ? null : lineOf('/etc/group', group, 2);
    const gid = group === undefined ? numberOf(row?.[3] ?? user) : numberOf(named?.[2] ?? group);
    if (uid !== null && gid !== null) return { uid, gid };
  }
  return null;
}

/** The fields of the line that begins with `name`, or has it as its number at `index`. */
function lineOf(file: string, name: string, index: number): readonly string[] | null {
  const lines = readFileSync(file, 'utf8').split('\n');
  const rows = lines.map((line) => line.split(':'));
  return rows.find((row) => row[0] === name) ?? rows.find((row) => row[index] === name) ?? null;
}

const numberOf = (text: string): number | null =>
  /^[0-9]{1,10}$/.test(text) ? Number(text) : null;

function filesOf(directory: string): readonly Dirent[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true }).filter((each) => each.isFile());
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
