/**
 * A connected socket of the image before as a stream of this runtime: each has its own way in.
 */
import { Socket } from 'node:net';
import type { Fd } from '../core/units.ts';

/** The stream owns `fd` from here on, and closes it. */
export function adoptSocket(fd: Fd): Socket {
  if (process.versions['bun'] === undefined) return new Socket({ fd });
  // Bun ignores a descriptor that is given to the constructor, and takes one to connect to.
  return new Socket().connect({ fd } as unknown as { path: string });
}
