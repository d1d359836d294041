/**
 * What the kernel command line can say of the root: where it is, how it is checked and mounted, and
 * who is its init. Names and values are those of kernel-parameters.rst, kernel-command-line(7) and
 * systemd-fsck(8), so that boot entries written for others mean the same.
 */
import { type BootKey, flagKey } from './boot-key.ts';
import type { BootDraft, Overlay } from './boot-options.ts';
import {
  choice,
  flag,
  isAbsolute,
  isFsType,
  isLine,
  matching,
  type Reader,
  whole,
} from './boot-values.ts';

/** An hour: longer is a slip of the pen, and there is `rootwait`. */
const WAIT_MAX = 3600;

const OVERLAYS: readonly Overlay[] = ['no', 'state', 'overlay', 'yes'];

const RO: BootKey = flagKey(['ro'], 'Mount the root so that it cannot be written.', (draft, on) => {
  draft.rw = !on;
});

const RW: BootKey = flagKey(['rw'], 'Mount the root so that it can be written.', (draft, on) => {
  draft.rw = on;
});

const ETC_OVERLAY: BootKey = flagKey(
  ['svinit.etc_overlay'],
  'Keep in memory what is written below /etc of the root.',
  (draft, on) => {
    draft.etcOverlay = on;
  },
);

export const ROOT_KEYS: readonly BootKey[] = [
  {
    names: ['root'],
    option: null,
    value: 'DEVICE|UUID=…|LABEL=…|PARTUUID=…|PARTLABEL=…|tmpfs|none',
    about: 'Where the root is; none: this archive is all there is.',
    expects: 'a device, or a tag such as LABEL=root',
    read: matching(isLine, (draft, text) => {
      draft.root = text;
    }),
  },
  {
    names: ['rootfstype'],
    option: null,
    value: 'TYPE[,TYPE…]',
    about: 'The filesystem of the root, instead of the one that is found there.',
    expects: 'the name of a filesystem',
    read: matching(isFsType, (draft, text) => {
      draft.rootfstype = text;
    }),
  },
  {
    names: ['rootflags'],
    option: null,
    value: 'OPTION[,OPTION…]',
    about: 'Mount the root with these options; repeatable.',
    expects: 'options of mount(8)',
    read: matching(isLine, (draft, text) => {
      const said = draft.rootflags ?? null;
      draft.rootflags = said === null ? text : `${said},${text}`;
    }),
  },
  RO,
  RW,
  {
    names: ['rootdelay'],
    option: null,
    value: 'SECONDS',
    about: 'Wait so long before the device of the root is looked for (0).',
    expects: `a number from 0 to ${WAIT_MAX}`,
    read: whole(0, WAIT_MAX, (draft, n) => {
      draft.rootdelay = n;
    }),
  },
  {
    names: ['rootwait'],
    option: null,
    value: '[SECONDS]',
    about: 'Wait for the device of the root for as long as it takes, or for so long.',
    expects: `nothing, or a number from 0 to ${WAIT_MAX}`,
    read: readWait,
  },
  {
    names: ['rd.timeout'],
    option: null,
    value: 'SECONDS',
    about: 'The device of the root is missing after so long (30); 0: never.',
    expects: `a number from 0 to ${WAIT_MAX}`,
    read: whole(0, WAIT_MAX, (draft, n) => {
      draft.rootwait = n === 0;
      if (n > 0) draft.rootTimeout = n;
    }),
  },
  {
    names: ['init'],
    option: null,
    value: 'PATH',
    about: 'The init of the root, to which this one hands the machine.',
    expects: 'an absolute path',
    read: matching(isAbsolute, (draft, path) => {
      draft.init = path;
    }),
  },
  {
    names: ['svinit.handover'],
    option: null,
    value: 'stay|classic',
    about: 'Stay PID 1 outside of the root, or hand the machine to its init (classic with init=).',
    expects: 'stay or classic',
    read: choice(['stay', 'classic'], (draft, word) => {
      draft.handover = word;
    }),
  },
  {
    names: ['svinit.overlay', 'systemd.volatile'],
    option: null,
    value: OVERLAYS.join('|'),
    about:
      'Keep in memory what is written: to /var (state), anywhere (overlay), all but /usr (yes).',
    expects: OVERLAYS.join(', '),
    read: overlay('yes'),
  },
  {
    names: ['rd.overlay'],
    option: null,
    value: null,
    about: 'Keep in memory whatever is written to the root.',
    expects: 'yes or no; a device for what is written cannot be used',
    read: overlay('overlay'),
  },
  ETC_OVERLAY,
  {
    names: ['fsck.mode'],
    option: null,
    value: 'auto|force|skip',
    about: 'Check the filesystem of the root when it asks for it, always or never.',
    expects: 'auto, force or skip',
    read: choice(['auto', 'force', 'skip'], (draft, word) => {
      draft.fsckMode = word;
    }),
  },
  {
    names: ['fsck.repair'],
    option: null,
    value: 'preen|yes|no',
    about: 'Repair what is safe to repair, everything, or nothing.',
    expects: 'preen, yes or no',
    read: choice(['preen', 'yes', 'no'], (draft, word) => {
      draft.fsckRepair = word;
    }),
  },
  flagKey(['forcefsck'], 'The same as fsck.mode=force.', (draft, on) => {
    if (on) draft.fsckMode = 'force';
  }),
  flagKey(['fastboot'], 'The same as fsck.mode=skip.', (draft, on) => {
    if (on) draft.fsckMode = 'skip';
  }),
  flagKey(['fsckfix'], 'The same as fsck.repair=yes.', (draft, on) => {
    if (on) draft.fsckRepair = 'yes';
  }),
];

/** `rootwait` and, since Linux 6.6, `rootwait=SECONDS`. */
function readWait(value: string | null, draft: BootDraft): boolean {
  if (value === null) {
    draft.rootwait = true;
    return true;
  }
  return whole(0, WAIT_MAX, (draft, n) => {
    draft.rootwait = false;
    draft.rootTimeout = n;
  })(value, draft);
}

/** One of the words; or yes, which is `whole`, and no. */
function overlay(whole: Overlay): Reader {
  const isWord = choice(OVERLAYS, (draft, word) => {
    draft.overlay = word === 'yes' ? whole : word;
  });
  const isTruth = flag((draft, on) => {
    draft.overlay = on ? whole : 'no';
  });
  return (value, draft) => isWord(value, draft) || isTruth(value, draft);
}
