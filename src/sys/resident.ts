/**
 * Memory that goes back to the kernel: what the runtime has freed and kept, and the pages of
 * programs and libraries that only a start needed. When that is worth it is the caller's.
 */
import { readFileSync } from 'node:fs';
import { fileMappings } from '../core/figures.ts';
import type { Libc } from './libc.ts';

/**
 * Collects garbage, and forgets all pages of files that are as they are in the file: those still
 * needed come back by a fault each, from the page cache. It takes milliseconds, tens of them for a
 * large heap. Never fails: what cannot be given back is kept.
 * @param smaps What is mapped, as proc_pid_smaps(5) has it.
 */
export function giveBack(libc: Libc, smaps: string = ownSmaps()): void {
  const { Bun } = globalThis as WithBun;
  Bun?.gc(true);
  // V8 then gives back the code of functions that ran only once, too.
  if (Bun === undefined) collector()?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  // Of glibc, malloc_trim(3): Bun has an allocator of its own, which has heard.
  if (Bun === undefined) libc.call('malloc_trim', 0);
  for (const { from, bytes } of fileMappings(smaps)) {
    libc.call('madvise', from, bytes, MADV_DONTNEED);
  }
}

type WithBun = { readonly Bun?: { readonly gc: (isFull: boolean) => void } };
type Collector = (options: Readonly<Record<string, string>>) => void;

/**
 * The collector of Node, as --expose-gc shows it to contexts that are made from then on. Given at
 * the start that option has Node refuse the compiled code of its own modules, half of that start.
 */
function collector(): Collector | null {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  try {
    setFlagsFromString('--expose-gc');
    return process.getBuiltinModule('node:vm').runInNewContext('gc');
  } catch {
    return null;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

/** asm-generic/mman-common.h: a private mapping of a file reads as the file again. */
const MADV_DONTNEED = 4;

function ownSmaps(): string {
  try {
    return readFileSync('/proc/self/smaps', 'utf8');
  } catch {
    return '';
  }
}
