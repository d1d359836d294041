/**
 * What clients ask of the way down: to begin it now or later, not to, what is in its way, and
 * whose wait is to be given up.
 */
import { type ScheduledView, shutdownView } from './blockers.ts';
import { who } from './causes.ts';
import type { Params, Request } from './methods.ts';
import { EXIT, type RpcError, refusal } from './protocol.ts';
import { resolve } from './resolve.ts';
import { cancelSchedule, setSchedule } from './schedule.ts';
import { beginHalt, giveUp } from './shutdown.ts';
import type { Asker, HaltKind, System } from './system.ts';
import type { Turn } from './turn.ts';
import { later, ms } from './units.ts';

export type WayDown = Extract<
  Request,
  { method: 'poweroff' | 'reboot' | 'halt' | 'schedule' | 'cancel' | 'shutdown' | 'skip' }
>;

export function wayDown(turn: Turn, asker: Asker, request: WayDown): void {
  const answer = answerOf(turn, asker, request);
  if ('code' in answer) turn.effects.push({ do: 'refuse', asker, error: answer });
  else turn.effects.push({ do: 'reply', asker, result: answer });
}

function answerOf(turn: Turn, asker: Asker, request: WayDown): RpcError | object {
  switch (request.method) {
    case 'schedule':
      return schedule(turn, asker, request.params);
    case 'cancel':
      return cancel(turn, asker);
    case 'shutdown':
      return shutdownView(turn.system, turn.now);
    case 'skip':
      return skip(turn, asker, request.params.names);
    default: {
      const { method } = request;
      const halting = kindOf(turn.system, method);
      return beginHalt(turn, halting, `${method} by ${who(asker)}`) ?? { halting };
    }
  }
}

/** In a container every way down is its end. */
const kindOf = ({ options }: System, asked: HaltKind): HaltKind =>
  options.stopKind === 'exit' ? 'exit' : asked;

function schedule(
  turn: Turn,
  asker: Asker,
  { kind: asked, inMs, message }: Params['schedule'],
): RpcError | ScheduledView {
  const { system, now } = turn;
  const kind = kindOf(system, asked);
  const cause = `${asked} by ${who(asker)}`;
  if (system.halt !== null) return underWay(system, `schedule a ${asked}`);
  setSchedule(turn, { kind, cause, message, by: later(now, ms(inMs)) });
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
