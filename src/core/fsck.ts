/**
 * The check of a filesystem before it is mounted: which program, with which arguments, and what its
 * exit status means. fsck(8), e2fsck(8) and systemd-fsck(8) have the words.
 */
import type { BootOptions } from './boot-options.ts';
import type { Exit } from './exit.ts';
import type { RootDevice } from './root.ts';

export type FsckOptions = Pick<BootOptions, 'fsckMode' | 'fsckRepair' | 'overlay'>;

export type FsckPlan =
  | {
      readonly check: true;
      readonly argv: readonly [string, ...string[]];
      /** The same without a change, to be tried first where the disk shall stay as it is. */
      readonly look: readonly [string, ...string[]] | null;
    }
  | { readonly check: false; readonly why: string };

export type FsckVerdict = {
  readonly next: 'mount' | 'reboot' | 'refuse';
  /** A sentence for people without the name of the device; empty: nothing is worth telling. */
  readonly words: string;
};

/** Filesystems that have nothing to be repaired, or check themselves when they are mounted. */
const UNCHECKED: ReadonlySet<string> = new Set([
  ...['squashfs', 'erofs', 'iso9660', 'udf', 'cramfs', 'romfs', 'tmpfs', 'xfs', 'btrfs'],
]);
/** Those whose `-f` means that they are checked although they are marked as clean. */
const FORCED: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4', 'f2fs']);

/** How `fsck.mode=` and `fsck.repair=` are said to all of the fsck programs alike. */
const REPAIR: Readonly<Record<FsckOptions['fsckRepair'], string>> = {
  preen: '-a',
  yes: '-y',
  no: '-n',
};

/** Whether `device`, which holds a filesystem of `type`, is checked, and how. */
export function planFsck(options: FsckOptions, type: string | null, device: RootDevice): FsckPlan {
  if (options.fsckMode === 'skip') return { check: false, why: 'fsck.mode=skip' };
  if (type === null) return { check: false, why: 'its filesystem is not known' };
  if (UNCHECKED.has(type)) return { check: false, why: `${type} needs no check` };
  if (device.readOnly) return { check: false, why: 'the device is read-only' };
  const force = options.fsckMode === 'force' && FORCED.has(type) ? ['-f'] : [];
  const argvWith = (repair: FsckOptions['fsckRepair']): [string, ...string[]] => {
    return [`fsck.${type}`, REPAIR[repair], ...force, device.path];
  };
  // e2fsck(8) notes the time of a check that found nothing, too.
  const isKept = options.overlay === 'overlay' || options.overlay === 'yes';
  const look = isKept && options.fsckRepair !== 'no' ? argvWith('no') : null;
  return { check: true, argv: argvWith(options.fsckRepair), look };
}

/** Bits of the exit status (fsck(8)). */
const CORRECTED = 1;
const REBOOT = 2;
const UNCORRECTED = 4;

const WAY_ON = 'fsck.repair=yes repairs it, fsck.mode=skip takes it as it is';

/** What the end of the check says. */
export function fsckVerdict(exit: Exit): FsckVerdict {
  if (exit.kind === 'signal') {
    return { next: 'refuse', words: `its check was ended by signal ${exit.signal}; ${WAY_ON}` };
  }
  const { code } = exit;
  if ((code & ~(CORRECTED | REBOOT | UNCORRECTED)) !== 0) {
    return { next: 'refuse', words: `its check failed with exit status ${code}; ${WAY_ON}` };
  }
  if ((code & UNCORRECTED) !== 0) {
    return { next: 'refuse', words: `its check left errors (exit status ${code}); ${WAY_ON}` };
  }
  if ((code & REBOOT) !== 0) {
    return { next: 'reboot', words: 'its check has repaired it and asks for a restart' };
  }
  return { next: 'mount', words: code === 0 ? '' : 'its check has repaired it' };
}
