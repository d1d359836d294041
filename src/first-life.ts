/**
 * The first life of PID 1, which ends in stage 0: it becomes itself again as a clean process.
 * Loaded without all that the second life needs, so that it is not loaded twice.
 */
import { BOOTED, stage0 } from './boot/stage0.ts';
import { STAGE0_AT } from './core/environment.ts';
import { openSystem } from './sys/open.ts';

/**
 * @returns whether stage 0 is behind this life: it is the second, or goes on as it because it is
 * clean or its exec failed. Not so when svinit may only be asked something.
 */
export function firstLife(argv: readonly string[]): boolean {
  if (argv[0] === BOOTED) return true;
  if (argv.some((word) => ASKED.includes(word))) return false;
  const kernel = openSystem();
  process.env[STAGE0_AT] = kernel.monotonic().toFixed(1);
  stage0(kernel, argv);
  return true;
}

/** Whether they are for svinit or for the command it is given, init.ts knows. */
const ASKED: readonly string[] = ['--help', '--version'];
