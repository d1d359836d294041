/**
 * Writes a POSIX ustar archive, the form container engines import (pax(1), "ustar Interchange
 * Format").
 *
 * Same entries, same time, same bytes, as in `cpio.ts`. Device nodes are left out: engines bring
 * their own `/dev`, and unpacking as an ordinary user could not make them.
 */
import { type Entry, payload, sorted } from './entries.ts';

const BLOCK_BYTES = 512;
const NAME_BYTES_MAX = 100;

type Stored = Exclude<Entry, { type: 'node' }>;

const TYPE_FLAG = { directory: '5', file: '0', link: '2' } as const;

/**
 * The archive of `entries` without its nodes.
 * @param time seconds since the epoch, stamped on every entry.
 */
export function tar(entries: readonly Entry[], time: number): Uint8Array {
  const stored = sorted(entries).filter((entry): entry is Stored => entry.type !== 'node');
  const members = stored.flatMap((entry) => {
    const body = entry.type === 'file' ? payload(entry) : new Uint8Array(0);
    return [
      header(entry, body.length, time),
      body,
      new Uint8Array(-body.length & (BLOCK_BYTES - 1)),
    ];
  });
  // The end is two blocks of zeroes.
  return Buffer.concat([...members, new Uint8Array(2 * BLOCK_BYTES)]);
}

function header(entry: Stored, size: number, time: number): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES);
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const target = entry.type === 'link' ? entry.target : '';
  for (const text of [name, target]) {
    if (Buffer.byteLength(text) > NAME_BYTES_MAX)
      throw new TypeError(`Too long for ustar: ${text}`);
  }
  block.write(name, 0);
  block.write(octal(entry.mode, 8), 100);
  block.write(octal(entry.uid ?? 0, 8), 108);
  block.write(octal(entry.gid ?? 0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(time, 12), 136);
  block.write(TYPE_FLAG[entry.type], 156);
  block.write(target, 157);
  block.write('ustar\u000000', 257);
  // The sum is taken with its own field full of spaces.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 7)} `, 148);
  return block;
}

/** An octal number filling `width` bytes, the last of them NUL. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
