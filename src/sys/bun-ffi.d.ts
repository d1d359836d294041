/**
 * The part of bun:ffi that svinit relies on, declared here so that Bun's globals stay out of the
 * tree. Source: Bun 1.4.5, https://bun.com/docs/api/ffi.
 */
declare module 'bun:ffi' {
  /** `i64_fast` and `u64_fast` return a number where the value is a safe integer. */
  type FFIType = 'i32' | 'u32' | 'i64_fast' | 'u64_fast' | 'ptr';

  type FFIFunction = { readonly args: readonly FFIType[]; readonly returns: FFIType };

  /** A `ptr` parameter takes a typed array, an address, or null. */
  type FFIArgument = number | Uint8Array | null;

  type FFIResult = number | bigint | null;

  export function dlopen(
    path: string,
    symbols: Readonly<Record<string, FFIFunction>>,
  ): { readonly symbols: Readonly<Record<string, (...args: FFIArgument[]) => FFIResult>> };

  /** The address of the bytes. A plain number: it does not keep `view` alive. */
  export function ptr(view: Uint8Array): number;

  export const read: { readonly i32: (address: number, offset: number) => number };
}
