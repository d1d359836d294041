/** Requests to svinit as JSON: valid ones, and ones that are nearly so. */
import { METHOD_NAMES } from '../../src/core/methods.ts';
import type { Random } from '../core/support/random.ts';
import { type Json, mutateJson, randomJson } from './json.ts';

/** Words that mean something in a request. */
export const REQUEST_WORDS: readonly string[] = [
  ...['jsonrpc', '2.0', 'id', 'method', 'params', ...METHOD_NAMES],
  ...['names', 'wait', 'timeoutMs', 'cascade', 'force', 'conditions', 'name', 'goal', 'prune'],
  ...[
    'inMs',
    'message',
    'kind',
    'up',
    'ready',
    'down',
    'done',
    'failed',
    'throw',
    '*',
    'a*',
    '?',
    'default',
  ],
];

/** How long a request may wait for its answer, in milliseconds: fuzzing is not waiting. */
export const WAIT_MS = 20;

/** A request that its method's schema accepts. */
export function randomRequest(random: Random, id: Json, names: readonly string[]): Json {
  const method = random.pick(METHOD_NAMES);
  return { jsonrpc: '2.0', id, method, params: paramsOf(random, method, names) };
}

/** Something that began as a request. */
export function nearlyRequest(random: Random, id: Json, names: readonly string[]): Json {
  if (random.chance(0.05)) return randomJson(random, REQUEST_WORDS);
  return mutateJson(random, randomRequest(random, id, names), [...REQUEST_WORDS, ...names]);
}

function paramsOf(random: Random, method: string, names: readonly string[]): Json {
  const some = Array.from({ length: 1 + random.below(3) }, () => random.pick(names));
  const timeoutMs = random.below(WAIT_MS);
  const waiting = { names: some, wait: random.chance(0.7), timeoutMs };
  switch (method) {
    case 'ls':
      return random.chance(0.5) ? {} : { names: some };
    case 'probed': {
      const kind = random.pick(['ready', 'alive']);
      const ok = random.pick([true, false, null]);
      return { name: random.pick(names), pid: 1 + random.below(100), kind, ok, detail: 'x' };
    }
    case 'status':
    case 'skip':
      return { names: some };
    case 'schedule': {
      const kind = random.pick(['poweroff', 'reboot', 'halt']);
      return { kind, inMs: random.below(1000), message: random.pick(names) };
    }
    case 'start':
    case 'restart':
      return waiting;
    case 'stop':
      return { ...waiting, cascade: random.chance(0.5), force: random.chance(0.3) };
    case 'wait': {
      const goal = (): string => random.pick(['up', 'ready', 'down', 'done', 'failed']);
      return { conditions: some.map((name) => ({ name, goal: goal() })), timeoutMs };
    }
    case 'scan':
      return { prune: random.chance(0.3) };
    case 'fault':
      return { kind: random.pick(['throw', 'exit', 'loop', 'heap']) };
    default:
      return {};
  }
}
