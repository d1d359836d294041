/**
 * Inputs that are JSON: random ones, mutations that keep them JSON, smaller ones, and their files.
 * A target gives the words of its language.
 */
import type { Json, JsonObject } from '../../src/core/json.ts';
import type { Random } from '../core/support/random.ts';
import { pieces } from './shrink.ts';
import type { CorpusFile, Form } from './target.ts';

export type { Json, JsonObject };

export function jsonForm(words: readonly string[]): Form<Json> {
  return {
    write: (input) => ({ extension: 'txt', text: `${JSON.stringify(input, null, 1)}\n` }),
    read: readJson,
    mutate: (random, input) => mutateJson(random, input, words),
    simpler: simplerJson,
    size: (input) => JSON.stringify(input).length,
  };
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member `key` of `value`; undefined when it is no object or has none of its own. */
export function member(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** What is in it, as far as it is the right kind of thing. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
export function textOf(value: Json | undefined, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}
export function numberOf(value: Json | undefined, otherwise = 0): number {
  return typeof value === 'number' ? value : otherwise;
}
export function textsOf(value: Json | undefined): readonly string[] {
  return listOf(value).filter((item) => typeof item === 'string');
}

/** Some changes somewhere in `value`, which stays JSON. */
export function mutateJson(random: Random, value: Json, words: readonly string[]): Json {
  let changed = value;
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) {
    const path = random.pick(pathsOf(changed));
    changed = withChange(changed, path, (inner) => changedNode(random, inner, words));
  }
  return changed;
}

/** Any JSON at all, not deep. */
export function randomJson(random: Random, words: readonly string[], depth = 3): Json {
  const dice = random.below(depth > 0 ? 10 : 6);
  if (dice < 2) return randomWord(random, words);
  if (dice < 4) return random.pick(NUMBERS);
  if (dice < 6) return random.pick([null, true, false]);
  const inner = Array.from({ length: random.below(4) }, () => randomJson(random, words, depth - 1));
  if (dice < 8) return inner;
  return Object.fromEntries(inner.map((item) => [randomWord(random, words), item]));
}

function randomWord(random: Random, words: readonly string[]): string {
  return random.chance(0.6) && words.length > 0 ? random.pick(words) : random.pick(TEXTS);
}

const NUMBERS: readonly number[] = [
  ...[0, 1, 2, 3, 7, 64, 65, 127, 128, 255, 256, 1000, 1001, 65_535, 65_536, -1, -0.5, 0.1],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 2 ** 53, 1e15],
  ...[86_400_000, 86_400_001, 1e300, Number.MAX_VALUE, Number.MIN_VALUE, -(2 ** 31)],
];

const TEXTS: readonly string[] = [
  ...['', ' ', '.', '..', '-', '--', '*', '?', '/', '0', '1', '-1', 'a', 'b', 'A', '\0', '\n'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length'],
  ...['\x1b[31m', '\x7f', '\x85', '\u202e', '\u2028', '\ufeff', '\ud800', '\ud83d\ude00', 'ü'],
  ...['x'.repeat(64), 'x'.repeat(65), '*'.repeat(64), 'x'.repeat(4096), 'x'.repeat(70_000)],
];

type Path = readonly (string | number)[];

/** Nodes looked at; more than this is seldom worth it. */
const PATHS_MAX = 5000;

/** The places of all values in `value`, those further out first. */
function pathsOf(value: Json): Path[] {
  const paths: Path[] = [[]];
  const nodes: Json[] = [value];
  for (let i = 0; i < nodes.length && nodes.length < PATHS_MAX; i += 1) {
    for (const [key, inner] of entriesOf(nodes[i] ?? null)) {
      paths.push([...(paths[i] ?? []), key]);
      nodes.push(inner);
    }
  }
  return paths;
}

function entriesOf(value: Json): [string | number, Json][] {
  if (Array.isArray(value)) return [...(value as readonly Json[]).entries()];
  return isObject(value) ? Object.entries(value) : [];
}

/** `value` with what is at `path` changed; undefined takes it out. */
function withChange(value: Json, path: Path, change: (inner: Json) => Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change(value) ?? null;
  const inner = (found: Json): Json | undefined =>
    rest.length === 0 ? change(found) : withChange(found, rest, change);
  if (Array.isArray(value)) {
    return (value as readonly Json[]).flatMap((found, i) => {
      const next = i === key ? inner(found) : found;
      return next === undefined ? [] : [next];
    });
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, found]): [string, Json][] => {
      const next = name === key ? inner(found) : found;
      return next === undefined ? [] : [[name, next]];
    }),
  );
}

function changedNode(random: Random, value: Json, words: readonly string[]): Json | undefined {
  const dice = random.next();
  if (dice < 0.15) return undefined;
  if (dice < 0.35) return randomJson(random, words);
  if (typeof value === 'number') return random.pick([value + 1, -value, value * 2, ...NUMBERS]);
  if (typeof value === 'string') return changedText(random, value, words);
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    const at = random.below(list.length + 1);
    const more = random.chance(0.5) ? list.slice(at, at + 2) : [randomJson(random, words)];
    const copies = random.chance(0.02) ? 3000 : 1;
    return [...list.slice(0, at), ...Array(copies).fill(more).flat(), ...list.slice(at)];
  }
  if (!isObject(value)) return randomJson(random, words);
  return { ...value, ...own(randomWord(random, words), randomJson(random, words)) };
}

/** An object with one key, which may be `__proto__`. */
const own = (key: string, value: Json): JsonObject => Object.fromEntries([[key, value]]);

function changedText(random: Random, text: string, words: readonly string[]): string {
  const at = random.below(text.length + 1);
  const end = random.chance(0.5) ? at : random.below(text.length + 1);
  return text.slice(0, at) + randomWord(random, words) + text.slice(Math.max(at, end));
}

/** Without some of its parts, or with plainer ones. */
function* simplerJson(value: Json): Iterable<Json> {
  for (const path of pathsOf(value)) {
    const found = path.reduce<Json | undefined>(
      (inner, key) => (Array.isArray(inner) ? inner[Number(key)] : member(inner, String(key))),
      value,
    );
    for (const smaller of simplerNode(found ?? null)) yield withChange(value, path, () => smaller);
  }
}

function* simplerNode(value: Json): Iterable<Json> {
  if (typeof value === 'string') {
    for (const [from, to] of pieces(value.length)) yield value.slice(0, from) + value.slice(to);
  } else if (typeof value === 'number') {
    for (const plainer of [0, 1, Math.trunc(value / 2)]) {
      if (Math.abs(plainer) < Math.abs(value)) yield plainer;
    }
  } else if (value === true) yield false;
  else if (Array.isArray(value)) {
    const list = value as readonly Json[];
    for (const [from, to] of pieces(list.length)) yield list.filter((_, i) => i < from || i >= to);
  } else if (isObject(value)) {
    const entries = Object.entries(value);
    for (const [from, to] of pieces(entries.length)) {
      yield Object.fromEntries(entries.filter((_, i) => i < from || i >= to));
    }
  }
}

function readJson({ text }: CorpusFile): Json {
  return JSON.parse(text) as Json;
}
