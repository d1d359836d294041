/**
 * svpause stops the boot at a phase when the kernel command line asks for it: for scripts of
 * services. It ends when whoever paused has left the shell on the console.
 */
import { pauseAt } from './boot/pause.ts';
import { PHASES, phaseNamed } from './core/phases-boot.ts';

const USAGE = `Usage: svpause PHASE

Gives a shell on the console before PHASE, when rd.break=PHASE is on the kernel command line, and
ends when the shell does. Otherwise it ends at once. PHASE is one of
  ${PHASES.join(' ')}`;

/**
 * @param argv Arguments after the program's name.
 * @returns The exit code: 0 the boot goes on, 1 there could be no shell, 2 wrong usage.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [word = ''] = argv;
  if (word === '--help') {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const phase = argv.length === 1 ? phaseNamed(word) : null;
  if (phase === null) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  try {
    await pauseAt(phase);
    return 0;
  } catch (error) {
    process.stderr.write(`svpause: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
