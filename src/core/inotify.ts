/** What inotify(7) tells, as the kernel lays it out (linux/inotify.h). */
import { decodeUtf8 } from './logline.ts';

export type InotifyEvent = {
  /** What inotify_add_watch(2) gave; -1 when events were lost. */
  readonly number: number;
  /** IN bits. */
  readonly mask: number;
  /** Of what is in the watched directory; empty for itself. */
  readonly name: string;
};

/** linux/inotify.h. */
export const IN = {
  MODIFY: 0x2,
  ATTRIB: 0x4,
  CLOSE_WRITE: 0x8,
  MOVED_FROM: 0x40,
  MOVED_TO: 0x80,
  CREATE: 0x100,
  DELETE: 0x200,
  DELETE_SELF: 0x400,
  MOVE_SELF: 0x800,
  /** Events were lost. */
  Q_OVERFLOW: 0x4000,
  /** It is not watched any more. */
  IGNORED: 0x8000,
  ONLYDIR: 0x1000000,
  /** It happened to a directory. */
  ISDIR: 0x40000000,
} as const;

/** The events in what one read gave. */
export function eventsIn(bytes: Uint8Array): InotifyEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: InotifyEvent[] = [];
  for (let at = 0; at + NAME_AT <= bytes.length; ) {
    const end = at + NAME_AT + view.getUint32(at + LENGTH_AT, true);
    const padded = decodeUtf8(bytes.subarray(at + NAME_AT, end));
    const name = padded.split('\0', 1)[0] ?? '';
    events.push({
      number: view.getInt32(at, true),
      mask: view.getUint32(at + MASK_AT, true),
      name,
    });
    at = end;
  }
  return events;
}

/** struct inotify_event: wd, mask, cookie, len, and the name up to a NUL. */
const MASK_AT = 4;
const LENGTH_AT = 12;
const NAME_AT = 16;
