/**
 * CRC-32 as zlib has it. Bun has it at hand. Loading node:zlib, with the streams it brings along,
 * is 3 ms of a start, and a few services need few sums: only who has much to sum does.
 */
import type { crc32 as Crc32 } from 'node:zlib';

type WithBun = { readonly Bun?: { readonly hash: { crc32(bytes: Uint8Array): number } } };
type Sum = typeof Crc32 | typeof slow;

/** @returns an unsigned number of 32 bits. */
export function crc32(bytes: Uint8Array): number {
  left -= bytes.length;
  if (left < 0 && native === null) native = fromZlib();
  return (native ?? slow)(bytes);
}

/** The same, byte by byte. */
export function slow(bytes: Uint8Array): number {
  let crc = ~0;
  for (let at = 0; at < bytes.length; at += 1) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  }
  return ~crc >>> 0;
}

/** So many bytes are summed for less than zlib takes to load. */
let left = 16_384;

let native: Sum | null = (globalThis as WithBun).Bun?.hash.crc32 ?? null;

/** Where even that is not to be had, as when memory is short, sums are slow and right. */
function fromZlib(): Sum {
  try {
    return process.getBuiltinModule('node:zlib').crc32;
  } catch {
    return slow;
  }
}

/** IEEE 802.3, its bits reversed. */
const POLYNOMIAL = 0xedb88320;

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc;
});
