/**
 * One act of a boot as a value that can be compared, listed and told in a line. It knows neither
 * which acts a boot needs nor how they are performed.
 */
import { unreachable } from './units.ts';

/** The part of mount(2)'s flags a boot needs, under the words of mount(8). */
export type BootMountFlag = 'nodev' | 'noexec' | 'nosuid' | 'strictatime';

/** Writable by us alone; others may only pass through, to the socket that is for looking. */
export const RUN_MODE = 0o711;

export type BootAct =
  /** A directory; what is there already keeps its mode. `mode` is exact, whatever the umask. */
  | { readonly do: 'mkdir'; readonly path: string; readonly mode: number }
  /**
   * A directory of ours: owned by us, no link, RUN_MODE. What cannot be made so is refused.
   */
  | { readonly do: 'claim'; readonly path: string }
  /** What is mounted on `path` from now on appears in no other mount namespace. */
  | { readonly do: 'private'; readonly path: string; readonly recursive: boolean }
  | {
      readonly do: 'mount';
      readonly type: string;
      readonly target: string;
      readonly flags: readonly BootMountFlag[];
      /** The filesystem's own options, tried in this order while the kernel answers EINVAL. */
      readonly data: readonly string[];
    }
  | { readonly do: 'symlink'; readonly path: string; readonly target: string }
  /** A character device; one that is there already gets `mode`. */
  | {
      readonly do: 'mknod';
      readonly path: string;
      readonly major: number;
      readonly minor: number;
      readonly mode: number;
    }
  /** Text into a file that exists. */
  | { readonly do: 'write'; readonly path: string; readonly text: string };

/** `fatal`: without it there is no supervision, so the boot must end in rescue. */
export type BootStep = BootAct & { readonly fatal: boolean };

/** In the words of the shell, so that a person can do the same by hand. */
export function describeStep(step: BootStep): string {
  switch (step.do) {
    case 'mkdir':
      return `mkdir -m ${octal(step.mode)} ${step.path}`;
    case 'claim':
      return `claim ${step.path} (ours, ${octal(RUN_MODE)})`;
    case 'private':
      return `mount --make-${step.recursive ? 'r' : ''}private ${step.path}`;
    case 'mount':
      return describeMount(step);
    case 'symlink':
      return `ln -s ${step.target} ${step.path}`;
    case 'mknod':
      return `mknod -m ${octal(step.mode)} ${step.path} c ${step.major} ${step.minor}`;
    case 'write':
      return `echo ${step.text.trimEnd()} > ${step.path}`;
    default:
      return unreachable(step);
  }
}

function describeMount(step: BootStep & { readonly do: 'mount' }): string {
  const options = [...step.flags, step.data[0] ?? ''].filter((word) => word !== '');
  const asked = options.length === 0 ? '' : `-o ${options.join(',')} `;
  return `mount -t ${step.type} ${asked}${step.type} ${step.target}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
