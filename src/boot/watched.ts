/** Which watches of an inotify descriptor something has happened to: inotify(7). */
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

/** The numbers of the watches, each once; drains the descriptor. */
export function watchesOf(kernel: Pick<Kernel, 'read'>, fd: Fd): ReadonlySet<number> {
  const buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  const view = new DataView(buffer.buffer);
  const watches = new Set<number>();
  for (;;) {
    const count = kernel.read(fd, buffer);
    if (count === null || count === 0) return watches;
    for (let at = 0; at + EVENT_BYTES <= count; ) {
      watches.add(view.getInt32(at, true));
      at += EVENT_BYTES + view.getUint32(at + LENGTH_AT, true);
    }
  }
}

/** Room for many events, and for one with a name of 256 bytes at least. */
const BUFFER_BYTES = 16384;
/** struct inotify_event of linux/inotify.h without its name, and where the length of that is. */
const EVENT_BYTES = 16;
const LENGTH_AT = 12;
