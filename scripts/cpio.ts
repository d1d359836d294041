/**
 * Writes a newc cpio archive, the form the kernel unpacks as its first root
 * (linux/Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * The same entries and the same time give the same bytes: paths are sorted, inodes numbered from 1,
 * every time stamp is the one handed in. Several archives may follow one another in one file; each
 * is a multiple of 4 bytes long, as the kernel asks.
 */
import { type Entry, fullMode, payload, sorted } from './entries.ts';

/** Header fields are 8 hexadecimal digits each, after the magic number. */
const MAGIC = '070701';
const HEADER_BYTES = 110;
const TRAILER = 'TRAILER!!!';

/**
 * The archive of `entries`.
 * @param time seconds since the epoch, stamped on every entry.
 */
export function cpio(entries: readonly Entry[], time: number): Uint8Array {
  const parts = sorted(entries).flatMap((entry, index) => member(entry, index + 1, time));
  const trailer = header(TRAILER, { links: 1 });
  return Buffer.concat([...parts, ...padded(trailer)]);
}

/**
 * Archives behind one another, compressed or not: the kernel unpacks them in this order. It skips
 * zeroes between them, and wants one that is not compressed to begin at a multiple of 4.
 */
export function joined(...archives: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(archives.flatMap(padded));
}

function member(entry: Entry, inode: number, time: number): readonly Uint8Array[] {
  const body = payload(entry);
  const node = entry.type === 'node' ? entry : null;
  const head = header(entry.path, {
    inode,
    mode: fullMode(entry),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    links: entry.type === 'directory' ? 2 : 1,
    time,
    size: body.length,
    major: node?.major ?? 0,
    minor: node?.minor ?? 0,
  });
  return [...padded(head), ...padded(body)];
}

type Fields = {
  readonly inode?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly links: number;
  readonly time?: number;
  readonly size?: number;
  readonly major?: number;
  readonly minor?: number;
};

/** The header and the name with its final NUL, not yet padded. */
function header(name: string, f: Fields): Uint8Array {
  const bytes = Buffer.from(`${name}\0`);
  // biome-ignore format: the order of the fields is the format
  const numbers = [
    f.inode ?? 0, f.mode ?? 0, f.uid ?? 0, f.gid ?? 0, f.links, f.time ?? 0, f.size ?? 0,
    0, 0, f.major ?? 0, f.minor ?? 0, bytes.length, 0,
  ];
  const head = Buffer.from(MAGIC + numbers.map((n) => n.toString(16).padStart(8, '0')).join(''));
  if (head.length !== HEADER_BYTES) throw new TypeError(`A field of ${name} is beyond 32 bits`);
  return Buffer.concat([head, bytes]);
}

/** `bytes`, and the zeroes that make their length a multiple of 4. */
function padded(bytes: Uint8Array): readonly Uint8Array[] {
  return [bytes, new Uint8Array(-bytes.length & 3)];
}
