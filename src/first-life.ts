/**
 * The first life of PID 1, which ends in stage 0: it becomes itself again as a clean process.
 * Loaded without all that the second life needs, so that it is not loaded twice.
 */
import { BOOTED, stage0 } from './boot/stage0.ts';
import { STAGE0_AT } from './core/environment.ts';
import { openSystem } from './sys/open.ts';

/** Returns when this is the second life, when it is only asked something, or when exec failed. */
export function firstLife(argv: readonly string[]): void {
  if (argv[0] === BOOTED || argv.some((word) => ASKED.includes(word))) return;
  const kernel = openSystem();
  process.env[STAGE0_AT] = kernel.monotonic().toFixed(1);
  stage0(kernel, argv);
}

/** Whether they are for svinit or for the command it is given, init.ts knows. */
const ASKED: readonly string[] = ['--help', '--version'];
