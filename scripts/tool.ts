/** Runs the programs that building takes, with errors a person can read. */
import { ExecaError, execa, type Options } from 'execa';

/**
 * What `program` printed on stdout.
 * @throws {Error} whose message is the command and what it said on stderr, and no stack of ours.
 */
export async function tool(
  program: string,
  args: readonly string[],
  options: Options = {},
): Promise<string> {
  try {
    const { stdout } = await execa(program, args, options);
    return String(stdout);
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    throw new ToolError(`${error.shortMessage}\n${error.stderr}`);
  }
}

export class ToolError extends Error {
  override readonly name = 'ToolError';
}
