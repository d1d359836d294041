/**
 * The parts of the supervisor and how they hang together. Each knows only what it is given here.
 */

import { EXIT, refusal } from '../core/protocol.ts';
import { rootPlaces } from '../core/root-places.ts';
import type { Spec } from '../core/spec.ts';
import type { Survivor } from '../core/survivors.ts';
import type { SystemEvent } from '../core/system.ts';
import type { Fd, Pid } from '../core/units.ts';
import type { Cgroups } from './cgroups.ts';
import type { Passed } from './clients.ts';
import { Control } from './control.ts';
import { examine } from './examine.ts';
import { FdStore } from './fd-store.ts';
import { Fifos } from './fifos.ts';
import { cgroupsFor, grouped, type Hooks, type Question } from './grouped.ts';
import { Handover } from './handover.ts';
import { Holdings } from './holdings.ts';
import { type Journal, openJournal } from './journal.ts';
import { wordsOf } from './let-go.ts';
import { Lifeline } from './lifeline.ts';
import { type ListenerPorts, Listeners } from './listeners.ts';
import { Looker } from './look.ts';
import { Loop, type Moved } from './loop.ts';
import { Memory } from './memory.ts';
import { type NotifyPorts, NotifySocket } from './notify.ts';
import type { SupervisorOptions } from './options.ts';
import { probeViews } from './probing.ts';
import { Proc } from './proc.ts';
import type { Legacy } from './reexec.ts';
import { Spawner, type SpawnPorts } from './spawn.ts';
import { serviceOf, survey } from './survey.ts';
import { Teller } from './teller.ts';
import { Trial } from './trial.ts';
import { Watch } from './watch.ts';
import { Watchdog } from './watchdog.ts';

export type Parts = {
  readonly cgroups: Cgroups;
  readonly control: Control;
  readonly fifos: Fifos;
  readonly handover: Handover;
  readonly journal: Journal;
  readonly lifeline: Lifeline;
  readonly listeners: Listeners;
  readonly looker: Looker;
  readonly loop: Loop;
  readonly memory: Memory;
  readonly notify: NotifySocket;
  readonly proc: Proc;
  readonly spawner: Spawner;
  readonly store: FdStore;
  readonly teller: Teller;
  readonly trial: Trial;
  readonly watch: Watch;
  readonly watchdog: Watchdog;
};

/** The log of PID 1 itself; no service can have this name. */
const OWN_LOG = 'svinit';

export function buildParts(options: SupervisorOptions, hooks: Hooks): Parts {
  const { kernel, paths, system, legacy, self, say } = options;
  const post = (event: SystemEvent): void => loop.post(event);
  // What is held before there is a lifeline is in the whole state that it begins with.
  const notes: { taker: Lifeline | null } = { taker: null };
  const fifos = new Fifos(kernel, paths, (name, fd) => notes.taker?.note({ k: 'fifo', name, fd }));
  for (const [name, fd] of legacy?.fifos ?? []) adoptFifo(fifos, say, name, fd);
  const journal = openJournal(kernel, ownLog(fifos, say));
  const warn = (text: string): void => journal.warn(text);
  const whole = (): Legacy => handover.legacy(options.revivals);
  const lifeline = new Lifeline({ kernel, system, self, journal, whole });
  notes.taker = lifeline;
  const watch = new Watch(kernel, warn, (act) => loop.gather(act));
  const { holdings, store, listeners } = keepDescriptors(options, notes, { watch, post, warn });
  const cgroups = cgroupsFor(options, warn);
  const loop: Loop = new Loop(system, {
    ...grouped(hooks, cgroups, system.pids, (question) =>
      control.reply(question.asker, answerTo(question, options, parts)),
    ),
    now: kernel.monotonic,
    spawn: (effect) => spawner.start(effect),
    told: (changes) => parts.teller.changed(changes),
    together: (act) => control.clients.together(act),
    settled: (moved) => noteAndKeep(moved, lifeline, [store, listeners]),
    redefined: () => lifeline.redefined(),
  });
  const spawner = new Spawner({
    ...whatServicesGet(options),
    ...{ cgroups, fifos, watch, warn, listeners, store },
    ready: (pid) => post({ type: 'ready', pid }),
    note: (pid, fd) => lifeline.note({ k: 'notify', pid, fd }),
  });
  const notify = new NotifySocket({ kernel, watch, warn, post, store, ...heardFrom(options) });
  const timed = { kernel, now: kernel.monotonic };
  const note = (number: number, client: Passed | null): void =>
    lifeline.note({ k: 'client', number, client });
  const control = new Control({ ...timed, adopt: options.adoptSocket, post, warn, note });
  const trial = new Trial({ ...timed, watch });
  const looker = buildLooker(options, post, control);
  const known = { kernel, system, self, journal, loop, fifos, holdings, spawner, control, trial };
  const handover: Handover = new Handover({
    ...known,
    ...{ notify, say },
    release: () => {
      looker.abandon();
      lifeline.release();
    },
    hold: () => lifeline.hold(),
    survey: (specs) => lookFor(options, specs, spawner),
  });
  const parts: Parts = {
    ...{ cgroups, control, fifos, handover, journal, lifeline, looker, loop, notify, spawner },
    ...{ listeners, store, trial, watch },
    memory: buildMemory(options, journal, handover),
    proc: buildProc(options, warn),
    teller: new Teller(system, journal, options),
    watchdog: new Watchdog({ kernel, warn, info: (text) => journal.info(text) }),
  };
  return parts;
}

function answerTo(question: Question, options: SupervisorOptions, parts: Parts): unknown {
  if (question.do === 'examine') return examine(options, parts);
  return { probes: probeViews(question.asked, whatServicesGet(options)) };
}

/** Noted first: what an image that dies here has opened is found by what was wanted. */
function noteAndKeep(
  moved: Moved,
  lifeline: Lifeline,
  keepers: readonly { look(names: Iterable<string>): void }[],
): void {
  lifeline.turn(moved);
  for (const keeper of keepers) keeper.look(moved.touched);
}

/** What is kept open for services, over this image's end. */
function keepDescriptors(
  { kernel, system, legacy }: SupervisorOptions,
  notes: { readonly taker: Lifeline | null },
  ports: Pick<ListenerPorts, 'watch' | 'post' | 'warn'>,
): { holdings: Holdings; store: FdStore; listeners: Listeners } {
  const holdings = new Holdings(kernel, (fd, holding) =>
    notes.taker?.note({ k: 'held', fd, holding }),
  );
  for (const holding of legacy?.held ?? []) holdings.adopt(holding);
  const known = { kernel, system, holdings, ...ports };
  return { holdings, store: new FdStore(known), listeners: new Listeners(known) };
}

function buildLooker(
  { kernel }: SupervisorOptions,
  post: (event: SystemEvent) => void,
  control: Control,
): Looker {
  return new Looker({
    kernel,
    now: kernel.monotonic,
    over: (look, problem) => post({ type: 'looked', ...look, problem }),
    refuse: ({ asker }, reason) => control.refuse(asker, refusal(EXIT.failed, reason)),
  });
}

function heardFrom({ paths, system }: SupervisorOptions): Pick<NotifyPorts, 'path' | 'pids'> {
  return { path: paths.notify, pids: system.pids };
}

/** What is the same for every process that is started. */
function whatServicesGet(
  options: SupervisorOptions,
): Pick<SpawnPorts, 'kernel' | 'environment' | 'own' | 'notify' | 'locks' | 'pin' | 'console'> {
  const { kernel, environment, ownEnvironment, console, self, paths } = options;
  const own = { path: self.path, environment: ownEnvironment };
  return {
    kernel,
    environment,
    own,
    notify: paths.notify,
    locks: paths.locks,
    pin: rootPlaces(paths.run).pin,
    console,
  };
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
  return new Memory({ now: kernel.monotonic, resident, giveBack: kernel.giveBack, replace });
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
  const nameOf = (target: string, fd: string): string | null =>
    serviceOf(options, specs, target, fd);
  const isHeard = (pid: Pid): boolean => spawner.notifications().has(pid);
  const { pids } = options.system;
  return survey(kernel.getpid(), kernel.monotonic(), nameOf, isHeard, pids);
}
