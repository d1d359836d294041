/**
 * Lines of /etc/fix-attrs.d: `PATH RECURSE ACCOUNT FMODE DMODE` (s6-overlay, "Fixing ownership and
 * permissions"). Texts only: accounts are looked up by whoever has them.
 */
import { quoted } from './names.ts';

export type Attributes = {
  readonly path: string;
  readonly recursive: boolean;
  /** A user, or `USER:GROUP`, by name or number; behind a comma what to use where there is none. */
  readonly accounts: readonly string[];
  /** Permission bits of files and of directories. */
  readonly fileMode: number;
  readonly directoryMode: number;
};

/** Reads the text of one file; `reason` names the line and what was expected. */
export function parseAttributes(text: string): {
  readonly rows: readonly Attributes[];
  readonly problems: readonly string[];
} {
  const rows: Attributes[] = [];
  const problems: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t\r]+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]?.startsWith('#')) continue;
    const row = rowOf(words);
    if (typeof row === 'string') problems.push(`line ${index + 1}: ${row}`);
    else rows.push(row);
  }
  return { rows, problems };
}

function rowOf(words: readonly string[]): Attributes | string {
  const [path = '', recurse = '', account = '', fmode = '', dmode = ''] = words;
  if (words.length !== 5)
    return `expected PATH RECURSE ACCOUNT FMODE DMODE, found ${words.length} words`;
  if (!path.startsWith('/')) return `expected an absolute path, found ${quoted(path)}`;
  if (recurse !== 'true' && recurse !== 'false') {
    return `expected true or false, found ${quoted(recurse)}`;
  }
  const accounts = account.split(',');
  const odd = accounts.find((name) => !/^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$/.test(name));
  if (odd !== undefined) return `expected USER or USER:GROUP, found ${quoted(odd)}`;
  const wrong = [fmode, dmode].find((mode) => !/^[0-7]{3,4}$/.test(mode));
  if (wrong !== undefined) return `expected a mode as 0644, found ${quoted(wrong)}`;
  const modes = { fileMode: Number.parseInt(fmode, 8), directoryMode: Number.parseInt(dmode, 8) };
  return { path, recursive: recurse === 'true', accounts, ...modes };
}
