/**
 * The command that runs an init as PID 1 of fresh namespaces, in a root of its own, where it can
 * neither see nor harm the host. For `make start` and for tests.
 *
 * The root is a tmpfs that holds a copy of the staged root, except /usr, which is bound from it
 * read-only. /dev is a tmpfs with the harmless devices alone; a devtmpfs would be the host's own.
 * Everything disappears with PID 1. Without a user namespace, which takes root, the capabilities
 * that reach beyond namespaces are dropped; the host's /proc/sys and /sys are still not out of
 * reach.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export type NamespaceOptions = {
  /** A staged root, such as build/bun/root. */
  readonly root: string;
  /** The program that becomes PID 1 and its arguments; `/init` by default. */
  readonly args?: readonly string[];
  /** Be root only inside: for ordinary users, and the safer choice for root too. */
  readonly userNamespace: boolean;
  /** A terminal of the host, `/dev/pts/3`, that becomes /dev/console. Without one there is none. */
  readonly tty?: string;
  /**
   * Mount nothing but / and /dev, so that the init has to: /proc, /sys, /dev/pts, /dev/shm, /run,
   * /tmp.
   */
  readonly bare?: boolean;
  /** All of the environment PID 1 gets. */
  readonly env?: Readonly<Record<string, string>>;
};

/**
 * Capabilities not bound to any namespace we make, capabilities(7): clock, modules, hardware,
 * kernel log.
 */
const CAPABILITIES_DROPPED = ['sys_time', 'sys_module', 'sys_rawio', 'syslog', 'wake_alarm'];

/** Makes the root and executes what follows; kept readable, and out of ps, as a file. */
const SET_UP = join(import.meta.dirname, 'namespace.sh');

const DEFAULT_ENV = { PATH: '/usr/sbin:/usr/bin', HOME: '/root' };

/**
 * The command to spawn. Its first process passes on how PID 1 ended; when it is killed PID 1 gets
 * KILL and all others with it. It kills itself when its parent dies.
 */
export function namespaceCommand(options: NamespaceOptions): readonly string[] {
  const { userNamespace, tty = '', bare = false, args = ['/init'] } = options;
  const env = Object.entries(options.env ?? DEFAULT_ENV).map(([name, value]) => `${name}=${value}`);
  const user = userNamespace ? ['--user', '--map-root-user'] : [];
  const drop = `-${CAPABILITIES_DROPPED.join(',-')}`;
  const limits = userNamespace ? [] : ['/usr/bin/setpriv', '--bounding-set', drop, '--'];
  const root = resolve(options.root);
  return [
    ...['setpriv', '--pdeathsig', 'KILL', '--', 'unshare', ...user, '--pid', '--fork'],
    ...['--kill-child=KILL', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--'],
    ...[`${root}/usr/bin/busybox`, 'sh', SET_UP, root, tty, bare ? 'bare' : 'full'],
    ...['/usr/bin/busybox', 'env', '-i', ...env, ...limits, ...args],
  ];
}

/**
 * Why this kernel would refuse an ordinary user a user namespace, or `null` when nothing is known
 * to.
 */
export function userNamespaceRefusal(): string | null {
  for (const [file, refused, cure] of SWITCHES) {
    if (existsSync(file) && readFileSync(file, 'utf8').trim() === refused) {
      return `This kernel gives users no namespaces; root may allow it: sysctl ${cure}`;
    }
  }
  return null;
}

/**
 * The file, the value that forbids, and the sysctl that allows: Debian, Ubuntu, and all kernels.
 */
const SWITCHES = [
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'kernel.unprivileged_userns_clone=1'],
  [
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    '1',
    'kernel.apparmor_restrict_unprivileged_userns=0',
  ],
  ['/proc/sys/user/max_user_namespaces', '0', 'user.max_user_namespaces=10000'],
] as const;
