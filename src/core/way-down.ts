/**
 * What clients ask of the way down: to begin it now or later, not to, what is in its way, and
 * whose wait is to be given up.
 */
import { type ScheduledView, shutdownView } from './blockers.ts';
import { who } from './causes.ts';
import { type HaltKind, type Look, NEXT_INIT, NEXT_ROOT, type SwitchTarget } from './halt.ts';
import type { Params, Request } from './methods.ts';
import { EXIT, type RpcError, refusal } from './protocol.ts';
import { resolve } from './resolve.ts';
import { cancelSchedule, setSchedule, warnOf } from './schedule.ts';
import { beginHalt, giveUp, hasten } from './shutdown.ts';
import type { Asker, System, SystemEvent } from './system.ts';
import type { Turn } from './turn.ts';
import { later, ms } from './units.ts';

type Ending = 'poweroff' | 'reboot' | 'halt' | 'kexec' | 'switchRoot';
export type WayDown = Extract<
  Request,
  { method: Ending | 'schedule' | 'cancel' | 'shutdown' | 'skip' }
>;

export function wayDown(turn: Turn, asker: Asker, request: WayDown): void {
  const answer = answerOf(turn, asker, request);
  if (answer === null) return;
  respond(turn, asker, answer);
}

/** The world is as it must be, or it is not: now the way down begins, or it is refused. */
export function lookedAt(turn: Turn, event: Extract<SystemEvent, { type: 'looked' }>): void {
  const { asker, kind, problem } = event;
  if (problem !== null) {
    return respond(turn, asker, refusal(EXIT.failed, `Cannot ${kind}: ${problem}`));
  }
  const to = event.kind === 'switch-root' ? event.to : null;
  const error = beginHalt(turn, kind, `${kind} by ${who(asker)}`, to);
  respond(turn, asker, error ?? { halting: kind });
}

function respond(turn: Turn, asker: Asker, answer: RpcError | object): void {
  if ('code' in answer) turn.effects.push({ do: 'refuse', asker, error: answer });
  else turn.effects.push({ do: 'reply', asker, result: answer });
}

/** Null: not yet. */
function answerOf(turn: Turn, asker: Asker, request: WayDown): RpcError | object | null {
  switch (request.method) {
    case 'schedule':
      return schedule(turn, asker, request.params);
    case 'cancel':
      return cancel(turn, asker);
    case 'shutdown':
      return shutdownView(turn.system, turn.now);
    case 'skip':
      return skip(turn, asker, request.params.names);
    case 'kexec':
      return lookFirst(turn, { asker, kind: 'kexec' });
    case 'switchRoot': {
      const to = targetOf(turn.system, request.params);
      return lookFirst(turn, { asker, kind: 'switch-root', to });
    }
    default: {
      const { method, params } = request;
      const halting = kindOf(turn.system, method);
      const error = beginHalt(turn, halting, `${method} by ${who(asker)}`);
      if (error === null && params.force === true) hasten(turn);
      return error ?? { halting };
    }
  }
}

/** Nothing is stopped for an end that would fail. */
function lookFirst(turn: Turn, look: Look): RpcError | null {
  const { options, halt } = turn.system;
  if (options.stopKind === 'exit') {
    return refusal(EXIT.failed, `Cannot ${look.kind}: this is no machine`);
  }
  if (halt !== null && halt.kind !== look.kind) return underWay(turn.system, look.kind);
  turn.effects.push({ do: 'look', ...look });
  return null;
}

function targetOf({ options }: System, asked: Params['switchRoot']): SwitchTarget {
  return {
    // As the table of mounts has it.
    root: asked.root?.replace(/(?!^)\/+$/, '') ?? NEXT_ROOT,
    init: asked.init ?? options.next?.init ?? NEXT_INIT,
    arguments: asked.arguments ?? options.next?.arguments ?? [],
  };
}

/** In a container every way down is its end. */
const kindOf = ({ options }: System, asked: HaltKind): HaltKind =>
  options.stopKind === 'exit' ? 'exit' : asked;

function schedule(
  turn: Turn,
  asker: Asker,
  { kind: asked, inMs, message, pretend = false }: Params['schedule'],
): RpcError | ScheduledView {
  const { system, now } = turn;
  const kind = kindOf(system, asked);
  const cause = `${asked} by ${who(asker)}`;
  if (system.halt !== null) return underWay(system, `schedule a ${asked}`);
  const wish = { kind, cause, message, by: later(now, ms(inMs)) };
  if (pretend) warnOf(turn, wish);
  else setSchedule(turn, wish);
  return { kind, cause, message, inMs };
}

function cancel(turn: Turn, asker: Asker): RpcError | { cancelled: ScheduledView | null } {
  if (turn.system.halt !== null) return underWay(turn.system, 'cancel');
  return { cancelled: cancelSchedule(turn, `by ${who(asker)}`) };
}

/** Gives up waiting for those of `wanted` that are stopping: they are killed, and it goes on. */
function skip(
  turn: Turn,
  asker: Asker,
  wanted: readonly string[],
): RpcError | { skipped: readonly string[] } {
  const { system, now } = turn;
  if (system.halt === null) return refusal(EXIT.failed, 'Cannot skip: nothing is going down');
  const chosen = resolve(system, wanted);
  if (!chosen.ok) return chosen.error;
  const skipped = chosen.names.filter((name) => isBeingStopped(system, name));
  if (skipped.length === 0) return notStopping(system, chosen.names, now);
  giveUp(turn, skipped, `skipped by ${who(asker)}`);
  return { skipped };
}

function isBeingStopped(system: System, name: string): boolean {
  const at = system.units.get(name)?.service.phase.at;
  return at === 'stopping' || at === 'finishing' || at === 'undoing';
}

function notStopping(system: System, names: readonly string[], now: Turn['now']): RpcError {
  const held = shutdownView(system, now).waitingFor.filter(({ name }) => names.includes(name));
  const holders = [...new Set(held.flatMap(({ heldBy }) => heldBy))];
  const all = names.join(', ');
  if (held.length === 0) return refusal(EXIT.failed, `Cannot skip ${all}: nothing waits for it`);
  const hint = holders.length === 0 ? undefined : `svctl shutdown skip ${holders.join(' ')}`;
  const why = holders.length === 0 ? '' : `: ${holders.join(', ')} must stop first`;
  return refusal(EXIT.failed, `Cannot skip ${all}: not told to stop yet${why}`, hint);
}

function underWay({ halt }: System, act: string): RpcError {
  const { kind = '', cause = '' } = halt ?? {};
  return refusal(EXIT.failed, `Cannot ${act}: a ${kind} is under way (${cause})`);
}
