/**
 * Requests that are answered when something has come true: start, stop, restart and wait. A job
 * holds one goal a name and is looked at again after each turn that moved something.
 */
import { note } from './agenda.ts';
import { isReloading } from './errand.ts';
import { failedNeed } from './gates.ts';
import type { Goal, MethodName } from './methods.ts';
import { isActive, isMet } from './phase.ts';
import { EXIT, type RpcError, refusal, WAITS_MAX } from './protocol.ts';
import type { ServiceView } from './service-view.ts';
import { type Asker, JOB_DEADLINE, type System } from './system.ts';
import type { Turn } from './turn.ts';
import { type Millis, unreachable } from './units.ts';
import { outcomeOf, viewOf } from './views.ts';

export type JobGoal = {
  readonly name: string;
  readonly goal: Goal | 'reloaded';
  /** Only a process started after this many starts counts (restart); otherwise -1. */
  readonly startsBefore: number;
};

export type Job = {
  readonly number: number;
  readonly method: MethodName;
  readonly asker: Asker;
  readonly goals: readonly JobGoal[];
  /** When the answer becomes "timeout"; null: never. */
  readonly by: Millis | null;
  /** `wait` stays through failures; start and restart answer at the first. */
  readonly patient: boolean;
};

/**
 * What spares looking at every goal after each turn: where one was open when it was last judged,
 * as long as one is the job is not decided, and the names of all.
 */
export type JobLook = { open: number; readonly names: ReadonlySet<string> };

type Verdict =
  | { readonly is: 'met' }
  | { readonly is: 'pending' }
  | { readonly is: 'failed'; readonly exit: number; readonly why: string };

const MET: Verdict = { is: 'met' };
const PENDING: Verdict = { is: 'pending' };

/** Adds a job; it is judged at the end of the same turn, so it may be answered at once. */
export function addJob(turn: Turn, job: Omit<Job, 'number'>): void {
  const { system } = turn;
  const number = Math.max(0, ...system.jobs.keys()) + 1;
  system.jobs.set(number, { number, ...job });
  turn.jobs.add(number);
  if (job.by !== null) note(system.agenda, `${JOB_DEADLINE}${number}`, job.by);
}

/** Adds a job of a client that just looks, unless it has too many already. */
export function addPatient(turn: Turn, job: Omit<Job, 'number' | 'patient'>): void {
  const { asker, method } = job;
  const open = [...turn.system.jobs.values()].filter(
    (other) => other.asker.client === asker.client,
  );
  // Whoever watches is told of everything: twice would be the same, and costs as much again.
  const watches = method === 'watch' && open.some((other) => other.method === method);
  if (!watches && open.length < WAITS_MAX) return addJob(turn, { ...job, patient: true });
  const text = watches
    ? 'This connection watches already'
    : `No more than ${WAITS_MAX} requests of one client may wait for their answer`;
  turn.effects.push({ do: 'refuse', asker, error: refusal(EXIT.failed, text) });
}

/** Answers every job that is decided, and tells the others what moved. */
export function judgeJobs(turn: Turn): void {
  const { system } = turn;
  for (const job of system.jobs.values()) {
    if (job.method === 'watch') {
      tellMoves(turn, job);
      continue;
    }
    const late = job.by !== null && turn.now >= job.by;
    const look = lookOf(system, job);
    if (!late && isOpen(system, job, look)) {
      tellProgress(turn, job, look);
      continue;
    }
    const verdicts = job.goals.map((goal) => judge(system, job, goal));
    const failure = verdicts.find((verdict) => verdict.is === 'failed');
    if (verdicts.every((verdict) => verdict.is === 'met')) answer(turn, job, null);
    else if (failure?.is === 'failed' && verdicts.every((verdict) => verdict.is !== 'pending')) {
      answer(turn, job, refusal(failure.exit, reasons(verdicts)));
    } else answer(turn, job, timeoutError(system, job, verdicts, turn.now));
  }
}

/** Nobody is left to answer. */
export function dropJobsOf(turn: Turn, client: number): void {
  for (const job of turn.system.jobs.values()) {
    if (job.asker.client === client) drop(turn, job);
  }
}

function drop({ system, jobs }: Turn, job: Job): void {
  system.jobs.delete(job.number);
  system.looks.delete(job.number);
  jobs.add(job.number);
}

function answer(turn: Turn, job: Job, error: RpcError | null): void {
  const { system, now } = turn;
  drop(turn, job);
  const { asker } = job;
  if (error !== null) {
    turn.effects.push({ do: 'refuse', asker, error });
    return;
  }
  const services = job.goals.map(({ name }) => outcomeOf(system, name, now));
  turn.effects.push({ do: 'reply', asker, result: { services } });
}

function lookOf({ looks }: System, job: Job): JobLook {
  const known = looks.get(job.number);
  if (known !== undefined) return known;
  const look = { open: 0, names: new Set(job.goals.map(({ name }) => name)) };
  looks.set(job.number, look);
  return look;
}

/** Whether a goal is open: begins where one was the last time, so that met ones are passed once. */
function isOpen(system: System, job: Job, look: JobLook): boolean {
  const { goals } = job;
  for (let step = 0; step < goals.length; step += 1) {
    const index = (look.open + step) % goals.length;
    const goal = goals[index];
    if (goal === undefined || judge(system, job, goal).is !== 'pending') continue;
    look.open = index;
    return true;
  }
  return false;
}

function judge(system: System, job: Job, { name, goal, startsBefore }: JobGoal): Verdict {
  const unit = system.units.get(name);
  if (unit === undefined) {
    return goal === 'down' ? MET : failed(EXIT.failed, `${name} is no longer defined`);
  }
  const { service, spec } = unit;
  const { at } = service.phase;
  switch (goal) {
    case 'up':
    case 'ready':
      if (service.want === 'up' && isMet(service, spec) && service.starts > startsBefore)
        return MET;
      // A oneshot with nothing to run never starts a process, and is done all the same.
      if (at === 'done' && spec.start === null) return MET;
      return job.patient ? PENDING : judgeStart(system, name);
    case 'down':
      return service.want === 'down' && !isActive(service, spec) ? MET : PENDING;
    case 'done':
      if (at === 'done') return MET;
      return at === 'failed' ? judgeStart(system, name) : PENDING;
    case 'failed':
      return at === 'failed' ? MET : PENDING;
    case 'reloaded':
      if (isReloading(service.reload)) return PENDING;
      if (service.reload?.at !== 'over' || service.reload.problem === null) return MET;
      return failed(EXIT.failed, `${name}: its reload failed: ${service.reload.problem}`);
    default:
      return unreachable(goal);
  }
}

/** Whether a start has come to nothing: by itself, by an order to stop, or by a need. */
function judgeStart(system: System, name: string): Verdict {
  const service = system.units.get(name)?.service;
  if (service === undefined) return PENDING;
  const { at } = service.phase;
  if (at === 'failed' || at === 'backoff' || (at === 'done' && service.want === 'up')) {
    const { state, note } = outcomeOf(system, name, service.since);
    return failed(
      EXIT.failed,
      note === '' ? `${name} is ${state}` : `${name} is ${state}: ${note}`,
    );
  }
  if (system.halt !== null) return failed(EXIT.failed, `${name}: going down (${system.halt.kind})`);
  if (service.want === 'down') return failed(EXIT.failed, `${name} was asked to stop`);
  if (at !== 'down') return PENDING;
  const need = failedNeed(system, name);
  if (need === null) return PENDING;
  const { state, note } = outcomeOf(system, need, service.since);
  const reason = note === '' ? '' : `: ${note}`;
  return failed(EXIT.dependencyFailed, `${name} needs ${need}, which is ${state}${reason}`);
}

const failed = (exit: number, why: string): Verdict => ({ is: 'failed', exit, why });

function reasons(verdicts: readonly Verdict[]): string {
  return verdicts.flatMap((verdict) => (verdict.is === 'failed' ? [verdict.why] : [])).join('; ');
}

function timeoutError(
  system: System,
  job: Job,
  verdicts: readonly Verdict[],
  now: Millis,
): RpcError {
  const open = job.goals.filter((_, i) => verdicts[i]?.is !== 'met');
  const states = open.map(({ name, goal }) => {
    const { state, note } = outcomeOf(system, name, now);
    return `${name} is ${state}${note === '' ? '' : ` (${note})`}, not ${goal}`;
  });
  return refusal(EXIT.timeout, `Time is up: ${states.join('; ')}`);
}

function tellProgress(turn: Turn, job: Job, { names }: JobLook): void {
  for (const { name } of turn.changes) if (names.has(name)) tell(turn, job, name);
}

/** Of whatever is not as it was: a wish and a definition are shown too, not only phases. */
function tellMoves(turn: Turn, job: Job): void {
  const names = new Set([...turn.changes.map(({ name }) => name), ...turn.touched]);
  for (const name of names) tell(turn, job, name, viewOfName(turn, name));
}

/** Who watches keeps a picture of its own, and would otherwise ask for all of it at each move. */
function viewOfName({ system, now }: Turn, name: string): { readonly service?: ServiceView } {
  const unit = system.units.get(name);
  return unit === undefined ? {} : { service: viewOf(system, name, unit, now) };
}

function tell(
  { system, now, effects }: Turn,
  { asker }: Job,
  name: string,
  more: { readonly service?: ServiceView } = {},
): void {
  const params = { id: asker.id, ...outcomeOf(system, name, now), ...more };
  effects.push({ do: 'notify', client: asker.client, method: 'progress', params });
}
