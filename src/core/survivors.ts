/**
 * After an image died: what the ledger says against what really runs. The world is right: what ran
 * on is kept, what ended unseen has ended, and nothing is started a second time.
 */
import { enter } from './checkpoint.ts';
import type { Exit } from './exit.ts';
import { type Phase, pidOf, within } from './phase.ts';
import type { Spec } from './spec.ts';
import type { System, SystemEvent } from './system.ts';
import { type Millis, type Pid, unreachable } from './units.ts';

/** One child of PID 1 that leads its session, and so is the main process of something. */
export type Survivor = {
  readonly pid: Pid;
  /** On CLOCK_MONOTONIC. */
  readonly startedAt: Millis;
  /** The service it prints or talks for, as far as its descriptors tell. */
  readonly name: string | null;
  /** The pipe on which it will say that it is ready is there. */
  readonly isHeard: boolean;
};

/** /proc counts starts in hundredths of a second, and cuts off the rest. */
const START_TOLERANCE_MS = 20;
/** Its status was reaped by the image that died: no one knows it any more. */
export const UNKNOWN_EXIT: Exit = { kind: 'code', code: 255 };

/**
 * Takes into `system` what runs although it does not know it, and gives the events that tell it of
 * what it believes to run and does not. A pid it knows is that of the same process: none is reaped
 * before its end has been noted.
 * @param isLost Nothing is left of what was known before, so age tells nothing.
 */
export function recognise(
  system: System,
  survivors: readonly Survivor[],
  isLost: boolean,
): SystemEvent[] {
  const running = new Map(survivors.map((survivor) => [survivor.pid, survivor]));
  const ended = [...system.pids].filter(([pid, name]) => {
    const survivor = running.get(pid);
    return survivor === undefined || (survivor.name ?? name) !== name;
  });
  for (const survivor of survivors) {
    const { pid, name } = survivor;
    const unit = name === null ? undefined : system.units.get(name);
    if (name === null || unit === undefined || system.pids.has(pid)) continue;
    if (pidOf(unit.service.phase) !== null) continue;
    const { service, spec } = unit;
    // What ran before the service came to where it is has been nobody's for long.
    if (!isLost && survivor.startedAt < service.since - START_TOLERANCE_MS) continue;
    const phase = withProcess(service.phase, survivor, spec);
    // Where it was before, it may have been counted as starting or as waiting for that.
    system.starting.delete(name);
    system.throttled.delete(name);
    const cause = 'found running after svinit had died';
    enter(system, name, { ...service, phase, starts: service.starts + 1, cause }, spec);
  }
  return ended.map(([pid]) => ({ type: 'exited', pid, exit: UNKNOWN_EXIT }));
}

/**
 * The process is there. Of one that says when it is ready, but not to us any more, nobody knows
 * whether it has: it is taken for ready.
 */
function withProcess(phase: Phase, survivor: Survivor, spec: Spec): Phase {
  const { pid, startedAt, isHeard } = survivor;
  switch (phase.at) {
    case 'finishing':
    case 'undoing':
      return { ...phase, pid, retryAt: null };
    case 'down':
    case 'spawning':
    case 'starting':
    case 'up':
    case 'stopping':
    case 'backoff':
    case 'done':
    case 'failed': {
      // Who asks will ask again, and it may have been up for long: there is no limit any more.
      if (spec.type === 'longrun' && spec.ready.by === 'probe') {
        return { at: 'starting', pid, startedAt, readyBy: null };
      }
      const says = spec.type === 'oneshot' || (spec.ready.by === 'fd' && isHeard);
      // A sign of life is owed from the next one on.
      if (!says) return { at: 'up', pid, startedAt };
      return { at: 'starting', pid, startedAt, readyBy: within(spec.upWithin, startedAt) };
    }
    default:
      return unreachable(phase);
  }
}
