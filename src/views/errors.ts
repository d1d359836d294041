/**
 * Which failures of the system a view lives with, and how they are told.
 */

/** The name of the error number, or null when it is no failure of the system. */
export function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** @throws what is no failure of the system: that is a mistake of ours. */
export function reasonOf(error: unknown): string {
  if (codeOf(error) === null) throw error;
  return (error as Error).message;
}

/** Runs `act`, unless the system refuses it with one of `codes`; whether it did not. */
export function unlessRefused(codes: readonly string[], act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}
