/**
 * The life of a service as a table, printed by the reducer itself: phase × event, and what comes
 * of it. src/README.md shows it, and a test compares the two.
 */
import type { Effect, Event, Phase, Service, Want } from '../../../src/core/phase.ts';
import { newService } from '../../../src/core/phase.ts';
import { step } from '../../../src/core/service.ts';
import { signalName } from '../../../src/core/signals.ts';
import type { Spec } from '../../../src/core/spec.ts';
import { type Millis, ms, pid } from '../../../src/core/units.ts';
import { command, exitOf, oneshot, telling } from './builder.ts';

export const NOW: Millis = ms(100_000);

/** One of each phase; whatever has a deadline has it now. */
export const PHASES: readonly Phase[] = [
  { at: 'down' },
  { at: 'spawning' },
  { at: 'starting', pid: pid(7), startedAt: ms(99_900), readyBy: NOW },
  { at: 'up', pid: pid(7), startedAt: ms(99_900) },
  { at: 'stopping', pid: pid(7), startedAt: ms(99_900), killAt: NOW, why: 'asked' },
  { at: 'finishing', pid: pid(7), killAt: NOW, retryAt: null, ranFor: ms(100), why: null },
  { at: 'undoing', pid: pid(7), killAt: NOW, retryAt: null },
  { at: 'backoff', until: NOW },
  { at: 'done' },
  { at: 'failed' },
];

/** Each column of the table: an event, and the want of the service that it meets. */
export const COLUMNS: readonly { title: string; want: Want; event: Event }[] = [
  { title: 'want up', want: 'down', event: { type: 'want', want: 'up', cause: '' } },
  { title: 'want down', want: 'up', event: { type: 'want', want: 'down', cause: '' } },
  { title: 'admit', want: 'up', event: { type: 'admit' } },
  { title: 'release', want: 'down', event: { type: 'release' } },
  { title: 'restart', want: 'up', event: { type: 'restart', cause: '' } },
  { title: 'retry', want: 'up', event: { type: 'retry', cause: '' } },
  { title: 'spawned', want: 'up', event: { type: 'spawned', pid: pid(8) } },
  { title: 'spawn refused', want: 'up', event: refused(true) },
  { title: 'spawn impossible', want: 'up', event: refused(false) },
  { title: 'ready', want: 'up', event: { type: 'ready' } },
  { title: 'exits well', want: 'up', event: { type: 'exited', exit: exitOf(0) } },
  { title: 'exits badly', want: 'up', event: { type: 'exited', exit: exitOf(1) } },
  { title: 'exits, want down', want: 'down', event: { type: 'exited', exit: exitOf(1) } },
  { title: 'deadline', want: 'up', event: { type: 'deadline' } },
];

/** Those whose tables are shown, and the phases that they can be in. */
export const KINDS: readonly { title: string; spec: Spec; without: readonly Phase['at'][] }[] = [
  {
    title: 'longrun with a `finish`, ready when it says so, always restarted',
    spec: telling('web', { finish: command('finish') }),
    without: ['undoing'],
  },
  {
    title: 'oneshot with a `down`',
    spec: oneshot('mount', { down: command('down') }),
    without: ['up', 'finishing'],
  },
];

/** The table of one kind, as Markdown. */
export function transitionTable({ spec, without }: (typeof KINDS)[number]): string {
  const rows = PHASES.filter(({ at }) => !without.includes(at)).map((phase) => [
    `**${phase.at}**`,
    ...COLUMNS.map(({ want, event }) => {
      const [next, effects] = step(inPhase(phase, want), event, spec, NOW);
      return outcomeWords(phase, next.phase, effects);
    }),
  ]);
  const head = ['phase', ...COLUMNS.map(({ title }) => title)];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A service with some past, in `phase`. */
export function inPhase(phase: Phase, want: Want): Service {
  const exit = phase.at === 'finishing' ? exitOf(1) : null;
  return { ...newService(ms(0)), want, phase, starts: 1, exit };
}

function refused(transient: boolean): Event {
  return { type: 'spawnFailed', reason: 'cannot', transient };
}

function outcomeWords(from: Phase, to: Phase, effects: readonly Effect[]): string {
  const words = effects.map((effect) => {
    if (effect.do === 'spawn') return `spawn ${effect.role}`;
    if (effect.do === 'pipe') return `${effect.hold ? 'hold' : 'loosen'} input`;
    return `${signalName(effect.signal)}${effect.group ? ' all' : ''}`;
  });
  if (from === to && words.length === 0) return '·';
  return words.length === 0 ? to.at : `${to.at} (${words.join(', ')})`;
}
