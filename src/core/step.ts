/**
 * The system reducer: one event in, effects and changes out. Everything that svinit decides once
 * it supervises is decided below this function.
 */
import { takeDue } from './agenda.ts';
import { errandOf } from './errands.ts';
import type { Exit } from './exit.ts';
import { dropJobsOf, judgeJobs } from './jobs.ts';
import { called, lazyIsOver } from './lazy.ts';
import { onceIsOver } from './once.ts';
import { pidOf } from './phase.ts';
import { handle } from './requests.ts';
import { takeDefinitions, updateWants } from './scanned.ts';
import { checkSchedule } from './schedule.ts';
import { beginHalt, checkHalt, checkMain } from './shutdown.ts';
import { recognise } from './survivors.ts';
import { dueOf, type Outcome, type System, type SystemEvent } from './system.ts';
import { apply, lookAgain, newTurn, settle, type Turn } from './turn.ts';
import { type Millis, type Pid, unreachable } from './units.ts';
import { lookedAt } from './way-down.ts';

/**
 * Applies `event` at `now` and follows its consequences. `system` is changed in place and must
 * not be stepped from two places at once.
 */
export function step(system: System, event: SystemEvent, now: Millis): Outcome {
  const turn = newTurn(system, now);
  const { boot, earlySettled, halt, schedule, mainExit } = system;
  const awaited = system.booting.size;
  react(turn, event);
  expire(turn);
  checkSchedule(turn);
  settle(turn);
  checkMain(turn);
  settle(turn);
  if (system.jobs.size > 0) judgeJobs(turn);
  if (system.boot === 'settling') checkBoot(turn);
  checkHalt(turn);
  turn.whole =
    boot !== system.boot ||
    earlySettled !== system.earlySettled ||
    halt !== system.halt ||
    schedule !== system.schedule ||
    mainExit !== system.mainExit ||
    awaited !== system.booting.size;
  return turn;
}

type Told<T> = Extract<SystemEvent, { type: T }>;

function react(turn: Turn, event: SystemEvent): void {
  const { system } = turn;
  switch (event.type) {
    case 'scanned':
      return scanned(turn, event);
    case 'spawned':
      return spawned(turn, event);
    case 'spawnFailed':
      return spawnFailed(turn, event);
    case 'exited': {
      const { pid, exit } = event;
      const runner = system.errands.get(pid);
      if (runner !== undefined) return errandEnded(turn, runner, pid, exit);
      const name = system.pids.get(pid);
      // A stranger that was given to PID 1: reaping it was all there was to do.
      if (name === undefined) return;
      const { oomKills = 0 } = event;
      apply(turn, name, { type: 'exited', exit, oomKills });
      lazyIsOver(turn, name);
      return onceIsOver(turn, name);
    }
    case 'ready': {
      const name = system.pids.get(event.pid);
      if (name !== undefined) apply(turn, name, { type: 'ready' });
      return;
    }
    case 'notified': {
      const name = system.pids.get(event.pid);
      if (name !== undefined) apply(turn, name, { type: 'notified', said: event.said });
      return;
    }
    case 'request':
      return handle(turn, event.asker, event.request);
    case 'hangup':
      return dropJobsOf(turn, event.client);
    case 'looked':
      return lookedAt(turn, event);
    case 'called':
      return called(turn, event);
    case 'tick':
      return;
    case 'resumed':
      return lookAgain(turn);
    case 'halt':
      beginHalt(turn, event.kind, event.cause);
      return;
    default:
      return unreachable(event);
  }
}

function scanned(turn: Turn, event: Extract<SystemEvent, { type: 'scanned' }>): void {
  const { system } = turn;
  const first = system.boot === 'unscanned';
  if (first) system.boot = 'settling';
  const result = takeDefinitions(turn, event);
  // Before anything is wanted: what runs is not started a second time.
  if (event.survivors !== undefined) recognise(system, event.survivors, true);
  const started = updateWants(turn, first ? 'boot' : 'scan');
  // What was found running is not waited for: it has had its chance.
  const awaited = started.filter((name) => !runs(system, name));
  if (first) for (const name of awaited) system.booting.add(name);
  // Who was waited for may now need what has failed already.
  else if (system.boot === 'settling') lookAgain(turn);
  if (event.asker !== null) turn.effects.push({ do: 'reply', asker: event.asker, result });
}

function runs(system: System, name: string): boolean {
  const phase = system.units.get(name)?.service.phase;
  return phase !== undefined && pidOf(phase) !== null;
}

/** Once, when all that was wanted from the start has had its chance. */
function checkBoot({ system, effects }: Turn): void {
  if (system.booting.size > 0 || system.halt !== null) return;
  system.boot = 'settled';
  effects.push({ do: 'booted' });
}

function expire(turn: Turn): void {
  const { system, now } = turn;
  for (const key of takeDue(system.agenda, now)) {
    const due = dueOf(system, key);
    // Jobs and the halt look at the clock themselves at the end of the turn.
    if (due !== null && due <= now && system.units.has(key)) {
      apply(turn, key, { type: 'deadline' });
    }
  }
}

function spawned(turn: Turn, { name, pid, errand }: Told<'spawned'>): void {
  if (errand === undefined) return apply(turn, name, { type: 'spawned', pid });
  apply(turn, name, { type: 'errandSpawned', of: errand, pid });
}

function spawnFailed(turn: Turn, told: Told<'spawnFailed'>): void {
  const { name, reason, transient, errand } = told;
  if (errand === undefined) return apply(turn, name, { type: 'spawnFailed', reason, transient });
  apply(turn, name, { type: 'errandEnded', of: errand, exit: null, reason });
}

function errandEnded(turn: Turn, name: string, pid: Pid, exit: Exit): void {
  const service = turn.system.units.get(name)?.service;
  if (service === undefined) return;
  apply(turn, name, { type: 'errandEnded', of: errandOf(service, pid), exit, reason: null });
}
