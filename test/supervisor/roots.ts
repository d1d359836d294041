/**
 * Roots for test instances: the built image's root, its demo services taken out and others put in.
 * The programs are not copied but linked, so a root costs next to nothing.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Runtime } from '../../scripts/compile.ts';
import { type Definitions, writeDefinitions } from './definitions.ts';

export const ROOT = 0;
/** Some ordinary user; it needs no entry in /etc/passwd. */
export const USER = 1000;

export type RootOptions = {
  readonly runtime: Runtime;
  /** Who will run it. */
  readonly uid: number;
  /** For /etc/svinit/services. */
  readonly services: Definitions;
  /** More directories of definitions, by absolute path. */
  readonly trees: Readonly<Record<string, Definitions>>;
  /** A directory with usr, etc and var of packages, laid over the image's. */
  readonly packages?: string;
  /** Puts into the root what else there has to be, /usr excepted. */
  readonly prepare?: (root: string) => void;
};

/** Makes a root in a directory of its own, which is to be removed with `removeRoots`. */
export function makeRoot(options: RootOptions): string {
  const { runtime, uid, services, trees, packages } = options;
  const built = resolve(`build/${runtime}/root`);
  const directory = mkdtempSync(join(parentFor(uid), 'instance-'));
  made.push(directory);
  const root = join(directory, 'root');
  mkdirSync(root);
  for (const name of readdirSync(built)) {
    // namespace.sh binds usr, which follows a link, and copies the rest.
    if (name === 'usr') symlinkSync(programs(runtime, directory, packages), join(root, name));
    else cpSync(join(built, name), join(root, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const name of packages === undefined ? [] : readdirSync(packages)) {
    if (name === 'usr') continue;
    cpSync(join(packages ?? '', name), join(root, name), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  writeDefinitions(join(root, 'etc/svinit/services'), services);
  for (const [path, definitions] of Object.entries(trees)) {
    writeDefinitions(join(root, path), definitions);
  }
  options.prepare?.(root);
  execFileSync('chmod', ['755', directory, root]);
  if (uid !== ROOT) execFileSync('chown', ['-hR', `${uid}:${uid}`, directory]);
  return root;
}

/** Removes all that `makeRoot` has made in this process. */
export function removeRoots(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
  linked.clear();
}

const made: string[] = [];
const linked = new Map<string, string>();

/** The image's /usr without the demo services, shared by all roots of this process. */
function programs(runtime: Runtime, near: string, packages: string | undefined): string {
  const parent = dirname(near);
  const key = `${parent}/${runtime}/${packages}`;
  const known = linked.get(key);
  if (known !== undefined) return known;
  const directory = mkdtempSync(join(parent, 'programs-'));
  made.push(directory);
  const usr = join(directory, 'usr');
  const built = resolve(`build/${runtime}/root/usr`);
  const hard = statSync(built).dev === statSync(directory).dev;
  execFileSync('cp', [hard ? '-al' : '-a', built, usr]);
  rmSync(join(usr, 'lib/svinit'), { recursive: true });
  if (packages !== undefined) {
    const how = [hard ? '-al' : '-a', '--remove-destination'];
    execFileSync('cp', [...how, `${packages}/usr/.`, usr]);
  }
  execFileSync('chmod', ['755', directory]);
  linked.set(key, usr);
  return usr;
}

/** In build/test, unless that is in somebody's home, where an ordinary user cannot get at it. */
function parentFor(uid: number): string {
  const usual = resolve('build/test');
  mkdirSync(usual, { recursive: true });
  const reachable = uid === process.getuid?.() || openToAll(usual);
  return reachable ? usual : tmpdir();
}

function openToAll(path: string): boolean {
  if (!existsSync(path) || (statSync(path).mode & 0o001) === 0) return false;
  return path === '/' || openToAll(dirname(path));
}
