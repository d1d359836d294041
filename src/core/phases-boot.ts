/**
 * The points of a boot at which it can be stopped, under the names dracut.cmdline(7) gives them. It
 * does not know what happens between them.
 */

export type Phase =
  /** PID 1 has read the kernel command line; nothing is mounted but /proc. */
  | 'cmdline'
  /** Stage 1 is done; nothing is supervised yet. */
  | 'pre-udev'
  /** Before the devices of the machine get their modules. */
  | 'pre-trigger'
  /** Before the device of the root is waited for. */
  | 'initqueue'
  /** The device is there; before its filesystem is checked and mounted. */
  | 'pre-mount'
  /** The root is mounted. */
  | 'mount'
  /** Before services of the root are started, or the root is handed the machine. */
  | 'pre-pivot'
  /** All services are down; before PID 1 becomes the init of the root. */
  | 'cleanup';

/** In the order in which a boot passes them. */
export const PHASES: readonly Phase[] = [
  'cmdline',
  'pre-udev',
  'pre-trigger',
  'initqueue',
  'pre-mount',
  'mount',
  'pre-pivot',
  'cleanup',
];

/** Where `rd.break` and `break` stop that name no phase: the last point every root passes. */
export const DEFAULT_BREAK: Phase = 'pre-pivot';

/** The phase that `word` means on a kernel command line; null: none. */
export function phaseNamed(word: string): Phase | null {
  return PHASES.find((phase) => phase === word) ?? OTHER_NAMES.get(word) ?? null;
}

/** What initramfs-tools(7) calls them, under `break=`; its `mount` comes a little earlier. */
const OTHER_NAMES: ReadonlyMap<string, Phase> = new Map([
  ['top', 'cmdline'],
  ['modules', 'pre-trigger'],
  ['premount', 'pre-mount'],
  ['mountroot', 'pre-mount'],
  ['bottom', 'pre-pivot'],
  ['init', 'cleanup'],
]);
