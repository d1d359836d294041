/**
 * Looks at the system before anything is changed, and writes down what a boot plan must know. It
 * decides nothing, and nothing here can fail: what cannot be seen is taken for absent.
 */
import { type BootFacts, type PlaceState, placesOfInterest } from '../core/boot.ts';
import {
  DEV,
  DEVICES,
  LINKS,
  type MountRow,
  PATHS_OF_INTEREST,
  PROC,
  VIRTUAL,
} from '../core/boot-tables.ts';
import { type MountPoint, parseMountinfo } from '../core/mountinfo.ts';
import { MAGIC } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { BootFiles } from './files.ts';

type Asked = Pick<Kernel, 'getpid' | 'geteuid' | 'statfsMagic'>;

export function observe(kernel: Asked, files: BootFiles): BootFacts {
  const pid1 = kernel.getpid() === 1;
  const uid = kernel.geteuid();
  const proc = isProc(kernel, files);
  // A /proc of another pid namespace means that nobody prepared a mount namespace for this one: the
  // mounts could be the host's, so they are left alone.
  const ours = !proc || files.readlink('/proc/self') === String(kernel.getpid());
  const capabilities = proc ? effective(files.read('/proc/self/status')) : null;
  const has = (bit: number) => (capabilities === null ? uid === 0 : capability(capabilities, bit));
  const machine = pid1 && proc && inFirstNamespace(files);
  const mountinfo = proc ? files.read('/proc/self/mountinfo') : null;
  return {
    pid1,
    machine,
    canMount: has(CAP_SYS_ADMIN) && ours,
    canMknod: has(CAP_MKNOD) && inFirstUserNamespace(files),
    uid,
    mounts: mountinfo === null ? mountsByMagic(kernel, files) : parseMountinfo(mountinfo),
    existing: new Set(PATHS_OF_INTEREST.filter((path) => asItShouldBe(path, machine, files))),
    filesystems: filesystems(files.read('/proc/filesystems')),
    places: new Map(placesOfInterest(uid).map((path) => [path, placeState(path, uid, files)])),
    notices: ours ? [] : ['Nothing is mounted: /proc belongs to another pid namespace'],
  };
}

/**
 * The kernel command line, which on anything but a machine of our own is somebody else's.
 * @returns '' there, and where it cannot be read.
 */
export function commandLine(facts: BootFacts, files: BootFiles): string {
  return facts.machine ? (files.read('/proc/cmdline') ?? '') : '';
}

/**
 * Whether this is the pid namespace the kernel started with: PROC_PID_INIT_INO of
 * linux/proc_ns.h. A kernel without pid namespaces has no such file, and only one.
 */
export function inFirstNamespace(files: Pick<BootFiles, 'readlink'>): boolean {
  const namespace = files.readlink('/proc/self/ns/pid');
  return namespace === null || namespace === `pid:[${0xeffffffc}]`;
}

/** linux/capability.h. */
const CAP_SYS_ADMIN = 21;
const CAP_MKNOD = 27;

/** By its magic number; when that cannot be asked for, by what only a procfs has. */
function isProc(kernel: Asked, files: BootFiles): boolean {
  const magic = magicOf(kernel, PROC.target);
  return magic === null ? files.readlink('/proc/self') !== null : magic === MAGIC.proc;
}

function effective(status: string | null): bigint | null {
  const digits = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status ?? '')?.[1];
  return digits === undefined ? null : BigInt(`0x${digits}`);
}

function capability(set: bigint, bit: number): boolean {
  return ((set >> BigInt(bit)) & 1n) === 1n;
}

/** user_namespaces(7): the first one maps every number to itself. */
function inFirstUserNamespace(files: BootFiles): boolean {
  const map = files.read('/proc/self/uid_map');
  return map === null || /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

function filesystems(text: string | null): Set<string> {
  const names = (text ?? '').split('\n').map((line) => line.split('\t')[1] ?? '');
  return new Set(names.filter((name) => name !== ''));
}

/** Without /proc: the table's own filesystems, where they are not simply the parent's. */
function mountsByMagic(kernel: Asked, files: BootFiles): MountPoint[] {
  return [PROC, DEV, ...VIRTUAL].flatMap(({ target, type }: MountRow) => {
    const parent = files.look(target.slice(0, target.lastIndexOf('/')) || '/')?.filesystem;
    const own = files.look(target)?.filesystem;
    const right = MAGICS.get(type) === magicOf(kernel, target);
    return right && own !== parent ? [{ target, type }] : [];
  });
}

/** devtmpfs says that it is tmpfs. */
const MAGICS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(MAGIC),
  ['devtmpfs', MAGIC.tmpfs],
]);

function magicOf(kernel: Asked, path: string): number | null {
  try {
    return kernel.statfsMagic(path);
  } catch {
    return null;
  }
}

/**
 * A device with its numbers, a link of any kind, or else a directory. The modes of devices are ours
 * on a machine only.
 */
function asItShouldBe(path: string, machine: boolean, files: BootFiles): boolean {
  const device = DEVICES.find((row) => row.path === path);
  const link = LINKS.some(([name]) => name === path);
  if (link) return files.lookAt(path) !== null;
  const found = files.look(path);
  if (device === undefined) return found?.kind === 'directory';
  const same = found?.major === device.major && found.minor === device.minor;
  const mode = !machine || ((found?.mode ?? 0) & 0o777) === device.mode;
  return found?.kind === 'char' && same && mode;
}

function placeState(path: string, uid: number, files: BootFiles): PlaceState {
  const found = files.lookAt(path);
  if (found !== null) {
    // What others could write to may hold what others have written.
    const ours = found.kind === 'directory' && found.uid === uid && (found.mode & 0o022) === 0;
    return ours && files.writable(path) ? 'ours' : 'refused';
  }
  const parent = path.slice(0, path.lastIndexOf('/')) || '/';
  const above = files.look(parent);
  // A plan makes what is missing in /run, and nothing elsewhere.
  if (above === null) return parent.startsWith('/run') ? placeState(parent, uid, files) : 'refused';
  // Where everybody may make entries only the sticky bit keeps them from replacing ours.
  const replaceable = (above.mode & 0o002) !== 0 && (above.mode & 0o1000) === 0;
  return above.kind === 'directory' && files.writable(parent) && !replaceable ? 'free' : 'refused';
}
