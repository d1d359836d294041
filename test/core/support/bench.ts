/**
 * A system on a bench: events by hand, effects as short words. What the core orders is done at
 * once and goes well, unless the test says otherwise.
 */
import type { Look } from '../../../src/core/halt.ts';
import { checkParams, type MethodName } from '../../../src/core/methods.ts';
import type { Phase, Service } from '../../../src/core/phase.ts';
import type { RpcError } from '../../../src/core/protocol.ts';
import { signalName } from '../../../src/core/signals.ts';
import type { Problem, Spec } from '../../../src/core/spec.ts';
import { step } from '../../../src/core/step.ts';
import {
  newSystem,
  type Outcome,
  type System,
  type SystemEffect,
  type SystemEvent,
  type SystemOptions,
  wakeAt,
} from '../../../src/core/system.ts';
import { ms, type Pid, pid as toPid } from '../../../src/core/units.ts';
import { exitOf, optionsOf } from './builder.ts';

export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcError };

type SpawnEffect = Extract<SystemEffect, { do: 'spawn' }>;

export class Bench {
  system: System;
  now = 0;
  /** Set to leave spawns undone: they are then done by `spawnAll`. */
  holdSpawns = false;
  /** Names whose spawn fails, and why; EAGAIN is want of a resource. */
  readonly refusals: Map<string, string> = new Map();
  readonly answers: Map<number, Answer> = new Map();
  readonly notices: unknown[] = [];
  /** What is to be looked at, and how it was is for the test to post. */
  readonly looks: Look[] = [];
  #words: string[] = [];
  #orders: SpawnEffect[] = [];
  #lastPid = 100;
  #lastId = 0;

  constructor(specs: readonly Spec[] = [], options: Partial<SystemOptions> = {}) {
    this.system = newSystem(optionsOf(options), ms(this.now));
    if (specs.length > 0) this.scan(specs);
  }

  /** What was ordered since the last look: `start web`, `finish web`, `TERM web`, `booted`. */
  took(): string[] {
    return this.#words.splice(0);
  }

  post(event: SystemEvent): Outcome {
    const names = new Map(this.system.pids);
    const outcome = step(this.system, event, ms(this.now));
    for (const effect of outcome.effects) this.#perform(effect, names);
    if (!this.holdSpawns) this.spawnAll();
    return outcome;
  }

  spawnAll(): void {
    for (const order of this.#orders.splice(0)) {
      const { name } = order;
      const reason = this.refusals.get(name);
      if (reason === undefined) {
        this.#lastPid += 1;
        this.post({ type: 'spawned', name, pid: toPid(this.#lastPid) });
      } else this.post({ type: 'spawnFailed', name, reason, transient: reason === 'EAGAIN' });
    }
  }

  scan(specs: readonly Spec[], problems: readonly Problem[] = [], prune = false): Answer {
    const asker = { client: 1, id: this.#nextId(), uid: 0 };
    this.post({ type: 'scanned', specs, problems, notices: [], prune, asker });
    return this.answer(asker.id);
  }

  ready(...names: readonly string[]): void {
    for (const name of names) this.post({ type: 'ready', pid: this.pid(name) });
  }

  /** The process of `name` ends, by a code or by a signal's name. */
  exit(name: string, how: number | string = 0): void {
    this.post({ type: 'exited', pid: this.pid(name), exit: exitOf(how) });
  }

  /** Asks as `client`, and gives the number under which the answer will be found. */
  ask(method: MethodName, params: unknown = {}, client = 1): number {
    const checked = checkParams(method, params);
    if (!checked.ok) throw new Error(checked.reason);
    const id = this.#nextId();
    this.post({ type: 'request', asker: { client, id, uid: 0 }, request: checked.request });
    return id;
  }

  /** Asks and gives the answer, which must come at once. */
  tell(method: MethodName, params: unknown = {}): Answer {
    return this.answer(this.ask(method, params));
  }

  answer(id: number): Answer {
    const answer = this.answers.get(id);
    if (answer === undefined) throw new Error(`${id} has no answer yet`);
    return answer;
  }

  /** Lets time pass; the timer rings whenever something is due. */
  pass(duration: number): void {
    const end = this.now + duration;
    for (let at = wakeAt(this.system); at !== null && at <= end; at = wakeAt(this.system)) {
      this.now = Math.max(this.now, at);
      this.post({ type: 'tick' });
    }
    this.now = end;
  }

  service(name: string): Service {
    const unit = this.system.units.get(name);
    if (unit === undefined) throw new Error(`There is no ${name}`);
    return unit.service;
  }

  phase(name: string): Phase['at'] {
    return this.service(name).phase.at;
  }

  /** `a:up b:down`, in the order of definition. */
  phases(): string {
    return [...this.system.units.keys()].map((name) => `${name}:${this.phase(name)}`).join(' ');
  }

  pid(name: string): Pid {
    const { phase } = this.service(name);
    if (!('pid' in phase) || phase.pid === null) throw new Error(`${name} has no process`);
    return phase.pid;
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #perform(effect: SystemEffect, names: ReadonlyMap<Pid, string>): void {
    switch (effect.do) {
      case 'spawn':
        this.#words.push(`${effect.role} ${effect.name}`);
        this.#orders.push(effect);
        return;
      case 'signal': {
        const name = names.get(effect.pid) ?? this.system.pids.get(effect.pid) ?? effect.pid;
        const signal = signalName(effect.signal);
        // CONT merely follows every stop signal; service.test.ts looks at it.
        if (signal !== 'CONT')
          this.#words.push(`${signal}${effect.group ? ' all of' : ''} ${name}`);
        return;
      }
      case 'reply':
        return this.#answered(Number(effect.asker.id), { ok: true, result: effect.result });
      case 'refuse':
        return this.#answered(Number(effect.asker.id), { ok: false, error: effect.error });
      case 'notify':
        this.notices.push(effect.params);
        return;
      case 'pipe':
        this.#words.push(`${effect.hold ? 'hold' : 'loosen'} ${effect.name}`);
        return;
      case 'wall':
        this.#words.push(`wall ${effect.text}`);
        return;
      case 'halt':
        this.#words.push(`halt ${effect.kind} ${effect.code}`);
        return;
      case 'look':
        this.looks.push(effect);
        return;
      case 'scan':
      case 'reexec':
      case 'examine':
      case 'probes':
      case 'fault':
      case 'booted':
        this.#words.push(effect.do);
        return;
    }
  }

  #answered(id: number, answer: Answer): void {
    if (this.answers.has(id)) throw new Error(`${id} is answered twice`);
    this.answers.set(id, answer);
  }
}

/** The exit code and the message of a refusal; null of what was done. */
export function refusalOf(answer: Answer): readonly [exit: number, message: string] | null {
  return answer.ok ? null : [answer.error.data.exit, answer.error.message];
}
