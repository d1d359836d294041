/**
 * Types commands at a shell prompt and tells their output and exit status apart from what the
 * terminal echoes. Any POSIX shell whose prompt ends in `# ` will do.
 */
import type { Console } from './console.ts';

export type CommandResult = { readonly output: string; readonly code: number };

export type Run = (command: string, timeoutMs?: number) => Promise<CommandResult>;

/** From power-on to a prompt: seconds under TCG on an idle host, a minute on a busy one. */
const PROMPT_TIMEOUT_MS = 240_000;
const RUN_TIMEOUT_MS = 300_000;

/** How long a prompt may stay away before Enter is pressed to see another. */
const NUDGE_MS = 3000;

/** busybox' line editor takes 1023 bytes (FEATURE_EDITING_MAX_LEN) and drops the rest. */
const LINE_BYTES_MAX = 1000;

/** `run` for the shell that prints on `console` and reads what `send` types. */
export function shellOn(console: Console, send: (line: string) => void): Run {
  let commands = 0;
  return async (command, timeoutMs = RUN_TIMEOUT_MS) => {
    commands += 1;
    const line = marked(command, commands);
    if (Buffer.byteLength(line) > LINE_BYTES_MAX) throw new RangeError(`Too long to type: ${line}`);
    await prompt(console, send);
    send(line);
    await console.expect(`@@begin ${commands}\n`, timeoutMs);
    const found = await console.expect(new RegExp(`([^]*?)@@end ${commands} (\\d+)\n`), timeoutMs);
    return { output: (found[1] ?? '').replace(/\n$/, ''), code: Number(found[2]) };
  };
}

/**
 * The command between two marks that look different when they are typed than when they are printed.
 */
function marked(command: string, number: number): string {
  const quoted = `'${command.replaceAll("'", `'\\''`)}'`;
  return `echo '@@''begin ${number}'; eval ${quoted}; echo '@@''end ${number}' $?`;
}

/**
 * Waits for a prompt. One that was there before the last match, or that somebody wrote behind,
 * never matches: so Enter is pressed now and then.
 */
async function prompt(console: Console, send: (line: string) => void): Promise<void> {
  const endsAt = performance.now() + PROMPT_TIMEOUT_MS;
  while (performance.now() < endsAt) {
    try {
      await console.expect(/# $/m, NUDGE_MS);
      return;
    } catch (error) {
      if (console.closed) throw error;
      send('');
    }
  }
  await console.expect(/# $/m, NUDGE_MS);
}
