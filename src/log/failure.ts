/**
 * Errors of the system in words, whoever threw them: SysError or node:fs. Any other error is a
 * mistake of ours and goes on being thrown.
 */

/** `write failed with ENOSPC`. @throws `error` itself when the system has no part in it. */
export function reason(error: unknown): string {
  const code = codeOf(error);
  if (code === null) throw error;
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : 'a call';
  return `${syscall} failed with ${code}`;
}

/** `ENOSPC`; null when the system has no part in it. */
export function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
}
