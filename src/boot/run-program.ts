/**
 * Programs of the initramfs that are run and waited for, each with a deadline: whatever touches a
 * disk may hang, and then it is left behind. Not for PID 1, which reaps by itself.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Exit } from '../core/exit.ts';

export type Ran = {
  /** Null: it did not end in time, or could not be started. */
  readonly exit: Exit | null;
  /** The last of what it printed, on both of its outputs. */
  readonly output: string;
  /** Why there is no exit; null otherwise. */
  readonly failure: string | null;
};

export type RunOptions = {
  /** Milliseconds; null: as long as it takes. */
  readonly withinMs: number | null;
  /** Gets what it prints, as it comes. */
  readonly tell?: (text: string) => void;
};

const OUTPUT_CHARS_MAX = 4096;

/** Runs `argv`, its input empty. Never rejects. */
export function runProgram(argv: readonly string[], options: RunOptions): Promise<Ran> {
  const [program = '', ...args] = argv;
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const { withinMs, tell } = options;
    const give = (exit: Exit | null, failure: string | null): void => {
      clearTimeout(timer);
      resolve({ exit, output: output.trim(), failure });
    };
    const timer =
      withinMs === null
        ? undefined
        : setTimeout(() => {
            // One in the middle of a call on a dead disk does not end by this either.
            child.kill('SIGKILL');
            child.unref();
            child.stdout.destroy();
            child.stderr.destroy();
            give(null, `it did not end within ${withinMs / 1000} s`);
          }, withinMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        output = (output + text).slice(-OUTPUT_CHARS_MAX);
        tell?.(text);
      });
    }
    child.once('error', (error) => give(null, codeOf(error)));
    child.once('close', (code, signal) => give(exitOf(code, signal), null));
  });
}

/** Runs it and gives the reason why that came to nothing; null: it ended with 0. */
export async function failureOf(
  argv: readonly string[],
  options: RunOptions,
): Promise<string | null> {
  const { exit, output, failure } = await runProgram(argv, options);
  if (exit?.kind === 'code' && exit.code === 0) return null;
  const said = output.split('\n').findLast((line) => line.trim() !== '');
  return failure ?? said ?? (exit?.kind === 'code' ? `exit ${exit.code}` : 'it was killed');
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (signal === null) return { kind: 'code', code: code ?? 0 };
  return { kind: 'signal', signal: constants.signals[signal], core: false };
}

function codeOf(error: Error): string {
  return 'code' in error && error.code === 'ENOENT' ? NOT_FOUND : error.message;
}

/** The failure of a program that is not there. */
export const NOT_FOUND = 'there is no such program';
