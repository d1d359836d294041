/**
 * The last events of a model world and what each led to, put into words only when somebody has to
 * read them.
 */
import type { Outcome, SystemEffect, SystemEvent } from '../../../src/core/system.ts';

const KEPT = 40;

export class Trace {
  readonly #last: { now: number; event: SystemEvent | string; outcome: Outcome | null }[] = [];

  /** Something the world did to the system that is no event. */
  note(now: number, what: string): void {
    this.#push({ now, event: what, outcome: null });
  }

  begin(now: number, event: SystemEvent): void {
    this.#push({ now, event, outcome: null });
  }

  end(outcome: Outcome): void {
    const last = this.#last.at(-1);
    if (last !== undefined) last.outcome = outcome;
  }

  toString(): string {
    return this.#last
      .map(({ now, event, outcome }) => {
        const led =
          outcome === null ? [] : [...moves(outcome), ...outcome.effects.map(effectWords)];
        const what = typeof event === 'string' ? event : eventWords(event);
        return `${now.toFixed(1).padStart(10)} ${what}${led.length === 0 ? '' : ` => ${led.join(', ')}`}`;
      })
      .join('\n');
  }

  #push(entry: { now: number; event: SystemEvent | string; outcome: Outcome | null }): void {
    this.#last.push(entry);
    if (this.#last.length > KEPT) this.#last.shift();
  }
}

function eventWords(event: SystemEvent): string {
  if (event.type === 'scanned') {
    const found = event.specs.map(
      ({ name, type, needs, wants, after, before, contents, early }) => {
        const edges = { needs, wants, after, before, contents };
        const said = Object.entries(edges).filter(([, names]) => names.length > 0);
        const words = said.map(([edge, names]) => `${edge} ${names.join(' ')}`).join(', ');
        return `${early ? 'early ' : ''}${name} (${type}${words === '' ? '' : `; ${words}`})`;
      },
    );
    return `scanned ${event.prune ? 'and pruned ' : ''}${found.join('; ')}`;
  }
  if (event.type === 'request') {
    const { method, params } = event.request;
    return `request ${event.asker.id}: ${method} ${JSON.stringify(params)}`;
  }
  return JSON.stringify(event);
}

function moves({ changes }: Outcome): string[] {
  return changes.map(({ name, from, service }) => `${name}: ${from.at} -> ${service.phase.at}`);
}

function effectWords(effect: SystemEffect): string {
  switch (effect.do) {
    case 'spawn':
      return `spawn ${effect.name} (${effect.role})`;
    case 'signal':
      return `signal ${effect.signal} to ${effect.pid}`;
    case 'reply':
    case 'refuse':
      return `${effect.do} ${effect.asker.id}`;
    default:
      return effect.do;
  }
}
