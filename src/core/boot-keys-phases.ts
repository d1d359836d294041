/**
 * What the kernel command line can say of the boot itself: where it stops, what it asks, what it
 * does when it fails. Names are those of dracut.cmdline(7) and initramfs-tools(7).
 */
import { type BootKey, flagKey } from './boot-key.ts';
import type { BootDraft } from './boot-options.ts';
import { choice, flag, isAbsolute, matching, whole } from './boot-values.ts';
import { DEFAULT_BREAK, PHASES, phaseNamed } from './phases-boot.ts';

/** An hour; nobody comes later than that. */
const ASK_MAX = 3600;

export const PHASE_KEYS: readonly BootKey[] = [
  {
    names: ['rd.break', 'break'],
    option: null,
    value: '[PHASE[,PHASE…]]',
    about: `Stop there and give a shell (${DEFAULT_BREAK}); repeatable.`,
    expects: `one or more of ${PHASES.join(', ')}`,
    read: readBreak,
  },
  flagKey(
    ['svinit.interactive'],
    'Ask at the console before each decision of the boot.',
    (draft, on) => {
      draft.interactive = on;
    },
  ),
  {
    names: ['rd.cmdline'],
    option: null,
    value: 'ask',
    about: 'The same as svinit.interactive.',
    expects: 'ask',
    read: choice(['ask'], (draft) => {
      draft.interactive = true;
    }),
  },
  flagKey(['rd.shell'], 'Give a shell when the boot has failed (yes).', (draft, on) => {
    draft.shell = on;
  }),
  {
    names: ['rd.emergency'],
    option: null,
    value: 'reboot|poweroff|halt',
    about: 'What becomes of a boot that has failed, instead of a question at the console.',
    expects: 'reboot, poweroff or halt',
    read: choice(['shell', 'reboot', 'poweroff', 'halt'], (draft, word) => {
      draft.emergency = word;
    }),
  },
  {
    names: ['svinit.ask'],
    option: null,
    value: 'SECONDS',
    about: 'Ask so long at the console when a phase has failed (10), then go on without it.',
    expects: `a number from 0 to ${ASK_MAX}`,
    read: whole(0, ASK_MAX, (draft, n) => {
      draft.askTimeout = n;
    }),
  },
  {
    names: ['systemd.show_status'],
    option: null,
    value: 'yes|no|auto|error',
    about: 'Unless yes, say only what is wrong on the console.',
    expects: 'yes, no, auto or error',
    read: readStatus,
  },
  {
    names: ['rd.ctty'],
    option: null,
    value: 'TTY',
    about: 'The terminal for the shells of the boot, instead of the last console.',
    expects: 'a terminal such as /dev/tty2',
    read: matching(isTerminal, (draft, name) => {
      draft.ctty = name.startsWith('/') ? name : `/dev/${name}`;
    }),
  },
];

/** Every phase that is one is noted, also beside others that are none. */
function readBreak(value: string | null, draft: BootDraft): boolean {
  const words = value === null ? [DEFAULT_BREAK] : value.split(',');
  const found = words.map(phaseNamed);
  const known = found.filter((phase) => phase !== null);
  draft.breaks = [...new Set([...(draft.breaks ?? []), ...known])];
  return known.length === words.length;
}

/** `systemd.show_status` of kernel-command-line(7). */
function readStatus(value: string | null, draft: BootDraft): boolean {
  const isSparse = choice(['auto', 'error'], (draft) => {
    draft.quiet = true;
  });
  const isTruth = flag((draft, on) => {
    draft.quiet = !on;
  });
  return isSparse(value, draft) || isTruth(value, draft);
}

/** With or without `/dev/` in front. */
function isTerminal(text: string): boolean {
  const isBelowDev = text.startsWith('/dev/') || !text.startsWith('/');
  return /^[A-Za-z0-9/_-]{1,64}$/.test(text) && isAbsolute(`/${text}`) && isBelowDev;
}
