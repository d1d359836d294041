/**
 * What the kernel command line and svinit's own arguments can say: one row a key. The parser, help
 * and the reference page are driven by this table. It knows no quoting and no files.
 */
import { type BootKey, targetWord } from './boot-key.ts';
import { PHASE_KEYS } from './boot-keys-phases.ts';
import { ROOT_KEYS } from './boot-keys-root.ts';
import {
  flag,
  isAbsolute,
  isHostname,
  isName,
  matching,
  readConsole,
  readMemoryMin,
  readScan,
  readTmpfsSize,
  readUnit,
  SCAN_DIRECTORIES_MAX,
  whole,
} from './boot-values.ts';

export type { BootKey } from './boot-key.ts';

/** CONSOLE_LOGLEVEL_MOTORMOUTH of linux/printk.h: the kernel shows everything from here on. */
const LOGLEVEL_MAX = 15;
/** An hour; drivers have limits of their own and take what they can. */
const WATCHDOG_MAX = 3600;
/** As many services as svinit will supervise. */
const PARALLEL_MAX = 1000;

const OWN: readonly BootKey[] = [
  {
    names: ['quiet'],
    option: '--quiet',
    value: null,
    about: 'Say only what is wrong on the console.',
    expects: 'yes or no',
    read: flag((draft, on) => {
      draft.quiet = on;
    }),
  },
  {
    names: ['svinit.testing'],
    option: '--testing',
    value: null,
    about: "Let root ask for faults of svinit itself, for svinit's own tests.",
    expects: 'yes or no',
    read: flag((draft, on) => {
      draft.testing = on;
    }),
  },
  {
    names: ['loglevel'],
    option: null,
    value: 'N',
    about: 'Show messages below this level on the console (0 none, 8 debug).',
    expects: `a number from 0 to ${LOGLEVEL_MAX}`,
    read: whole(0, LOGLEVEL_MAX, (draft, n) => {
      draft.loglevel = n;
    }),
  },
  {
    names: ['console'],
    option: null,
    value: 'TTY[,OPTIONS]',
    about: 'A console; repeatable, the last is /dev/console.',
    expects: 'a terminal such as ttyS0,115200',
    read: readConsole,
  },
  {
    names: ['svinit.target'],
    option: '--target',
    value: 'NAME',
    about: 'Bring this bundle up instead of `default`.',
    expects: 'the name of a bundle',
    read: matching(isName, (draft, name) => {
      draft.target = name;
    }),
  },
  targetWord('rescue', ['rescue', 'single', 's', 'S', '1'], 'Bring up the rescue console only.'),
  targetWord('emergency', ['emergency'], 'Bring up a console and nothing that it could wait for.'),
  {
    names: ['systemd.unit'],
    option: null,
    value: 'rescue.target|emergency.target',
    about: 'The same, as boot entries written for systemd say it; other units are ignored.',
    expects: 'the name of a unit',
    read: readUnit,
  },
  {
    names: ['svinit.scan'],
    option: '--scan',
    value: '[DIALECT:]DIR[,…]',
    about:
      'Look for service directories here only; repeatable, the first match wins. ' +
      'DIALECT is s6 (if none is said), runit or svinit.',
    expects: `absolute paths, at most ${SCAN_DIRECTORIES_MAX}`,
    read: readScan,
  },
  {
    names: ['svinit.parallel'],
    option: '--parallel',
    value: 'N',
    about: 'Let at most this many services be starting at once.',
    expects: `a number from 1 to ${PARALLEL_MAX}`,
    read: whole(1, PARALLEL_MAX, (draft, n) => {
      draft.parallel = n;
    }),
  },
  {
    names: ['svinit.watchdog', 'systemd.watchdog_sec'],
    option: null,
    value: 'SECONDS',
    about: 'A watchdog of the machine resets it after so long without svinit (60); 0: unused.',
    expects: `a number from 0 to ${WATCHDOG_MAX}`,
    read: whole(0, WATCHDOG_MAX, (draft, n) => {
      draft.watchdog = n;
    }),
  },
  {
    names: ['svinit.autologin'],
    option: null,
    value: null,
    about: 'Open a shell on each console even if root has a password; no: always ask for a login.',
    expects: 'yes or no',
    read: flag((draft, on) => {
      draft.autologin = on;
    }),
  },
  {
    names: ['svinit.tmpfs_size'],
    option: null,
    value: 'SIZE',
    about: 'Size of the private tmpfs (16M).',
    expects: 'bytes from 1M to 1T, with K, M, G or T behind the number',
    read: readTmpfsSize,
  },
  {
    names: ['svinit.memory_min'],
    option: null,
    value: 'SIZE',
    about: 'Memory kept for svinit whatever its services take, by cgroup v2 (64M); 0: none.',
    expects: 'bytes up to 1T, with K, M, G or T behind the number',
    read: readMemoryMin,
  },
  {
    names: ['svinit.main'],
    option: '--main',
    value: 'NAME',
    about: 'End with this service, and with its exit code.',
    expects: 'the name of a service',
    read: matching(isName, (draft, name) => {
      draft.main = name;
    }),
  },
  {
    names: ['svinit.hostname', 'systemd.hostname', 'hostname'],
    option: null,
    value: 'NAME',
    about: 'The name of the machine.',
    expects: 'at most 64 letters, digits, dots and hyphens',
    read: matching(isHostname, (draft, name) => {
      draft.hostname = name;
    }),
  },
  {
    names: [],
    option: '--run',
    value: 'DIR',
    about: 'Keep sockets, FIFOs and added services here instead of /run/svinit.',
    expects: 'an absolute path',
    read: matching(isAbsolute, (draft, path) => {
      draft.run = path;
    }),
  },
];

export const BOOT_KEYS: readonly BootKey[] = [...OWN, ...ROOT_KEYS, ...PHASE_KEYS];
