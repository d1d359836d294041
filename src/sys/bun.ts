/**
 * Binds the table of C signatures with bun:ffi. Knows how Bun passes values; decides nothing.
 *
 * A typed array given as an argument stays alive through its call, because the array of arguments
 * holds it and the call is synchronous. An address is a plain number that keeps nothing alive.
 */
import type * as BunFfi from 'bun:ffi';
import type { CValue, Libc } from './libc.ts';
import { cString } from './memory.ts';
import { C_NAMES, type CName, type CType, SIGNATURES } from './signatures.ts';

/** glibc ≥ 2.34 has everything in libc.so.6. The binding belongs to the thread that made it. */
export function bindWithBun(): Libc {
  // Not an import statement: a bundler would lift it into the program that runs on Node.
  const ffi = process.getBuiltinModule('bun:ffi') as typeof BunFfi;
  const { symbols } = ffi.dlopen('libc.so.6', { ...DEFINITIONS, __errno_location: ERRNO_LOCATION });
  const functions = symbols as Readonly<Record<CName | '__errno_location', BunFunction>>;
  const errnoAt = Number(functions.__errno_location());
  return {
    call: (name, ...args) => Number(invoke(functions[name], args)),
    errno: () => ffi.read.i32(errnoAt, 0),
    address: (buffer) => ffi.ptr(buffer),
  };
}

type BunFunction = (...args: BunFfi.FFIArgument[]) => BunFfi.FFIResult;

const TYPES: Readonly<Record<CType, BunFfi.FFIType>> = {
  i32: 'i32',
  u32: 'u32',
  i64: 'i64_fast',
  u64: 'u64_fast',
  string: 'ptr',
  pointer: 'ptr',
};

const DEFINITIONS: Readonly<Record<string, BunFfi.FFIFunction>> = Object.fromEntries(
  C_NAMES.map((name) => {
    const { args, returns } = SIGNATURES[name];
    return [name, { args: args.map((type) => TYPES[type]), returns: TYPES[returns] }];
  }),
);

const ERRNO_LOCATION: BunFfi.FFIFunction = { args: [], returns: 'ptr' };

/** Naming the arguments takes half the instructions that spreading an array takes. */
function invoke(act: BunFunction, args: readonly CValue[]): BunFfi.FFIResult {
  const [a, b, c, d] = [args[0] ?? null, args[1] ?? null, args[2] ?? null, args[3] ?? null];
  switch (args.length) {
    case 0:
      return act();
    case 1:
      return act(toBun(a));
    case 2:
      return act(toBun(a), toBun(b));
    case 3:
      return act(toBun(a), toBun(b), toBun(c));
    case 4:
      return act(toBun(a), toBun(b), toBun(c), toBun(d));
    default:
      return act(...args.map(toBun));
  }
}

function toBun(value: CValue): BunFfi.FFIArgument {
  return typeof value === 'string' ? cString(value) : value;
}
