/**
 * svctl: the command line of svinit, and the programs poweroff, reboot, halt, shutdown and telinit.
 * What it can do is the table in cli/verbs.ts.
 */
import { basename } from 'node:path';
import { run } from './cli/run.ts';

/**
 * Runs one command line.
 * @param argv the arguments, without the program's own name.
 * @param program the name it was called by, perhaps with a path; `svctl` when absent.
 * @returns the exit code (docs/svctl.md lists them).
 */
export async function main(argv: readonly string[], program?: string): Promise<number> {
  return run(argv, basename(program ?? 'svctl'));
}
