/**
 * Memory that C may point into: blocks that never move, numbers written into them, and one block
 * for the strings of a program about to be started. It knows nothing of what the bytes mean.
 */
import type { Libc } from './libc.ts';

/** A C `char *const argv[]` and its strings, at rest until the next `packProgram`. */
export type PackedProgram = {
  readonly path: number;
  readonly argv: number;
  readonly envp: number;
  /** Where each of the other texts is. */
  readonly texts: readonly number[];
};

/**
 * A zeroed block with an address that stays. Made over an ArrayBuffer of its own because a small
 * typed array may live on the garbage-collected heap, where V8 moves it.
 */
export function memory(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(bytes));
}

export function viewOf(block: Uint8Array): DataView {
  return new DataView(block.buffer, block.byteOffset, block.byteLength);
}

/**
 * UTF-8 with a NUL at the end. @throws {TypeError} for a NUL inside: C would cut the text there.
 */
export function cString(text: string): Uint8Array {
  refuseNul(text);
  return encoder.encode(`${text}\0`);
}

/** @throws {TypeError} when C would see less than the whole text. */
export function refuseNul(text: string): void {
  if (text.includes('\0')) throw new TypeError(`Text for C holds a NUL: ${JSON.stringify(text)}`);
}

/** Writes an unsigned eight-byte number up to 2^53; more than that is written as all ones. */
export function putU64(view: DataView, offset: number, value: number): void {
  const known = Number.isSafeInteger(value);
  view.setUint32(offset, known ? value >>> 0 : U32_MAX, true);
  view.setUint32(offset + 4, known ? Math.floor(value / 2 ** 32) : U32_MAX, true);
}

/** Reads what `putU64` wrote; all ones (RLIM_INFINITY) is Infinity. */
export function getU64(view: DataView, offset: number): number {
  const low = view.getUint32(offset, true);
  const high = view.getUint32(offset + 4, true);
  return low === U32_MAX && high === U32_MAX ? Number.POSITIVE_INFINITY : high * 2 ** 32 + low;
}

/**
 * Lays out path, argument and environment vectors for `execve`, and `others`, in one block that
 * lives as long as the module: the collector cannot take what the kernel is still to read.
 */
export function packProgram(
  libc: Libc,
  path: string,
  argv: readonly string[],
  env: readonly string[],
  others: readonly string[] = [],
): PackedProgram {
  const texts = [path, ...argv, ...env, ...others];
  const tables = POINTER_BYTES * (argv.length + env.length + 2);
  const bytes = texts.reduce((sum, text) => sum + text.length * UTF8_PER_UNIT_MAX + 1, tables);
  if (block.length < bytes) block = memory(bytes * 2);
  const base = libc.address(block);
  const starts = putStrings(texts, base, tables);
  const view = viewOf(block);
  const envTable = POINTER_BYTES * (argv.length + 1);
  putPointers(view, 0, starts.slice(1, 1 + argv.length));
  const envEnd = 1 + argv.length + env.length;
  putPointers(view, envTable, starts.slice(1 + argv.length, envEnd));
  return {
    path: starts[0] ?? base,
    argv: base,
    envp: base + envTable,
    texts: starts.slice(envEnd),
  };
}

const U32_MAX = 0xffffffff;
const POINTER_BYTES = 8;
const UTF8_PER_UNIT_MAX = 3;
const encoder = new TextEncoder();
let block = memory(16384);

function putStrings(texts: readonly string[], base: number, from: number): number[] {
  let offset = from;
  return texts.map((text) => {
    refuseNul(text);
    const start = offset;
    offset += encoder.encodeInto(text, block.subarray(offset)).written;
    block[offset] = 0;
    offset += 1;
    return base + start;
  });
}

function putPointers(view: DataView, offset: number, addresses: readonly number[]): void {
  addresses.forEach((address, i) => {
    putU64(view, offset + POINTER_BYTES * i, address);
  });
  putU64(view, offset + POINTER_BYTES * addresses.length, 0);
}
