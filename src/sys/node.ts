/**
 * Binds the table of C signatures with node:ffi. Knows how Node passes values; decides nothing.
 * Integers of 64 bits are BigInt for Node, and only here. Buffers and texts given as arguments are
 * kept by Node through the call, and a text with a NUL is refused; an address keeps nothing alive.
 */
import type { CValue, Libc } from './libc.ts';
import { C_NAMES, type CName, type CType, SIGNATURES } from './signatures.ts';

/** glibc ≥ 2.34 has everything in libc.so.6. The binding belongs to the thread that made it. */
export function bindWithNode(): Libc {
  // Not an import statement: a bundler would lift it into the program that runs on Bun.
  const ffi = process.getBuiltinModule('node:ffi');
  const { functions } = ffi.dlopen('libc.so.6', {
    ...DEFINITIONS,
    __errno_location: { arguments: [], return: 'pointer' },
  });
  const bound = functions as unknown as Readonly<Record<CName | '__errno_location', NodeFunction>>;
  const errnoAt = BigInt(bound.__errno_location());
  return {
    call: (name, ...args) => Number(bound[name](...toNode(args, SIGNATURES[name].args))),
    errno: () => ffi.getInt32(errnoAt, 0),
    address: (buffer) => Number(ffi.getRawPointer(buffer)),
  };
}

type NodeValue = number | bigint | string | Uint8Array | null;
type NodeFunction = (...args: NodeValue[]) => number | bigint;

const TYPES = {
  i32: 'i32',
  u32: 'u32',
  i64: 'i64',
  u64: 'u64',
  string: 'pointer',
  pointer: 'pointer',
} as const satisfies Readonly<Record<CType, string>>;

const DEFINITIONS = Object.fromEntries(
  C_NAMES.map((name) => {
    const { args, returns } = SIGNATURES[name];
    return [name, { arguments: args.map((type) => TYPES[type]), return: TYPES[returns] }];
  }),
);

function toNode(args: readonly CValue[], types: readonly CType[]): NodeValue[] {
  return args.map((value, i) => {
    if (typeof value !== 'number') return value;
    return types[i] === 'i32' || types[i] === 'u32' ? value : BigInt(value);
  });
}
