/**
 * Messages of svviews, on descriptor 2. They may be about what clients write, and so as many as
 * those like; and the log may be full: neither must hold up who waits for a view.
 */
import type { Fd } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { codeOf } from './errors.ts';

/** The same again and again is said this often at most. */
const SAY_AGAIN_MS = 1000;

/** Says one line a call; what does not fit is not said. */
export function speaker(kernel: Pick<Kernel, 'open' | 'write'>): (message: string) => void {
  const fd = openStderr(kernel);
  let last = '';
  let saidAt = Number.NEGATIVE_INFINITY;
  return (message) => {
    const now = performance.now();
    if (message === last && now - saidAt < SAY_AGAIN_MS) return;
    last = message;
    saidAt = now;
    try {
      kernel.write(fd, Buffer.from(`svviews: ${message}\n`));
    } catch (error) {
      if (codeOf(error) === null) throw error;
    }
  };
}

/** Opened anew: the flag would hold for all who share the descriptor. A socket cannot be opened. */
function openStderr(kernel: Pick<Kernel, 'open'>): Fd {
  try {
    return kernel.open('/proc/self/fd/2', O.WRONLY | O.NONBLOCK | O.APPEND | O.NOCTTY);
  } catch {
    return 2 as Fd;
  }
}
