/**
 * After an image died: what the ledger says against what really runs. The world is right: what ran
 * on is kept, what ended unseen has ended, and nothing is started a second time.
 */
import { enter } from './checkpoint.ts';
import type { Exit } from './exit.ts';
import { type Phase, pidOf } from './phase.ts';
import type { System, SystemEvent } from './system.ts';
import { type Millis, type Pid, unreachable } from './units.ts';

/** One child of PID 1 that leads its session, and so is the main process of something. */
export type Survivor = {
  readonly pid: Pid;
  /** On CLOCK_MONOTONIC. */
  readonly startedAt: Millis;
  /** The service it prints or talks for, as far as its descriptors tell. */
  readonly name: string | null;
};

/** A start is noted after it happened and in hundredths of a second: so far may they be apart. */
const START_TOLERANCE_MS = 2000;
/** Its status was reaped by the image that died: no one knows it any more. */
const UNKNOWN_EXIT: Exit = { kind: 'code', code: 255 };

/**
 * Takes into `system` what runs although it does not know it, and gives the events that tell it of
 * what it believes to run and does not.
 */
export function recognise(system: System, survivors: readonly Survivor[]): SystemEvent[] {
  const running = new Map(survivors.map((survivor) => [survivor.pid, survivor]));
  const ended = [...system.pids].filter(([pid, name]) => {
    const phase = system.units.get(name)?.service.phase;
    return !isSame(running.get(pid), phase);
  });
  for (const survivor of survivors) {
    const { pid, name } = survivor;
    const unit = name === null ? undefined : system.units.get(name);
    if (name === null || unit === undefined || system.pids.has(pid)) continue;
    if (pidOf(unit.service.phase) !== null) continue;
    const { service, spec } = unit;
    const phase = withProcess(service.phase, survivor);
    const cause = 'found running after svinit had died';
    enter(system, name, { ...service, phase, starts: service.starts + 1, cause }, spec);
  }
  return ended.map(([pid]) => ({ type: 'exited', pid, exit: UNKNOWN_EXIT }));
}

function isSame(survivor: Survivor | undefined, phase: Phase | undefined): boolean {
  if (survivor === undefined || phase === undefined) return false;
  if (!('startedAt' in phase)) return true;
  return Math.abs(survivor.startedAt - phase.startedAt) <= START_TOLERANCE_MS;
}

/** The process is there; whether it had said that it is ready died with the image: it has. */
function withProcess(phase: Phase, { pid, startedAt }: Survivor): Phase {
  switch (phase.at) {
    case 'finishing':
    case 'undoing':
      return { ...phase, pid };
    case 'down':
    case 'spawning':
    case 'starting':
    case 'up':
    case 'stopping':
    case 'backoff':
    case 'done':
    case 'failed':
      return { at: 'up', pid, startedAt };
    default:
      return unreachable(phase);
  }
}
