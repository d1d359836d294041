/**
 * What the kernel command line and svinit's own arguments can say: one row a key. The parser, help
 * and the reference page are driven by this table. It knows no quoting and no files.
 */
import {
  flag,
  isAbsolute,
  isGroup,
  isHostname,
  isName,
  matching,
  type Reader,
  readConsole,
  readScan,
  readTmpfsSize,
  readUnit,
  SCAN_DIRECTORIES_MAX,
  whole,
} from './boot-values.ts';

export type BootKey = {
  /** As written on the kernel command line, `-` and `_` alike; more than one: the same thing. */
  readonly names: readonly string[];
  /** As an argument of svinit; null: not one. */
  readonly option: string | null;
  /** How the value is shown in help; null: there is none, the key alone says it. */
  readonly value: string | null;
  readonly about: string;
  /** Completes "expected …" when a value is refused. */
  readonly expects: string;
  /** Notes what `value` says (null: no `=`) and tells whether it could be understood. */
  readonly read: Reader;
};

/** CONSOLE_LOGLEVEL_MOTORMOUTH of linux/printk.h: the kernel shows everything from here on. */
const LOGLEVEL_MAX = 15;
/** As many services as svinit will supervise. */
/** An hour; drivers have limits of their own and take what they can. */
const WATCHDOG_MAX = 3600;
const PARALLEL_MAX = 1000;

export const BOOT_KEYS: readonly BootKey[] = [
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
    value: 'DIR[,DIR…]',
    about: 'Look for service directories here only; repeatable, the first match wins.',
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
    names: ['svinit.watchdog'],
    option: null,
    value: 'SECONDS',
    about: 'A watchdog of the machine resets it after so long without svinit (60); 0: unused.',
    expects: `a number from 0 to ${WATCHDOG_MAX}`,
    read: whole(0, WATCHDOG_MAX, (draft, n) => {
      draft.watchdog = n;
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
    names: ['svinit.group'],
    option: null,
    value: 'GROUP',
    about: 'Members of this group may read the control socket.',
    expects: 'the name or the number of a group',
    read: matching(isGroup, (draft, name) => {
      draft.group = name;
    }),
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

/** A word that is a target by itself: `single`; `single=no` says nothing. */
function targetWord(target: string, names: readonly string[], about: string): BootKey {
  const read = flag((draft, on) => {
    if (on) draft.target = target;
  });
  return { names, option: null, value: null, about, expects: 'yes or no', read };
}
