/**
 * PID 1, told as a story: stage 0 makes a clean process of what the kernel started, stage 1 mounts
 * what must be mounted, then svinit supervises until it is told to stop. A re-exec enters the same
 * story at its last chapter.
 */
import { openConsole, realConsole } from './boot/console.ts';
import { realFiles } from './boot/files.ts';
import { commandLine, observe } from './boot/observe.ts';
import { tameSignals } from './boot/signals.ts';
import { BOOTED, keepProc, stage0, thisLife } from './boot/stage0.ts';
import { describeResult, performBoot } from './boot/stage1.ts';
import { choosePlaces, planBoot } from './core/boot.ts';
import type { BootOptions } from './core/boot-options.ts';
import { loggerSpec, mainSpec } from './core/builtins.ts';
import { decodeCheckpoint } from './core/checkpoint.ts';
import { type BootArguments, bootUsage, parseArguments, parseCommandLine } from './core/cmdline.ts';
import {
  containerDirectory,
  containerEnvironment,
  ownEnvironment,
  placesFrom,
  runtimeEnvironment,
  STAGE0_AT,
} from './core/environment.ts';
import { encodeReport } from './core/report.ts';
import { newSystem, type System, type SystemOptions } from './core/system.ts';
import { ms, fd as toFd } from './core/units.ts';
import { VERSION } from './core/version.ts';
import { DEFAULT_TARGET } from './core/wants.ts';
import { LOGGER } from './supervisor/definitions.ts';
import { countRevival, isCrashLoop } from './supervisor/lifeline.ts';
import type { SupervisorOptions } from './supervisor/options.ts';
import { ownArguments } from './supervisor/own-arguments.ts';
import { pathsIn } from './supervisor/paths.ts';
import { type Legacy, readLegacy, type Self } from './supervisor/reexec.ts';
import { rescue } from './supervisor/rescue.ts';
import { selfTest } from './supervisor/self-test.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { listenToSignals, reviveAtExit } from './supervisor/survive.ts';
import { adoptSocket } from './sys/adopt.ts';
import type { Kernel } from './sys/kernel.ts';
import { openSystem } from './sys/open.ts';

/** Where definitions come from when nobody says otherwise; the first that has a name wins. */
const ROOTS: readonly string[] = ['/etc/svinit/services', '/usr/lib/svinit/services'];
/** Container engines send KILL ten seconds after TERM (docker-stop(1), podman-stop(1)). */
const HALT_WITHIN_CONTAINER = ms(7000);
const HALT_WITHIN_MACHINE = ms(60_000);

type Facts = ReturnType<typeof observe>;
type Say = (line: string) => void;

/** What both the boot and the supervision are told. */
type Told = {
  readonly kernel: Kernel;
  readonly facts: Facts;
  readonly options: BootOptions;
  /** The program given after `--`, which becomes the main service; null: none. */
  readonly command: readonly string[] | null;
  readonly places: ReturnType<typeof choosePlaces>;
  /** svinit's own arguments, as the next image shall get them again. */
  readonly given: readonly string[];
  readonly say: Say;
};

export async function main(argv: readonly string[]): Promise<number> {
  const own = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
  if (own.includes('--help')) return print(bootUsage());
  if (own.includes('--version')) return print(`svinit ${VERSION} (${RUNTIME})`);
  const kernel = openSystem();
  try {
    return await live(kernel, argv);
  } catch (error) {
    return lastResort(kernel, error);
  }
}

/** All of PID 1's life; what it throws has happened before anything was supervised. */
async function live(kernel: Kernel, argv: readonly string[]): Promise<number> {
  if (argv[0] !== BOOTED) process.env[STAGE0_AT] = kernel.monotonic().toFixed(1);
  if (argv[0] !== BOOTED) stage0(kernel, argv);
  else keepProc(kernel);

  const rest = argv[0] === BOOTED ? argv.slice(1) : argv;
  const { state, died, given, selfTest: isTest } = ownArguments(rest);
  if (isTest) return print(encodeReport(selfTest(kernel, toFd(state ?? -1), VERSION)));
  const told = listen(kernel, given);
  if (told === null) return USAGE;
  const legacy = state === null ? null : inherit(told, state);
  if (legacy === null && !boot(told)) {
    const terminal = realConsole(told.facts.machine, realFiles);
    return rescue(kernel, { console: terminal, machine: told.facts.machine, say: told.say });
  }
  supervise(told, legacy, died, state !== null && legacy === null);
  return new Promise(() => {});
}

/** A mistake of ours on the way to supervision: told, and never the end of a machine. */
function lastResort(kernel: Kernel, error: unknown): Promise<number> {
  const say: Say = (line) => process.stderr.write(`${line}\n`);
  say(`svinit: ${error instanceof Error ? error.stack : String(error)}`);
  return rescue(kernel, { console: null, machine: isMachine(kernel), say });
}

function isMachine(kernel: Kernel): boolean {
  try {
    return observe(kernel, realFiles).machine;
  } catch {
    return process.pid === 1;
  }
}

const USAGE = 2;

const RUNTIME: string =
  process.versions['bun'] === undefined
    ? `node ${process.versions.node}`
    : `bun ${process.versions['bun']}`;

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

/**
 * What the command line and the arguments ask for. On a machine the arguments are what the kernel
 * did not know, so they are read from its line, and a wrong one is told but ends nothing.
 */
function listen(kernel: Kernel, given: readonly string[]): Told | null {
  const facts = observe(kernel, realFiles);
  const untamed = tameSignals(kernel, facts.machine);
  const console = openConsole(kernel, facts.machine);
  const say: Say = (line) => console.write(line);
  for (const reason of untamed) say(`svinit: ${reason}`);
  const line = parseCommandLine(commandLine(facts, realFiles));
  const parsed: BootArguments = parseArguments(facts.machine ? line.initArguments : given, line);
  if (!parsed.ok) {
    for (const text of [`svinit: ${parsed.reason}`, ...parsed.usage.split('\n')]) say(text);
    if (!facts.machine) return null;
  }
  const options = placesFrom(process.env, parsed.ok ? parsed.options : line);
  const command = parsed.ok ? parsed.command : null;
  return { kernel, facts, options, command, places: choosePlaces(options, facts), given, say };
}

/** Stage 1. False when something failed without which nothing can be supervised. */
function boot({ kernel, facts, options, say }: Told): boolean {
  if (facts.pid1) say(`svinit ${VERSION} on ${RUNTIME}${facts.machine ? '' : ', in a container'}`);
  for (const notice of [...facts.notices, ...options.notices]) say(`svinit: ${notice}`);
  const report = performBoot(planBoot(options, facts), {
    kernel,
    files: realFiles,
    report: (result) => {
      if (result.outcome === 'failed' || !options.quiet) say(`  ${describeResult(result)}`);
    },
  });
  // Not PID 1: what our services leave behind must come to us all the same.
  if (!facts.pid1) kernel.setChildSubreaper();
  return report.fatal === null;
}

/** What the image before left; null when it left nothing that can be used. */
function inherit({ kernel, say }: Told, state: number): Legacy | null {
  try {
    return readLegacy(kernel, toFd(state));
  } catch (error) {
    say(`svinit: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function supervise(told: Told, legacy: Legacy | null, died: number | null, lost: boolean): void {
  const { kernel, facts, options, command, places, say } = told;
  const ending = { yes: false };
  // In a container services see what its engine was told to give; on a machine nobody gave it.
  const given = facts.machine ? {} : containerEnvironment(process.env);
  const self = selfFor(told.given);
  const paths = pathsIn(places.run);
  const now = kernel.monotonic();
  const revivals = died === null ? [] : countRevival(legacy?.revivals ?? [], now);
  const supervisor = new Supervisor({
    kernel,
    system: systemFor(told, legacy, isCrashLoop(revivals)),
    paths,
    roots: rootsFor(options, paths.services),
    builtins: [
      loggerSpec(LOGGER, self.path, runtimeEnvironment(process.env)),
      ...(command === null ? [] : [mainSpec(command, containerDirectory(process.env))]),
    ],
    environment: { ...ownEnvironment(places), ...given },
    ownEnvironment: ownEnvironment(places),
    say,
    quiet: options.quiet,
    beganAt: Number(process.env[STAGE0_AT] ?? 0),
    console: realConsole(facts.machine, realFiles),
    machine: facts.machine,
    watchdog: facts.machine ? options.watchdog : 0,
    self,
    legacy,
    lost,
    death: died === null ? null : { signal: died, revivals },
    revivals,
    adoptSocket,
    exit: (code) => {
      ending.yes = true;
      return process.exit(code);
    },
  });
  reviveAtExit(supervisor, ending);
  listenToSignals(kernel, supervisor, facts.machine);
  supervisor.start();
}

function rootsFor(options: BootOptions, added: string): SupervisorOptions['roots'] {
  if (options.scan !== null) return options.scan.map((path) => ({ path, dialect: 's6' }));
  return [added, ...ROOTS].map((path) => ({ path, dialect: 'svinit' }));
}

function systemFor(told: Told, legacy: Legacy | null, safe: boolean): System {
  const { kernel, facts, options, command } = told;
  const settings: SystemOptions = {
    target: options.target ?? DEFAULT_TARGET,
    parallel: options.parallel ?? Infinity,
    main: command === null ? options.main : 'main',
    haltWithin: facts.machine ? HALT_WITHIN_MACHINE : HALT_WITHIN_CONTAINER,
    stopKind: facts.machine ? 'poweroff' : 'exit',
    safe,
    testing: options.testing,
    version: VERSION,
    runtime: RUNTIME,
    pid: kernel.getpid(),
  };
  if (legacy === null) return newSystem(settings, kernel.monotonic());
  const decoded = decodeCheckpoint(legacy.system, settings, legacy.turns);
  if (decoded.ok) return decoded.system;
  told.say(`svinit: ${decoded.reason}`);
  return newSystem(settings, kernel.monotonic());
}

/** The program that runs now, as a re-exec and the logger start it again. */
function selfFor(given: readonly string[]): Self {
  return {
    path: process.execPath,
    program: [...thisLife().program, BOOTED],
    given,
    env: Object.entries(process.env).map(([key, value]) => `${key}=${value ?? ''}`),
  };
}
