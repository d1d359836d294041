/**
 * The parts of the supervisor and how they hang together. Each knows only what it is given here.
 */
import type { Spec } from '../core/spec.ts';
import type { Change, SystemEvent } from '../core/system.ts';
import type { Fd } from '../core/units.ts';
import { Control } from './control.ts';
import { Fifos } from './fifos.ts';
import { Handover } from './handover.ts';
import { type Journal, openJournal } from './journal.ts';
import { wordsOf } from './let-go.ts';
import { Lifeline } from './lifeline.ts';
import { Loop, type OtherEffect } from './loop.ts';
import type { SupervisorOptions } from './options.ts';
import { Spawner } from './spawn.ts';
import { survey } from './survey.ts';
import { Teller } from './teller.ts';
import { Trial } from './trial.ts';
import { Watch } from './watch.ts';

export type Parts = {
  readonly control: Control;
  readonly fifos: Fifos;
  readonly handover: Handover;
  readonly journal: Journal;
  readonly lifeline: Lifeline;
  readonly loop: Loop;
  readonly spawner: Spawner;
  readonly teller: Teller;
  readonly trial: Trial;
  readonly watch: Watch;
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
  const lifeline = new Lifeline({
    kernel,
    system,
    self,
    journal,
    whole: () => handover.legacy(options.revivals),
  });
  notes.taker = lifeline;
  const watch = new Watch(kernel, warn);
  const loop: Loop = new Loop(system, {
    ...hooks,
    now: kernel.monotonic,
    spawn: (effect) => spawner.start(effect),
    settled: (touched, jobs) => lifeline.turn(touched, jobs),
  });
  const spawner = new Spawner({
    kernel,
    fifos,
    watch,
    environment: options.environment,
    own: { path: self.path, environment: options.ownEnvironment },
    console: options.console,
    ready: (pid) => post({ type: 'ready', pid }),
    warn,
    note: (pid, fd) => lifeline.note({ k: 'notify', pid, fd }),
  });
  const control = new Control({
    kernel,
    now: kernel.monotonic,
    adopt: options.adoptSocket,
    post,
    warn,
    note: (number, client) => lifeline.note({ k: 'client', number, client }),
  });
  const trial = new Trial({ kernel, watch, now: kernel.monotonic });
  const known = { kernel, system, self, journal, loop, fifos, spawner, control, trial, say };
  const handover: Handover = new Handover({
    ...known,
    release: () => lifeline.release(),
    hold: () => lifeline.hold(),
    survey: (specs) => survey(kernel.getpid(), (target) => serviceOf(options, specs, target)),
  });
  const teller = new Teller(system, journal, options);
  return { control, fifos, handover, journal, lifeline, loop, spawner, teller, trial, watch };
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
