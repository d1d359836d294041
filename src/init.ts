/**
 * PID 1, told as a story: stage 0 makes a clean process of what the kernel started, stage 1 mounts
 * what must be mounted, then svinit supervises until it is told to stop. A re-exec enters the same
 * story at its last chapter.
 */
import { otherConsoles, realConsole } from './boot/console.ts';
import { realFiles } from './boot/files.ts';
import { boot, listen, pauseBefore, RUNTIME, type Say, type Told } from './boot/first.ts';
import { observe } from './boot/observe.ts';
import { beginOverlay, type OverlayHere } from './boot/overlay-begin.ts';
import { keepProc, stage0, thisLife } from './boot/stage0.ts';
import { loggerSpec, mainSpec } from './core/builtins.ts';
import { decodeCheckpoint } from './core/checkpoint.ts';
import { bootUsage } from './core/cmdline.ts';
import {
  BOOTED,
  containerDirectory,
  containerEnvironment,
  ownEnvironment,
  runtimeEnvironment,
  STAGE0_AT,
} from './core/environment.ts';
import { beginningOf } from './core/examined.ts';
import { NEXT_INIT } from './core/halt.ts';
import { COMMAND, commandBehind, TOP } from './core/overlay.ts';
import { pidOf } from './core/phase.ts';
import { encodeReport } from './core/report.ts';
import { newSystem, type System, type SystemOptions } from './core/system.ts';
import { ms, type Pid, fd as toFd } from './core/units.ts';
import { VERSION } from './core/version.ts';
import { DEFAULT_TARGET } from './core/wants.ts';
import { LOGGER } from './supervisor/definitions.ts';
import { countRevival, isCrashLoop } from './supervisor/lifeline.ts';
import { ownArguments } from './supervisor/own-arguments.ts';
import { pathsIn } from './supervisor/paths.ts';
import { type Legacy, readLegacy, type Self } from './supervisor/reexec.ts';
import { rescue } from './supervisor/rescue.ts';
import { scanRoots } from './supervisor/scan-roots.ts';
import { selfTest } from './supervisor/self-test.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { listenAsOverlay, listenToSignals, reviveAtExit } from './supervisor/survive.ts';
import { adoptSocket } from './sys/adopt.ts';
import type { Kernel } from './sys/kernel.ts';
import { openSystem } from './sys/open.ts';

/** Container engines send KILL ten seconds after TERM (docker-stop(1), podman-stop(1)). */
const HALT_WITHIN_CONTAINER = ms(7000);
const HALT_WITHIN_MACHINE = ms(60_000);

/** @param isBegun stage 0 is behind this life. */
export async function main(argv: readonly string[], isBegun: boolean): Promise<number> {
  const own = ownWords(argv);
  if (own.includes('--help')) return print(bootUsage());
  if (own.includes('--version')) return print(`svinit ${VERSION} (${RUNTIME})`);
  const kernel = openSystem();
  try {
    if (!isBegun) begin(kernel, argv);
    return await live(kernel, argv);
  } catch (error) {
    return lastResort(kernel, error);
  }
}

/** The first chapter, where first-life.ts has left it to us. */
function begin(kernel: Kernel, argv: readonly string[]): void {
  process.env[STAGE0_AT] = kernel.monotonic().toFixed(1);
  stage0(kernel, argv);
}

/** Those of `argv` that are for svinit, and not for the command behind them. */
function ownWords(argv: readonly string[]): readonly string[] {
  const words = commandBehind(ownArguments(argv[0] === BOOTED ? argv.slice(1) : argv).given);
  return words.slice(0, words.includes('--') ? words.indexOf('--') : words.length);
}

/** All of PID 1's life; what it throws has happened before anything was supervised. */
async function live(kernel: Kernel, argv: readonly string[]): Promise<number> {
  if (argv[0] === BOOTED) keepProc(kernel);
  const rest = argv[0] === BOOTED ? argv.slice(1) : argv;
  const { state, died, given, selfTest: isTest } = ownArguments(rest);
  if (isTest) return print(encodeReport(selfTest(kernel, toFd(state ?? -1), VERSION)));
  const told = listen(kernel, given);
  if (told === null) return USAGE;
  const legacy = state === null ? null : inherit(told, state);
  const booted = legacy === null ? await boot(told, state === null) : told;
  if (typeof booted === 'string') return rescueFirst(told, booted);
  const overlay = await beginOverlay(booted, state === null, runtimeEnvironment(process.env));
  supervise(booted, { legacy, died, overlay, lost: state !== null && legacy === null });
  return new Promise(() => {});
}

/** Stage 1 has failed, and can be tried again from the first chapter on. */
function rescueFirst({ kernel, facts, options, given, say }: Told, why: string): Promise<number> {
  const { machine } = facts;
  const console = realConsole(machine, realFiles);
  const { adopt: _, ...life } = thisLife();
  const again = (): void => stage0(kernel, given, life);
  return rescue(kernel, { console, machine, say, why, wishes: options, again });
}

/** A mistake of ours on the way to supervision: told, and never the end of a machine. */
function lastResort(kernel: Kernel, error: unknown): Promise<number> {
  const say: Say = (line) => process.stderr.write(`${line}\n`);
  say(`svinit: ${error instanceof Error ? error.stack : String(error)}`);
  const why = error instanceof Error ? error.message : String(error);
  return rescue(kernel, { console: null, machine: isMachine(kernel), say, why });
}

function isMachine(kernel: Kernel): boolean {
  try {
    return observe(kernel, realFiles).machine;
  } catch {
    return process.pid === 1;
  }
}

const USAGE = 2;

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
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

type Before = {
  readonly legacy: Legacy | null;
  readonly died: number | null;
  readonly overlay: OverlayHere | null;
  readonly lost: boolean;
};

function supervise(told: Told, { legacy, died, overlay, lost }: Before): void {
  const { kernel, facts, options, command, places, say } = told;
  const ending = { yes: false };
  // In a container services see what its engine was told to give; on a machine nobody gave it.
  const given = facts.machine ? {} : environmentFor(overlay);
  const self = selfFor(told.given);
  const paths = pathsIn(places.run);
  const now = kernel.monotonic();
  const revivals = died === null ? [] : countRevival(legacy?.revivals ?? [], now);
  const system = systemFor(told, legacy, isCrashLoop(revivals), overlay);
  const echoes = overlay?.settings.echo ?? false;
  const supervisor = new Supervisor({
    kernel,
    system,
    overlay,
    paths,
    roots: scanRoots(options.scan, paths.services, overlay !== null),
    builtins: [
      loggerSpec(LOGGER, self.path, runtimeEnvironment(process.env), echoes),
      ...(command === null || overlay !== null
        ? []
        : [mainSpec(command, containerDirectory(process.env))]),
    ],
    environment: { ...ownEnvironment(places), ...given },
    ownEnvironment: ownEnvironment(places),
    say,
    quiet: options.quiet || (overlay?.settings.verbosity ?? 2) < 2,
    beganAt: Number(process.env[STAGE0_AT] ?? 0),
    console: realConsole(facts.machine, realFiles),
    consoles: otherConsoles(facts.machine, options.consoles, realFiles),
    machine: facts.machine,
    memoryMin: options.memoryMin,
    beginning: beginningOf(options, observe(kernel, realFiles)),
    wishes: options,
    watchdog: facts.machine ? options.watchdog : 0,
    self,
    legacy,
    lost,
    death: died === null ? null : { signal: died, revivals },
    revivals,
    adoptSocket,
    pauseBeforeHandover: () => pauseBefore('cleanup', told),
    exit: (code) => {
      ending.yes = true;
      return process.exit(code);
    },
  });
  reviveAtExit(supervisor, ending);
  const main = (): Pid | null => pidOf(system.units.get(COMMAND)?.service.phase ?? { at: 'down' });
  const diverts = overlay?.settings.signalsToCommand === true;
  if (overlay === null) listenToSignals(kernel, supervisor, facts.machine);
  else listenAsOverlay(kernel, supervisor, diverts ? main : null);
  supervisor.start();
}

/** What services find: of an image made for s6-overlay a PATH, or all that the container has. */
function environmentFor(overlay: OverlayHere | null): Readonly<Record<string, string>> {
  const given = containerEnvironment(process.env);
  if (overlay === null) return given;
  const { keepEnv, path } = overlay.settings;
  return { ...(keepEnv ? given : {}), PATH: path };
}

function systemFor(
  told: Told,
  legacy: Legacy | null,
  safe: boolean,
  overlay: OverlayHere | null,
): System {
  const { kernel, facts, options, command } = told;
  const settings: SystemOptions = {
    target: options.target ?? (overlay === null ? DEFAULT_TARGET : TOP),
    parallel: options.parallel ?? Infinity,
    main: command === null ? options.main : overlay === null ? 'main' : COMMAND,
    haltWithin: facts.machine
      ? HALT_WITHIN_MACHINE
      : (overlay?.downWithin ?? HALT_WITHIN_CONTAINER),
    stopKind: facts.machine ? 'poweroff' : 'exit',
    next: { init: options.init ?? NEXT_INIT, arguments: facts.machine ? told.given : [] },
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
