/**
 * How values of boot keys are read: each reader notes what a value says, or answers that it could
 * not be understood. What a key is called, and what is done with it, is not known here.
 */
import type { BootDraft } from './boot-options.ts';
import { nameProblem } from './names.ts';
import { scanRootOf } from './scan-roots.ts';

/** Notes what `value` says (null: no `=`) and tells whether it could be understood. */
export type Reader = (value: string | null, draft: BootDraft) => boolean;

export const SCAN_DIRECTORIES_MAX = 16;
/** More than any kernel takes (MAX_CMDLINECONSOLES of kernel/printk/printk.c is 8). */
const CONSOLES_MAX = 16;

/** `key`, `key=1`, `key=yes`, `key=on`, and their opposites. */
export function flag(note: (draft: BootDraft, on: boolean) => void): Reader {
  return (value, draft) => {
    const on = truth(value);
    if (on !== null) note(draft, on);
    return on !== null;
  };
}

/** Digits, from `min` to `max`. */
export function whole(
  min: number,
  max: number,
  note: (draft: BootDraft, n: number) => void,
): Reader {
  return (value, draft) => {
    const n = /^[0-9]{1,9}$/.test(value ?? '') ? Number(value) : Number.NaN;
    if (!(n >= min && n <= max)) return false;
    note(draft, n);
    return true;
  };
}

/** Any text that `fits`. */
export function matching(
  fits: (text: string) => boolean,
  note: (draft: BootDraft, text: string) => void,
): Reader {
  return (value, draft) => {
    if (value === null || !fits(value)) return false;
    note(draft, value);
    return true;
  };
}

/** One of `words`. */
export function choice<const W extends string>(
  words: readonly W[],
  note: (draft: BootDraft, word: W) => void,
): Reader {
  return (value, draft) => {
    const word = words.find((word) => word === value);
    if (word !== undefined) note(draft, word);
    return word !== undefined;
  };
}

/** A service or a bundle. */
export function isName(text: string): boolean {
  return nameProblem(text) === null;
}

/** hostname(7); __NEW_UTS_LEN of linux/utsname.h is 64. */
export function isHostname(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/.test(text);
}

/** An absolute path without control characters; PATH_MAX of linux/limits.h counts the NUL. */
export function isAbsolute(text: string): boolean {
  return text.startsWith('/') && text.length < 4096 && !/[\x00-\x1f\x7f]/.test(text);
}

/** Some text without control characters. */
export function isLine(text: string): boolean {
  return text !== '' && text.length < 4096 && !/[\x00-\x1f\x7f]/.test(text);
}

/** Names as /proc/filesystems has them, by commas (`mount_block_root` of init/do_mounts.c). */
export function isFsType(text: string): boolean {
  return /^[A-Za-z0-9_.]{1,32}(,[A-Za-z0-9_.]{1,32}){0,15}$/.test(text);
}

/**
 * `ttyS0,115200n8`: the terminal is what stands before the comma. Named again it moves to the end,
 * as the kernel prefers it then (`__add_preferred_console` of kernel/printk/printk.c). Empty and
 * `null` mean no console: nothing is added.
 */
export function readConsole(value: string | null, draft: BootDraft): boolean {
  const name = value?.split(',', 1)[0];
  if (name === '' || name === 'null') return true;
  if (name === undefined || !/^[A-Za-z][A-Za-z0-9/_-]{0,31}$/.test(name)) return false;
  const others = (draft.consoles ?? []).filter((other) => other !== name);
  if (others.length >= CONSOLES_MAX) return false;
  draft.consoles = [...others, name];
  return true;
}

/** Directories by commas, added to those named before; each may say its dialect. */
export function readScan(value: string | null, draft: BootDraft): boolean {
  const directories = value?.split(',') ?? [];
  const all = [...(draft.scan ?? []), ...directories];
  if (directories.length === 0 || all.length > SCAN_DIRECTORIES_MAX) return false;
  if (!directories.every((text) => isAbsolute(scanRootOf(text).path))) return false;
  draft.scan = all;
  return true;
}

/** `rescue.target` and `emergency.target` of systemd.special(7); other units mean nothing here. */
export function readUnit(value: string | null, draft: BootDraft): boolean {
  const unit = /^(rescue|emergency)\.target$/.exec(value ?? '');
  if (unit?.[1] !== undefined) draft.target = unit[1];
  return value !== null;
}

/** A size of the private tmpfs, as the kernel writes sizes (`memparse` of lib/cmdline.c). */
export function readTmpfsSize(value: string | null, draft: BootDraft): boolean {
  const bytes = sizeBytes(value ?? '');
  if (bytes === null || bytes < TMPFS_MIN || bytes > TMPFS_MAX) return false;
  draft.tmpfsSize = bytes;
  return true;
}

/** A size, which may be nothing at all. */
export function readMemoryMin(value: string | null, draft: BootDraft): boolean {
  const bytes = sizeBytes(value ?? '');
  if (bytes === null || bytes > TMPFS_MAX) return false;
  draft.memoryMin = bytes;
  return true;
}

/** The words for yes and no of the kernel (kstrtobool of lib/kstrtox.c) and of systemd. */
const YES: readonly string[] = ['1', 'y', 'yes', 'on', 't', 'true'];
const NO: readonly string[] = ['0', 'n', 'no', 'off', 'f', 'false'];

function truth(value: string | null): boolean | null {
  if (value === null) return true;
  const word = value.toLowerCase();
  if (YES.includes(word)) return true;
  return NO.includes(word) ? false : null;
}

/** Below this the FIFOs of a full house do not fit; above it is a slip of the pen. */
const TMPFS_MIN: number = 2 ** 20;
const TMPFS_MAX: number = 2 ** 40;

function sizeBytes(text: string): number | null {
  const size = /^([0-9]{1,15})([kmgt]?)$/i.exec(text);
  if (size === null) return null;
  const power = 'kmgt'.indexOf((size[2] ?? '').toLowerCase() || ' ') + 1;
  return Number(size[1]) * 1024 ** power;
}
