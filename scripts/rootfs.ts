/**
 * Decides what is in the root filesystem of the image: the list of entries that every form of it
 * (initramfs, container archive, staged directory) is written from.
 *
 * In this order, later entries replacing earlier ones of the same path: busybox and its applets,
 * the host's setpriv, prlimit and others, the C library, what initramfs/ and its manifest say, our
 * binary, and services/. Modes are normalised (0755 or 0644), so that the umask of whoever cloned
 * does not show.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Entry, parentsOf } from './entries.ts';
import { tool } from './tool.ts';

export type Ingredients = {
  /** Our compiled program, which becomes /usr/bin/svinit. */
  readonly binary: string;
  /** A statically linked busybox. */
  readonly busybox: string;
  /** A busybox whose shell looks for programs on the PATH before its own applets. */
  readonly ash: string;
};

/** Host programs that services get their user, groups and limits from, with their libraries. */
const HOST_PROGRAMS = [
  ...['/usr/bin/setpriv', '/usr/bin/prlimit', '/usr/bin/nice', '/usr/bin/chrt', '/usr/bin/taskset'],
  ...['/usr/sbin/chroot', '/usr/bin/unshare'],
];

/** The one file of initramfs/ that is an instruction, not content. */
const MANIFEST = 'initramfs/manifest.txt';

/** Applets that would be a second init or a second way to halt, and the shell that prefers them. */
const APPLETS_REFUSED = new Set([
  'init',
  'linuxrc',
  'poweroff',
  'reboot',
  'halt',
  'shutdown',
  'telinit',
  'ash',
  'sh',
]);

const SERVICES_PATH = 'usr/lib/svinit/services';

/** Every entry of the image. Paths of the project are relative to the current directory. */
export async function rootEntries({
  binary,
  busybox,
  ash,
}: Ingredients): Promise<readonly Entry[]> {
  const programs = [binary, ash, ...HOST_PROGRAMS];
  const libraries = await Promise.all(programs.map(librariesOf));
  const applets = (await tool(busybox, ['--list-full'])).split('\n');
  const entries: readonly Entry[] = [
    ...applets.map(appletLink).filter((entry) => entry !== null),
    executable('usr/bin/busybox', busybox),
    executable('usr/bin/ash', ash),
    ...HOST_PROGRAMS.map((path) => executable(path.slice(1), path)),
    ...[...new Set(libraries.flat())].map((path) => executable(underUsr(path), path)),
    ...tree('initramfs', '').filter(({ path }) => path !== basename(MANIFEST)),
    ...parseManifest(readFileSync(MANIFEST, 'utf8')),
    executable('usr/bin/svinit', binary),
    ...tree('services', SERVICES_PATH),
  ];
  return [...parentsOf(entries), ...entries];
}

/**
 * The lines of a manifest in the format of the kernel's usr/gen_init_cpio.
 * @throws {Error} on a line it does not understand, naming it.
 */
export function parseManifest(text: string): readonly Entry[] {
  return text.split('\n').flatMap((line, index) => {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]?.startsWith('#')) return [];
    const entry = manifestEntry(words);
    if (entry === null) throw new Error(`Cannot read line ${index + 1} of the manifest: ${line}`);
    return [entry];
  });
}

function manifestEntry([kind, path, ...rest]: readonly string[]): Entry | null {
  if (path?.startsWith('/') !== true) return null;
  const target = kind === 'slink' ? rest[0] : undefined;
  const [mode, uid, gid, device, major, minor] = target === undefined ? rest : rest.slice(1);
  const common = {
    path: path.slice(1),
    mode: Number.parseInt(mode ?? '', 8),
    uid: Number(uid),
    gid: Number(gid),
  };
  if (Number.isNaN(common.mode + common.uid + common.gid)) return null;
  if (target !== undefined) return { type: 'link', ...common, target };
  if (kind === 'dir') return { type: 'directory', ...common };
  if (kind !== 'nod' || (device !== 'c' && device !== 'b')) return null;
  const numbers = { major: Number(major), minor: Number(minor) };
  if (Number.isNaN(numbers.major + numbers.minor)) return null;
  return { type: 'node', ...common, device: device === 'c' ? 'character' : 'block', ...numbers };
}

/** A link to busybox where `busybox --list-full` puts the applet, or `null` when it is refused. */
function appletLink(line: string): Entry | null {
  const name = basename(line);
  if (name === '' || name === 'busybox' || APPLETS_REFUSED.has(name)) return null;
  const folder = dirname(line).endsWith('sbin') ? 'usr/sbin' : 'usr/bin';
  const target = folder === 'usr/bin' ? 'busybox' : '../bin/busybox';
  return { type: 'link', path: `${folder}/${name}`, mode: 0o777, target };
}

/** All that is below the directory `from`, as entries below `to`. */
function tree(from: string, to: string): readonly Entry[] {
  return readdirSync(from, { withFileTypes: true }).flatMap((found): readonly Entry[] => {
    const source = join(from, found.name);
    const path = join(to, found.name);
    if (found.isSymbolicLink()) {
      return [{ type: 'link', path, mode: 0o777, target: readlinkSync(source) }];
    }
    if (!found.isDirectory()) return [file(path, source)];
    return [{ type: 'directory', path, mode: 0o755 }, ...tree(source, path)];
  });
}

function file(path: string, source: string): Entry {
  const mode = statSync(source).mode & 0o100 ? 0o755 : 0o644;
  return { type: 'file', path, mode, content: readFileSync(source) };
}

function executable(path: string, source: string): Entry {
  return { type: 'file', path, mode: 0o755, content: readFileSync(source) };
}

/** Paths of the shared libraries a program needs, the dynamic loader among them, as ldd(1) says. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const stdout = await tool('ldd', [realpathSync(program)]);
  if (stdout.includes('not found')) throw new Error(`Cannot link ${program}:\n${stdout}`);
  return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? []);
}

/** Debian's loader searches /lib, which is a link to /usr/lib in the image. */
function underUsr(path: string): string {
  return path.startsWith('/usr/') ? path.slice(1) : `usr${path}`;
}
