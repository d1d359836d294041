/**
 * The first life of PID 1, which ends in stage 0: it becomes itself again as a clean process.
 * Loaded without all that the second life needs, so that it is not loaded twice.
 */
import { BOOTED, isHarmless, STAGE0_AT } from './core/environment.ts';

/**
 * @returns whether stage 0 is behind this life: it is the second, or goes on as it because it is
 * clean or its exec failed. Not so when svinit may only be asked something, nor when it will not
 * come to an exec, as far as can be seen from here: init.ts then begins with stage 0.
 */
export async function firstLife(argv: readonly string[]): Promise<boolean> {
  if (argv[0] === BOOTED) return true;
  if (argv.some((word) => ASKED.includes(word))) return false;
  // What stage 0 needs would be loaded twice, for its code is not that of init.ts on Node.
  if (process.versions['bun'] === undefined && isHarmless(process.env)) return false;
  const [{ stage0 }, { openSystem }] = [
    await import('./boot/stage0.ts'),
    await import('./sys/open.ts'),
  ];
  const kernel = openSystem();
  process.env[STAGE0_AT] = kernel.monotonic().toFixed(1);
  stage0(kernel, argv);
  return true;
}

/** Whether they are for svinit or for the command it is given, init.ts knows. */
const ASKED: readonly string[] = ['--help', '--version'];
