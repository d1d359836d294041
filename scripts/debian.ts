/**
 * `node scripts/debian.ts` (`make debian`): build/debian/debian.img, a disk with Debian bookworm on
 * it, as debootstrap(8) makes it, to be the root of a machine.
 *
 * In it are systemd, sshd, cron and nginx; what is below scripts/debian/ is copied over: the name of
 * the machine, its fstab, a console without a password, and the service directories by which svinit
 * runs the daemons. The disk is made once; it has a password for nobody and is for tests alone.
 * debootstrap has to be root, or sudo that asks nothing. MIRROR names another archive.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, makeDisk } from './disk.ts';
import { ToolError, tool } from './tool.ts';

/** By what the disk is found; never changed, so that a command line can be kept. */
export const DEBIAN: Omit<Disk, 'directory'> = {
  file: 'build/debian/debian.img',
  sizeMiB: 1024,
  label: 'debian',
  uuid: 'deb1a000-0000-4000-8000-000000000012',
  partlabel: 'debian-root',
  partuuid: 'deb1a000-0000-4000-8000-0000000000aa',
};

const PACKAGES: readonly string[] = [
  ...['systemd-sysv', 'systemd', 'udev', 'dbus', 'login', 'iproute2', 'procps'],
  ...['openssh-server', 'openssh-client', 'cron', 'nginx-light'],
];

const MIRROR = 'http://deb.debian.org/debian';

/** What the archive can give again, and no program of a test reads. */
const LEFT_OUT: readonly string[] = [
  ...['var/cache/apt', 'var/lib/apt/lists', 'var/log/bootstrap.log'],
  ...['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/info'],
];

type Run = (...words: readonly string[]) => Promise<string>;

async function main(): Promise<void> {
  if (!existsSync(DEBIAN.file)) await make();
  const mib = (statSync(DEBIAN.file).blocks * 512) / 2 ** 20;
  console.log(`${DEBIAN.file}  ${mib.toFixed(0)} MiB`);
}

async function make(): Promise<void> {
  mkdirSync('build/debian', { recursive: true });
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [program = '', ...before] = [...sudo, 'sh', '-c', 'umask 022; exec "$@"', 'sh'];
  const asRoot: Run = (...words) => tool(program, [...before, ...words]);
  const directory = mkdtempSync('build/debian/root-');
  const file = `${DEBIAN.file}.${process.pid}`;
  try {
    await fill(asRoot, directory);
    await makeDisk({ ...DEBIAN, file, directory }, sudo);
    renameSync(file, DEBIAN.file);
  } finally {
    rmSync(file, { force: true });
    await asRoot('rm', '-rf', '--one-file-system', directory);
  }
}

/** Debian, and what tests need of it. What packages start while they are set up ends here. */
async function fill(asRoot: Run, directory: string): Promise<void> {
  const apart = ['unshare', '--mount', '--pid', '--ipc', '--fork', '--kill-child=KILL'];
  const options = ['--variant=minbase', `--include=${PACKAGES.join(',')}`];
  const mirror = process.env['MIRROR'] || MIRROR;
  await asRoot('chmod', '755', directory);
  await asRoot(...apart, 'debootstrap', ...options, 'bookworm', directory, mirror);
  await asRoot('rm', '-rf', ...LEFT_OUT.map((path) => join(directory, path)));
  await asRoot('cp', '-r', 'scripts/debian/.', directory);
  await asRoot('chroot', directory, 'sh', '-ec', FINISH);
}

/** Whoever is at the console is root, and root may log in from the machine itself. */
const FINISH = `passwd --quiet --delete root
mkdir -p -m 700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -C root -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys`;

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
