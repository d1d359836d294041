/**
 * Where a boot stops because somebody wants it to: with a shell at a phase that the kernel command
 * line names, or with a question. It is for programs that run as services: the service that has
 * the console is stopped meanwhile. What is asked, and what is done with the answer, is theirs.
 */
import type { BootOptions } from '../core/boot-options.ts';
import type { Results } from '../core/methods.ts';
import type { Phase } from '../core/phases-boot.ts';
import type { Kernel } from '../sys/kernel.ts';
import { openSystem } from '../sys/open.ts';
import { realConsole } from './console.ts';
import { askSvinit } from './control.ts';
import { realFiles } from './files.ts';
import { type Answer, questionOn } from './question.ts';
import { shellOn } from './shell.ts';
import { bootOptions } from './told.ts';

export type { Answer } from './question.ts';

/** A shell at `phase` and the wait for its end, where the kernel command line asks for it. */
export async function pauseAt(phase: Phase): Promise<void> {
  const options = bootOptions();
  if (!options.breaks.includes(phase)) return;
  const tty = terminalFor(options);
  if (tty === null) return say(`cannot pause before ${phase}: there is no console`);
  await holdConsole(async () => {
    say(`paused before ${phase}: the boot goes on when the shell on ${tty} ends`);
    await shellAt(openSystem(), phase, tty);
    say(`the boot goes on at ${phase}`);
  });
}

/**
 * What somebody at the console wants in place of `proposed`. Whoever asks more than one question
 * holds the console around them.
 */
export async function ask(question: string, proposed: string): Promise<Answer> {
  const tty = terminalFor(bootOptions());
  if (tty === null) return { kind: 'accept' };
  return holdConsole(() => askAt(openSystem(), tty, question, proposed));
}

/**
 * `act` while no service has the console; it is given back after the outermost `act`, and also when
 * this program is told to end meanwhile, which it then does.
 */
export async function holdConsole<T>(act: () => Promise<T>): Promise<T> {
  holders += 1;
  if (holders > 1) {
    return act().finally(() => {
      holders -= 1;
    });
  }
  const end = (): void => void giveBack().then(() => process.exit(TERMINATED));
  process.once('SIGTERM', end);
  try {
    taken = await takeConsole();
    return await act();
  } finally {
    holders -= 1;
    process.removeListener('SIGTERM', end);
    await giveBack();
  }
}

/** 128 and SIGTERM, as a shell tells it. */
const TERMINATED = 143;

async function giveBack(): Promise<void> {
  const names = taken;
  taken = [];
  if (names.length > 0) await quietly(() => askSvinit('start', { names, wait: false }));
}

/** The shell of a phase, for whoever has the console: PID 1 before anything is supervised. */
export async function shellAt(kernel: Kernel, phase: Phase, tty: string): Promise<void> {
  await shellOn(kernel, {
    tty,
    prompt: phase,
    greeting: [`svinit: the boot is paused before ${phase}; exit goes on`],
  });
}

/** As `ask`, for whoever has the console. */
export async function askAt(
  kernel: Kernel,
  tty: string,
  question: string,
  proposed: string,
): Promise<Answer> {
  for (;;) {
    const answer = await questionOn(kernel, tty, question, proposed);
    if (answer.kind !== 'shell') return answer;
    await shellOn(kernel, { tty, prompt: 'svinit', greeting: ['svinit: exit goes on'] });
  }
}

/** The terminal for a shell: what `rd.ctty` says, else the real one behind /dev/console. */
export function terminalFor(options: Pick<BootOptions, 'ctty'>): string | null {
  return options.ctty ?? realConsole(true, realFiles);
}

let holders = 0;
/** What has to be started again: the service that has the console, when it is wanted. */
let taken: readonly string[] = [];

async function takeConsole(): Promise<readonly string[]> {
  const tty = bootOptions().ctty;
  // `console` is where /dev/console leads; another terminal is in the name of its copy.
  const name = tty === null ? 'console' : `console-${tty.slice(tty.lastIndexOf('/') + 1)}`;
  let wanted: readonly string[] = [];
  await quietly(async () => {
    const { services } = (await askSvinit('ls', {})) as Results['ls'];
    wanted = services.some((view) => view.name === name && view.want === 'up') ? [name] : [];
    if (wanted.length > 0) await askSvinit('stop', { names: wanted, timeoutMs: STOP_WITHIN_MS });
  });
  return wanted;
}

/** The service has two seconds for its end by its own definition. */
const STOP_WITHIN_MS = 10_000;

/** Without the console's service a boot can be paused all the same. */
async function quietly(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
