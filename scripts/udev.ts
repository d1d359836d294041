/**
 * `node scripts/udev.ts`: makes build/udev.cpio.zst, with which Debian's udevd looks after the
 * devices instead of svdev (`make udev`).
 *
 * An archive of its own, behind the image like that of the modules: a boot loader takes all of them
 * as initrds. It holds systemd-udevd and udevadm, their rules, helpers and hardware database, the
 * libraries they need, and a service `udevd`, which is what `devices` means then: a bundle in the
 * place of the image's service. The same packages give the same bytes.
 */
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { cpio } from './cpio.ts';
import { type Entry, parentsOf } from './entries.ts';
import { tool } from './tool.ts';

/** Where `fetch.sh udev` unpacks Debian's packages. */
const PACKAGE = 'build/udev/root';
const OUTPUT = 'build/udev.cpio.zst';

/** Directories of the package, which has no merged /usr, and where they are in the image. */
const TREES = {
  'lib/udev': 'usr/lib/udev',
  'lib/systemd/network': 'usr/lib/systemd/network',
  'etc/udev': 'etc/udev',
};

/** The sources of the hardware database, which is what udevd reads. */
const HWDB_SOURCES = 'usr/lib/udev/hwdb.d/';

const LIBRARIES = ['lib', 'usr/lib'].map((directory) => {
  return join(process.cwd(), PACKAGE, directory, `${multiarch()}-linux-gnu`);
});

/** In place of udev's own rule: its libkmod wants indices that only kmod's depmod(8) makes. */
const DRIVERS_RULE = `# As svdev would: whatever has no driver yet gets the modules it asks for.
ACTION=="add", ENV{MODALIAS}=="?*", ENV{DRIVER}!="?*", \\
  RUN+="/usr/sbin/modprobe -q -b $env{MODALIAS}"
`;

const SERVICES = 'etc/svinit/services';

/** Why there is no archive to be made; null: there is one. */
export function noUdev(): string | null {
  return existsSync(join(PACKAGE, 'bin/udevadm')) ? null : `no udevadm is in ${PACKAGE}`;
}

/**
 * The archive, compressed.
 * @throws {Error} when the packages are not there, or something a program needs is not.
 */
export async function udevArchive(): Promise<Uint8Array> {
  const reason = noUdev();
  if (reason !== null) throw new Error(`Cannot make an archive of udevd: ${reason}`);
  const env = { LD_LIBRARY_PATH: LIBRARIES.join(':') };
  const udevadm = join(PACKAGE, 'bin/udevadm');
  await tool(udevadm, ['hwdb', '--update', '--usr', `--root=${PACKAGE}`], { env });
  const trees = Object.entries(TREES).flatMap(([from, to]) => tree(join(PACKAGE, from), to));
  const entries: readonly Entry[] = [
    ...trees.filter(({ path }) => !path.startsWith(HWDB_SOURCES)),
    program('usr/bin/udevadm', udevadm),
    link('usr/lib/systemd/systemd-udevd', '../../bin/udevadm'),
    ...(await libraries([udevadm, ...helpers()], env)),
    text('etc/udev/rules.d/80-drivers.rules', DRIVERS_RULE),
    ...tree('scripts/udev', SERVICES),
    text(`${SERVICES}/devices/type`, 'bundle\n'),
    text(`${SERVICES}/devices/contents.d/udevd`, ''),
  ];
  return zstdCompressSync(cpio([...parentsOf(entries), ...entries], 0));
}

function multiarch(): string {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

/** Programs that rules start. */
function helpers(): readonly string[] {
  const directory = join(PACKAGE, 'lib/udev');
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isExecutable(join(directory, entry.name)))
    .map(({ name }) => join(directory, name));
}

/** The libraries of the packages that `programs` need; the C library is the image's. */
async function libraries(
  programs: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Entry[]> {
  const paths = new Set<string>();
  for (const path of programs) {
    const said = await tool('ldd', [path], { env });
    if (said.includes('not found')) throw new Error(`Cannot link ${path}:\n${said}`);
    for (const [, found = ''] of said.matchAll(/=> (\/\S+) \(0x/g)) {
      if (LIBRARIES.some((directory) => found.startsWith(`${directory}/`))) paths.add(found);
    }
  }
  const root = `${join(process.cwd(), PACKAGE)}/`;
  return [...paths].sort().map((path) => {
    return program(path.slice(root.length).replace(/^lib\//, 'usr/lib/'), path);
  });
}

function tree(from: string, to: string): readonly Entry[] {
  const found = readdirSync(from, { withFileTypes: true, recursive: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry): Entry => {
      const source = join(entry.parentPath, entry.name);
      const path = join(to, source.slice(from.length + 1));
      return isExecutable(source) ? program(path, source) : text(path, readFileSync(source));
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isExecutable(path: string): boolean {
  return (statSync(path).mode & 0o100) !== 0;
}

function program(path: string, source: string): Entry {
  return { type: 'file', path, mode: 0o755, content: readFileSync(source) };
}

function text(path: string, content: string | Uint8Array): Entry {
  return { type: 'file', path, mode: 0o644, content: Buffer.from(content) };
}

function link(path: string, target: string): Entry {
  return { type: 'link', path, mode: 0o777, target };
}

if (import.meta.main) {
  const archive = await udevArchive();
  writeFileSync(`${OUTPUT}.${process.pid}`, archive);
  renameSync(`${OUTPUT}.${process.pid}`, OUTPUT);
  console.log(`${OUTPUT}  ${(archive.length / 2 ** 20).toFixed(1)} MiB`);
}
