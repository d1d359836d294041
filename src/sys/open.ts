/**
 * Picks the binding for the runtime this program is run by: the only runtime test in the tree.
 */
import { bindWithBun } from './bun.ts';
import { type Kernel, openKernel } from './kernel.ts';
import type { Libc } from './libc.ts';
import { bindWithNode } from './node.ts';

/** The C library of the calling thread. */
export function openLibc(): Libc {
  return 'bun' in process.versions ? bindWithBun() : bindWithNode();
}

/** The kernel as seen by the calling thread: what an entry hands to everything else. */
export function openSystem(): Kernel {
  return openKernel(openLibc());
}
