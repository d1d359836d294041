/**
 * What ends a command early: a message for people, a hint, and the exit code for scripts. It does
 * not know how they are shown.
 */
import type { EXIT as WireExit } from '../core/protocol.ts';

/**
 * svctl's exit codes. The compiler keeps this copy equal to the original; importing that one would
 * load every schema of the protocol, and svctl is started often.
 */
export const EXIT: typeof WireExit = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  noSuchService: 4,
  timeout: 5,
  dependencyFailed: 6,
  permission: 7,
  invalidDefinition: 8,
  unreachable: 9,
};

/** A command that cannot go on. `code` is the JSON-RPC code when svinit itself refused. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exit: number;
  readonly hint: string | null;
  readonly code: number | null;

  constructor(exit: number, message: string, hint: string | null = null, code?: number) {
    super(message);
    this.exit = exit;
    this.hint = hint;
    this.code = code ?? null;
  }
}

/** A wrong command line; `usage` is the line that shows the right one. */
export function usageFailure(message: string, usage: string): Failure {
  return new Failure(EXIT.usage, message, `usage: ${usage}`);
}

/** The errno name of a failed system call (`ENOENT`), or null for any other error. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
