/**
 * The values that keys of service.json hold, and what a person is told who wrote another. Which
 * keys there are is in spec-json.ts and the files it gathers them from.
 */
import * as v from 'valibot';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { NAME_PATTERN, nameProblem, quoted } from './names.ts';
import { SIGTERM, signalNumber } from './signals.ts';
import { type Millis, ms } from './units.ts';

/** What a key holds, once it has been read. */
export type Value<T> = v.GenericSchema<unknown, T>;

/** A key that may be absent. */
export type Key<T> = v.ExactOptionalSchema<Value<T>, undefined>;

/** A key of service.json, with what the schema and the manual say of it. */
export function key<T>(about: string, schema: Value<T>): Key<T> {
  return v.exactOptional(v.pipe(schema, v.description(about)));
}

/** What a person is told who wrote something else than `what`. */
export function expected(what: string): (issue: v.BaseIssue<unknown>) => string {
  return ({ input }) => `expected ${what}, found ${shown(input)}`;
}

export function string(what: string): Value<string> {
  return v.string(expected(what));
}

/** A text that a program can be given; `what` says what it is. */
export function text(what: string): Value<string> {
  return v.pipe(
    string(what),
    v.check((value) => !value.includes('\0'), 'holds a NUL character'),
  );
}

export function absolutePath(): Value<string> {
  const what = 'an absolute path';
  return v.pipe(string(what), v.regex(/^\/[^\0]*$/, expected(what)));
}

export function whole(min: number, max: number, what?: string): Value<number> {
  const wrong = expected(what ?? `a whole number from ${min} to ${max}`);
  return v.pipe(v.number(wrong), v.integer(wrong), v.minValue(min, wrong), v.maxValue(max, wrong));
}

/** At most 64 of `item`. */
export function list(item: Value<string>, what: string): Value<readonly string[]> {
  return v.pipe(v.array(item, expected(what)), v.maxLength(64, expected(`${what}, at most 64`)));
}

export const flag: Value<boolean> = v.boolean(expected('true or false'));

const DURATION_WORDS = 'a duration such as "5s", "200ms" or "2min"';
export const duration: Value<Millis> = v.pipe(
  v.string(expected(DURATION_WORDS)),
  v.check((value) => parseDuration(value) !== null, expected(DURATION_WORDS)),
  v.transform((value) => parseDuration(value) ?? ms(0)),
  v.metadata({ pattern: DURATION_PATTERN }),
);

const name: Value<string> = v.pipe(
  v.string(expected('a service name')),
  v.check(
    (value) => nameProblem(value) === null,
    ({ input }) => nameProblem(input) ?? '',
  ),
  v.metadata({ pattern: NAME_PATTERN }),
);
export const names: Value<readonly string[]> = v.array(name, expected('an array of service names'));

export const signal: Value<number> = v.pipe(
  v.string(expected('a signal such as "TERM"')),
  v.check((value) => signalNumber(value) !== null, expected('a signal such as "TERM"')),
  v.transform((value) => signalNumber(value) ?? SIGTERM),
);

/** Program and arguments, without a shell. */
export const command: Value<readonly string[]> = v.pipe(
  v.array(text('a string'), expected('an array of strings')),
  v.minLength(1, expected('at least the program')),
  v.check(([program]) => program !== '', 'the program may not be empty'),
);

/** The name of an environment variable. */
export const variable: v.GenericSchema<string, string> = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, ({ input }) => `${quoted(input)} cannot be a variable`),
);

export const OBJECT: ReturnType<typeof expected> = expected('an object');

function shown(input: unknown): string {
  if (typeof input === 'string') return quoted(input);
  if (Array.isArray(input)) return 'an array';
  return typeof input === 'object' && input !== null ? 'an object' : String(input);
}
