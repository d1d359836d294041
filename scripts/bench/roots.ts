/**
 * Roots of instances on the disk, to be copied for each life. /usr is that of svinit's image without
 * the services it brings along, or of the peers' packages, and in either are the programs of the
 * benchmark, in /usr/lib/bench.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Files, Peer } from './peer.ts';

/** Makes the root of a life on the disk, to be copied for each. */
export function stage(peer: Pick<Peer, 'root'>, label: string, files: Files): string {
  const root = resolve('build/bench/lives', label);
  rmSync(root, { recursive: true, force: true });
  for (const name of ['bench', 'etc', 'root', 'run', 'proc', 'sys', 'dev', 'tmp', 'mnt', 'var']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  chmodSync(join(root, 'tmp'), 0o1777);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
  const usr = programsOf(peer.root);
  // namespace.sh binds usr, which follows a link, and copies the rest.
  symlinkSync(usr, join(root, 'usr'));
  write(root, { ...COMMON, ...files }, join(usr, 'lib/bench'));
  age(root);
  return root;
}

/** The directory that becomes /usr; made once in this process. */
function programsOf(root: Peer['root']): string {
  const known = made.get(root);
  if (known !== undefined) return known;
  const usr = resolve('build/bench/roots', root, 'usr');
  rmSync(usr, { recursive: true, force: true });
  mkdirSync(join(usr, '..'), { recursive: true });
  const from = root === 'peers' ? 'build/bench/peers/usr' : `build/${root}/root/usr`;
  // Hard links: a copy of 150 MB would take longer than what is measured.
  execFileSync('cp', ['-al', resolve(from), usr]);
  rmSync(join(usr, 'lib/svinit'), { recursive: true, force: true });
  execFileSync('cp', ['-al', resolve('build/bench/programs'), join(usr, 'lib/bench')]);
  if (root === 'peers') addNode(usr);
  forget(usr);
  made.set(root, usr);
  return usr;
}

/** Programs that were just built are mapped otherwise than any a machine has booted with: meter.c. */
function forget(usr: string): void {
  const meter = resolve('build/bench/programs/meter');
  const large = ['-type', 'f', '-size', '+100k'];
  execFileSync('find', [usr, ...large, '-exec', meter, 'forget', '{}', '+'], { cwd: '/' });
}

const made = new Map<string, string>();

/** pm2 is a program of Node, and so is what shows the limit of Node. */
function addNode(usr: string): void {
  cpSync(process.execPath, join(usr, 'bin/node'));
  if (!existsSync('build/bench/pm2/node_modules')) return;
  execFileSync('cp', ['-al', resolve('build/bench/pm2'), join(usr, 'lib/pm2')]);
}

const COMMON: Files = {
  'bench/stamps': '',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  'etc/group': 'root:x:0:\n',
};

/**
 * A root that has been there for an hour: some look at the age of a directory to know whether it
 * may still change, runsvdir waits a second then.
 */
function age(root: string): void {
  const then = Date.now() / 1000 - 3600;
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    if (lstatSync(path).isDirectory() && name !== 'usr') utimesSync(path, then, then);
  }
}

/** Programs are links to one file of the same filesystem, so that thousands cost no more than one. */
function write(root: string, files: Files, programs: string): void {
  const made = new Set<string>();
  const originals = new Map<string, string>();
  for (const [path, file] of Object.entries(files)) {
    const target = join(root, path);
    const parent = dirname(target);
    if (!made.has(parent)) mkdirSync(parent, { recursive: true });
    made.add(parent);
    if (typeof file === 'string') {
      writeFileSync(target, file, { mode: file.startsWith('#!') ? 0o755 : 0o644 });
    } else if ('link' in file) {
      symlinkSync(file.link, target);
    } else {
      const original = originals.get(file.program);
      if (original !== undefined) linkSync(original, target);
      else {
        originals.set(file.program, target);
        const bytes = readFileSync(join(programs, file.program));
        writeFileSync(target, bytes, { mode: 0o755 });
      }
    }
  }
}
