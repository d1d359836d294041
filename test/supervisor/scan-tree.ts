/** Trees of files to scan, in a place of their own with modes that do not depend on the umask. */
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Problem } from '../../src/core/spec.ts';
import { type Scan, type ScanLimits, scanLimits, scanPath } from '../../src/supervisor/scan.ts';

const made: string[] = [];

process.on('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

/** A directory that is removed when the process ends. */
export function emptyTree(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'svinit-scan-')));
  chmodSync(path, 0o755);
  made.push(path);
  return path;
}

/** Files by path below a new directory; what is called `run` or `finish` is executable. */
export function tree(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = emptyTree();
  for (const [path, text] of Object.entries(files)) put(root, path, text);
  return root;
}

/** Writes one file below `root`, and the directories it needs. */
export function put(root: string, path: string, text: string | Uint8Array): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  for (let above = dirname(file); above !== root; above = dirname(above)) chmodSync(above, 0o755);
  writeFileSync(file, text);
  chmodSync(file, /^[^/]+\/(?:log\/)?(?:run|finish)$/.test(path) ? 0o755 : 0o644);
}

/** A copy of a directory of the project, whatever umask it was checked out with. */
export function copied(path: string): string {
  const root = emptyTree();
  const from = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  cpSync(from, root, { recursive: true, verbatimSymlinks: true });
  for (const entry of ['.', ...readdirSync(root, { recursive: true, encoding: 'utf8' })]) {
    const stats = lstatSync(join(root, entry));
    if (stats.isDirectory()) chmodSync(join(root, entry), 0o755);
    else if (stats.isFile()) chmodSync(join(root, entry), stats.mode & 0o100 ? 0o755 : 0o644);
  }
  return root;
}

export const LIMITS: ScanLimits = scanLimits(process.getuid?.() ?? 0);

export const scan = (root: string, limits: Partial<ScanLimits> = {}): Scan =>
  scanPath([{ path: root, dialect: 's6' }], { ...LIMITS, ...limits });

/** `name/file: reason` of each problem, with the root taken out. */
export const told = (root: string, problems: readonly Problem[]): string[] =>
  problems.map(({ name, file, reason }) =>
    `${name}${file === null ? '' : `/${file}`}: ${reason}`.replaceAll(root, 'ROOT'),
  );

/** What the scan says of a tree with nothing good in it. */
export function refused(root: string, limits: Partial<ScanLimits> = {}): string[] {
  const { found, problems } = scan(root, limits);
  if (found.length > 0) throw new Error(`Not refused: ${found.map(({ name }) => name)}`);
  return told(root, problems);
}
