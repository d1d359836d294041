/**
 * What a bound C library looks like to the verbs, and how a failed call becomes an error that says
 * what was tried. It knows neither the runtime beneath nor the meaning of any call.
 */
import { errnoName } from './errno.ts';
import { type ChildCallName, type CName, SIGNATURES } from './signatures.ts';

/** A number for every integer type and for an address; memory of ours; text; or a null pointer. */
export type CValue = number | string | Uint8Array | null;

/** The C library of one thread. Every call is synchronous and may block as its man page says. */
export interface Libc {
  /** Calls `name` with arguments as in SIGNATURES. Integers of 64 bits come back as numbers. */
  call(name: CName, ...args: readonly CValue[]): number;
  /** errno as the last failed call of this thread left it; to be read before any other call. */
  errno(): number;
  /** Where `buffer` lies, for a pointer inside a struct: the holder keeps `buffer` alive. */
  address(buffer: Uint8Array): number;
}

/** The system said no. `Cannot ACT on OBJECT: CALL failed with CODE`. */
export class SysError extends Error {
  override readonly name = 'SysError';
  readonly syscall: CName | ChildCallName;
  readonly errno: number;
  /** The name of `errno`, as `ENOENT`. */
  readonly code: string;

  constructor(syscall: CName | ChildCallName, errno: number, what: string) {
    const code = errnoName(errno);
    super(`Cannot ${what}: ${syscall} failed with ${code}`);
    this.syscall = syscall;
    this.errno = errno;
    this.code = code;
  }
}

/**
 * Calls `name` and gives its result.
 * @param what The act and its object, for the message: `mount tmpfs on /run`.
 * @throws {SysError} when the call failed in the way its signature says.
 */
export function check(libc: Libc, what: string, name: CName, ...args: CValue[]): number {
  const result = libc.call(name, ...args);
  const { fails } = SIGNATURES[name];
  if (fails === 'errno' && result === -1) throw new SysError(name, libc.errno(), what);
  if (fails === 'result' && result !== 0) throw new SysError(name, result, what);
  return result;
}

/** As `check`, but null when the call failed with one of `answers`: an answer, not an error. */
export function checkUnless(
  answers: readonly string[],
  libc: Libc,
  what: string,
  name: CName,
  ...args: CValue[]
): number | null {
  const result = libc.call(name, ...args);
  if (result !== -1) return result;
  const errno = libc.errno();
  if (answers.includes(errnoName(errno))) return null;
  throw new SysError(name, errno, what);
}

/**
 * The descriptor has nothing now: ask again when it says so. A signal that came first (EINTR) is
 * the same answer.
 */
export const NOT_NOW: readonly string[] = ['EAGAIN', 'EINTR'];

/** Runs `act`; if it throws, runs `undo` first and throws the same. Nothing is half-applied. */
export function orUndo<T>(act: () => T, undo: () => void): T {
  try {
    return act();
  } catch (error) {
    undo();
    throw error;
  }
}
