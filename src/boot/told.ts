/**
 * What the kernel command line asks for, for programs that a boot runs beside PID 1. They read it
 * themselves, so that nothing has to be handed from one to the other.
 */
import type { BootOptions } from '../core/boot-options.ts';
import { parseCommandLine } from '../core/cmdline.ts';
import { lineWith } from '../core/kernel-words.ts';
import { type BootFiles, realFiles } from './files.ts';
import { inFirstNamespace } from './observe.ts';

/**
 * In a container the line is that of the machine outside, and nothing is asked for.
 * @param more Words that count as if they stood at its end.
 */
export function bootOptions(
  files: BootFiles = realFiles,
  more: readonly string[] = [],
): BootOptions {
  const text = inFirstNamespace(files) ? files.read('/proc/cmdline') : null;
  return parseCommandLine(more.length === 0 ? (text ?? '') : lineWith(text ?? '', more));
}
