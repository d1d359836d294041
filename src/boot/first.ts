/**
 * The first of PID 1's life, up to supervision: what it is asked for, stage 1, and the places where
 * somebody may want it to stop and ask. What comes then is init.ts.
 */
import { choosePlaces, planBoot } from '../core/boot.ts';
import type { BootOptions } from '../core/boot-options.ts';
import { type BootArguments, parseArguments, parseCommandLine } from '../core/cmdline.ts';
import { placesFrom } from '../core/environment.ts';
import { nameProblem } from '../core/names.ts';
import { commandBehind } from '../core/overlay.ts';
import type { Phase } from '../core/phases-boot.ts';
import { handoverOf } from '../core/root.ts';
import { VERSION } from '../core/version.ts';
import { DEFAULT_TARGET } from '../core/wants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { openConsole } from './console.ts';
import { realFiles } from './files.ts';
import { commandLine, observe } from './observe.ts';
import { isOverlayImage } from './overlay.ts';
import { askAt, shellAt, terminalFor } from './pause.ts';
import { tameSignals } from './signals.ts';
import { describeResult, performBoot } from './stage1.ts';

export type Say = (line: string) => void;

/** What both the boot and the supervision are told. */
export type Told = {
  readonly kernel: Kernel;
  readonly facts: ReturnType<typeof observe>;
  readonly options: BootOptions;
  /** The program given after `--`, which becomes the main service; null: none. */
  readonly command: readonly string[] | null;
  readonly places: ReturnType<typeof choosePlaces>;
  /** svinit's own arguments, as the next image shall get them again. */
  readonly given: readonly string[];
  readonly say: Say;
};

export const RUNTIME: string =
  process.versions['bun'] === undefined
    ? `node ${process.versions.node}`
    : `bun ${process.versions['bun']}`;

/**
 * What the command line and the arguments ask for. On a machine the arguments are what the kernel
 * did not know, so they are read from its line, and a wrong one is told but ends nothing.
 */
export function listen(kernel: Kernel, given: readonly string[]): Told | null {
  const facts = observe(kernel, realFiles);
  const untamed = tameSignals(kernel, facts.machine);
  const console = openConsole(kernel, facts.machine);
  const say: Say = (line) => console.write(line);
  for (const reason of untamed) say(`svinit: ${reason}`);
  const line = parseCommandLine(commandLine(facts, realFiles));
  const words = isOverlayImage() ? commandBehind(given) : given;
  const parsed: BootArguments = parseArguments(facts.machine ? argumentsOf(line) : words, line);
  if (!parsed.ok) {
    for (const text of [`svinit: ${parsed.reason}`, ...parsed.usage.split('\n')]) say(text);
    if (!facts.machine) return null;
  }
  const options = chosen(facts.machine, placesFrom(process.env, parsed.ok ? parsed.options : line));
  const command = parsed.ok ? parsed.command : null;
  return { kernel, facts, options, command, places: choosePlaces(options, facts), given, say };
}

/** What stands after `--` is for the init of the root, where that is to take over. */
function argumentsOf(line: BootOptions): readonly string[] {
  return handoverOf(line) === 'classic' ? [] : line.initArguments;
}

/**
 * Stage 1, and what somebody at the console wants otherwise when it is the `first` time. Gives the
 * reason when something failed without which nothing can be supervised.
 */
export async function boot(told: Told, first: boolean): Promise<Told | string> {
  const { kernel, facts, options, say } = told;
  if (facts.pid1) say(`svinit ${VERSION} on ${RUNTIME}${facts.machine ? '' : ', in a container'}`);
  for (const notice of [...facts.notices, ...options.notices]) say(`svinit: ${notice}`);
  if (first) await pauseBefore('cmdline', told);
  const report = performBoot(planBoot(options, facts), {
    kernel,
    files: realFiles,
    report: (result) => {
      if (result.outcome === 'failed' || !options.quiet) say(`  ${describeResult(result)}`);
    },
  });
  // Not PID 1: what our services leave behind must come to us all the same.
  if (!facts.pid1) kernel.setChildSubreaper();
  if (report.fatal !== null) return describeResult(report.fatal);
  if (first) await pauseBefore('pre-udev', told);
  return first && options.interactive ? interview(told) : told;
}

/** What was asked for, and what somebody chose at the console before a re-exec. */
function chosen(machine: boolean, options: BootOptions): BootOptions {
  const target = machine ? process.env[CHOSEN] : undefined;
  return target === undefined ? options : { ...options, target };
}

/** The shell of a phase of PID 1's own, which goes on whatever becomes of that. */
export async function pauseBefore(phase: Phase, { kernel, options, say }: Told): Promise<void> {
  if (!options.breaks.includes(phase)) return;
  try {
    await shellAt(kernel, phase, terminalFor(options) ?? CONSOLE);
  } catch (error) {
    say(`svinit: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What is to be brought up, in the words of whoever sits at the console. */
async function interview(told: Told): Promise<Told> {
  const { kernel, options, say } = told;
  const tty = terminalFor(options) ?? CONSOLE;
  const proposed = options.target ?? DEFAULT_TARGET;
  try {
    for (;;) {
      const answer = await askAt(kernel, tty, 'The target to bring up', proposed);
      if (answer.kind === 'accept') return told;
      const target = answer.kind === 'skip' ? EMERGENCY : answer.text;
      const problem = nameProblem(target);
      // The next image of a re-exec is to know it too.
      if (problem === null) process.env[CHOSEN] = target;
      if (problem === null) return { ...told, options: { ...options, target } };
      say(`svinit: ${problem}`);
    }
  } catch (error) {
    say(`svinit: ${error instanceof Error ? error.message : String(error)}`);
    return told;
  }
}

/** In the environment of PID 1 alone: stage 0 lets no such variable in, and services get none. */
const CHOSEN = 'SVINIT_TARGET';
/** No controlling terminal, so a shell without job control: better than none. */
const CONSOLE = '/dev/console';
/** What is brought up in place of a target that is to be left out. */
const EMERGENCY = 'emergency';
