/**
 * Numbers and texts at places of a block of bytes, as the formats on disks hold them. It knows no
 * format. Whoever asks beyond the end of a block gets zeros, so that short and hostile input is a
 * matter of values and not of exceptions.
 */
import { decodeUtf8 } from './logline.ts';

/**
 * Bytes of a device from `offset` on, fewer than `length` where it ends. May throw what its maker
 * says; decoders let it pass.
 */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** All `length` bytes at `offset`, or null when the device ends before. */
export function wholeAt(read: ReadAt, offset: number, length: number): Uint8Array | null {
  if (!Number.isSafeInteger(offset) || offset < 0) return null;
  const bytes = read(offset, length);
  return bytes.length < length ? null : bytes;
}

export function u16(bytes: Uint8Array, at: number): number {
  return byte(bytes, at) + byte(bytes, at + 1) * 0x100;
}

export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) + u16(bytes, at + 2) * 0x10000;
}

/** More than 2^53 is no exact number, and no place on any device. */
export function u64(bytes: Uint8Array, at: number): number {
  return u32(bytes, at) + u32(bytes, at + 4) * 2 ** 32;
}

/** The same, the most significant byte first. */
export function u16be(bytes: Uint8Array, at: number): number {
  return byte(bytes, at) * 0x100 + byte(bytes, at + 1);
}

export function u32be(bytes: Uint8Array, at: number): number {
  return u16be(bytes, at) * 0x10000 + u16be(bytes, at + 2);
}

/** Whether the bytes at `at` are the characters of `text`, each one byte. */
export function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  return asciiAt(bytes, at, text.length) === text;
}

/** `length` bytes as characters of one byte each, whatever they are. */
export function asciiAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/** UTF-8 up to a NUL or `length`, without blanks at its end; null when that is nothing. */
export function labelAt(bytes: Uint8Array, at: number, length: number): string | null {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return orNull(decodeUtf8(end < 0 ? field : field.subarray(0, end)));
}

/** UTF-16LE of at most `units`, up to a NUL; null when that is nothing. */
export function utf16At(bytes: Uint8Array, at: number, units: number): string | null {
  let text = '';
  for (let i = 0; i < units; i++) {
    const unit = u16(bytes, at + 2 * i);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return orNull(text.toWellFormed());
}

/** Sixteen bytes in the order they lie there, as `8-4-4-4-12`; null when all are zero. */
export function uuidAt(bytes: Uint8Array, at: number): string | null {
  const hex = hexAt(bytes, at, 16);
  return /^0*$/.test(hex) ? null : dashed(hex);
}

/** A UUID whose first three parts are numbers of little end, as EFI writes them. */
export function guidAt(bytes: Uint8Array, at: number): string | null {
  const [a, b, c] = [u32(bytes, at), u16(bytes, at + 4), u16(bytes, at + 6)];
  const head = hex(a, 8) + hex(b, 4) + hex(c, 4);
  const all = head + hexAt(bytes, at + 8, 8);
  return /^0*$/.test(all) ? null : dashed(all);
}

/** Lower case, `digits` of them at least. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** `length` bytes as hexadecimal digits, missing ones left out. */
export function hexAt(bytes: Uint8Array, at: number, length: number): string {
  return [...bytes.subarray(at, at + length)].map((value) => hex(value, 2)).join('');
}

/** CRC-32 as of IEEE 802.3, which the tables of EFI carry. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const value of bytes) {
    crc ^= value;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}

/** 0x04c11db7 with its bits the other way round. */
const CRC_POLYNOMIAL = 0xedb88320;

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function orNull(text: string): string | null {
  const trimmed = text.replace(/[ \0]+$/, '');
  return trimmed === '' ? null : trimmed;
}

function dashed(digits: string): string {
  const at = [0, 8, 12, 16, 20, 32];
  return at
    .slice(1)
    .map((end, i) => digits.slice(at[i], end))
    .join('-');
}
