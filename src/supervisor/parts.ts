/**
 * The parts of the supervisor and how they hang together. Each knows only what it is given here.
 */
import type { Spec } from '../core/spec.ts';
import type { Survivor } from '../core/survivors.ts';
import type { Change, SystemEvent } from '../core/system.ts';
import type { Fd, Pid } from '../core/units.ts';
import { Cgroups } from './cgroups.ts';
import type { Passed } from './clients.ts';
import { Control } from './control.ts';
import { Fifos } from './fifos.ts';
import { Handover } from './handover.ts';
import { type Journal, openJournal } from './journal.ts';
import { wordsOf } from './let-go.ts';
import { Lifeline } from './lifeline.ts';
import { Loop, type OtherEffect } from './loop.ts';
import { Memory } from './memory.ts';
import type { SupervisorOptions } from './options.ts';
import { Proc } from './proc.ts';
import type { Legacy } from './reexec.ts';
import { Spawner, type SpawnPorts } from './spawn.ts';
import { survey } from './survey.ts';
import { Teller } from './teller.ts';
import { Trial } from './trial.ts';
import { Watch } from './watch.ts';
import { Watchdog } from './watchdog.ts';

export type Parts = {
  readonly control: Control;
  readonly fifos: Fifos;
  readonly handover: Handover;
  readonly journal: Journal;
  readonly lifeline: Lifeline;
  readonly loop: Loop;
  readonly memory: Memory;
  readonly proc: Proc;
  readonly spawner: Spawner;
  readonly teller: Teller;
  readonly trial: Trial;
  readonly watch: Watch;
  readonly watchdog: Watchdog;
};

/** What the parts call back for. */
export type Hooks = {
  readonly perform: (effect: OtherEffect) => void;
  readonly changed: (changes: readonly Change[]) => void;
  readonly reconcile: () => void;
  readonly failed: (what: string, error: unknown) => void;
};

/** The log of PID 1 itself; no service can have this name. */
const OWN_LOG = 'svinit';

export function buildParts(options: SupervisorOptions, hooks: Hooks): Parts {
  const { kernel, paths, system, legacy, self, say } = options;
  const post = (event: SystemEvent): void => loop.post(event);
  // What is held before there is a lifeline is in the whole state that it begins with.
  const notes: { taker: Lifeline | null } = { taker: null };
  const fifos = new Fifos(kernel, paths.fifos, (name, fd) =>
    notes.taker?.note({ k: 'fifo', name, fd }),
  );
  for (const [name, fd] of legacy?.fifos ?? []) adoptFifo(fifos, say, name, fd);
  const journal = openJournal(kernel, ownLog(fifos, say));
  const warn = (text: string): void => journal.warn(text);
  const whole = (): Legacy => handover.legacy(options.revivals);
  const lifeline = new Lifeline({ kernel, system, self, journal, whole });
  notes.taker = lifeline;
  const watch = new Watch(kernel, warn);
  const cgroups = new Cgroups({ kernel, machine: options.machine, pids: system.pids, warn });
  const loop: Loop = new Loop(system, {
    ...withCgroups(hooks, cgroups, system.pids),
    now: kernel.monotonic,
    spawn: (effect) => spawner.start(effect),
    settled: (moved) => lifeline.turn(moved),
    redefined: () => lifeline.redefined(),
  });
  const spawner = new Spawner({
    ...whatServicesGet(options),
    cgroups,
    fifos,
    watch,
    warn,
    ready: (pid) => post({ type: 'ready', pid }),
    note: (pid, fd) => lifeline.note({ k: 'notify', pid, fd }),
  });
  const timed = { kernel, now: kernel.monotonic };
  const note = (number: number, client: Passed | null): void =>
    lifeline.note({ k: 'client', number, client });
  const control = new Control({ ...timed, adopt: options.adoptSocket, post, warn, note });
  const trial = new Trial({ ...timed, watch });
  const known = { kernel, system, self, journal, loop, fifos, spawner, control, trial, say };
  const handover: Handover = new Handover({
    ...known,
    release: () => lifeline.release(),
    hold: () => lifeline.hold(),
    survey: (specs) => lookFor(options, specs, spawner),
  });
  return {
    control,
    fifos,
    handover,
    journal,
    lifeline,
    loop,
    memory: buildMemory(options, journal, handover),
    proc: buildProc(options, warn),
    spawner,
    teller: new Teller(system, journal, options),
    trial,
    watch,
    watchdog: new Watchdog({ kernel, warn, info: (text) => journal.info(text) }),
  };
}

/** Whatever is done about a service is done about all of its processes. */
function withCgroups(hooks: Hooks, cgroups: Cgroups, pids: ReadonlyMap<Pid, string>): Hooks {
  return {
    ...hooks,
    perform: (effect) => {
      const name = effect.do === 'signal' && effect.group ? pids.get(effect.pid) : undefined;
      if (name !== undefined) cgroups.kill(name);
      hooks.perform(effect);
    },
    changed: (changes) => {
      cgroups.changed(changes);
      hooks.changed(changes);
    },
    reconcile: () => {
      hooks.reconcile();
      cgroups.look();
    },
  };
}

/** What is the same for every process that is started. */
function whatServicesGet(
  options: SupervisorOptions,
): Pick<SpawnPorts, 'kernel' | 'environment' | 'own' | 'console'> {
  const { kernel, environment, ownEnvironment, console, self } = options;
  return { kernel, environment, own: { path: self.path, environment: ownEnvironment }, console };
}

function buildMemory(
  { kernel, say }: SupervisorOptions,
  journal: Journal,
  handover: Handover,
): Memory {
  const replace = (reason: string): void => {
    say(reason);
    journal.warn(reason);
    handover.begin(null, null);
  };
  const resident = (): number => process.memoryUsage.rss();
  return new Memory({ now: kernel.monotonic, resident, collect, replace });
}

/** Bun collects for who asks; Node gives back what its small young generation leaves. */
function collect(): void {
  const { Bun } = globalThis as { Bun?: { readonly gc: (isFull: boolean) => void } };
  Bun?.gc(true);
}

function buildProc({ kernel, say }: SupervisorOptions, warn: (text: string) => void): Proc {
  const tell = (text: string): void => {
    say(`svinit: ${text}`);
    warn(text);
  };
  return new Proc({ kernel, warn: tell });
}

/** Without its FIFO a service that runs has one again at its next start. */
function adoptFifo(fifos: Fifos, say: (line: string) => void, name: string, fd: Fd): void {
  try {
    fifos.adopt(name, fd);
  } catch (error) {
    say(`svinit: the log of ${name} is not held: ${wordsOf(error)}`);
  }
}

/** The FIFO of svinit's own log; without it svinit is silent, and lives. */
function ownLog(fifos: Fifos, say: (line: string) => void): Fd | null {
  try {
    return fifos.hold(OWN_LOG);
  } catch (error) {
    say(`svinit: no log of my own: ${wordsOf(error)}`);
    return null;
  }
}

/** What runs and belongs to one of `specs`. */
function lookFor(
  options: SupervisorOptions,
  specs: readonly Spec[],
  spawner: Spawner,
): readonly Survivor[] {
  const { kernel } = options;
  const nameOf = (target: string): string | null => serviceOf(options, specs, target);
  const isHeard = (pid: Pid): boolean => spawner.notifications().has(pid);
  return survey(kernel.getpid(), kernel.monotonic(), nameOf, isHeard);
}

/** The service whose FIFO, or whose terminal, an open file is. */
function serviceOf(
  { paths, console }: SupervisorOptions,
  specs: readonly Spec[],
  target: string,
): string | null {
  const prefix = `${paths.fifos}/`;
  if (target.startsWith(prefix)) return target.slice(prefix.length);
  for (const { name, tty } of specs) {
    const path = tty === 'console' ? console : tty;
    if (path !== null && path === target) return name;
  }
  return null;
}
