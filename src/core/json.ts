/**
 * JSON with places: a reader that says in which line and column it could not go on, and in which
 * line each key stands, so that a message about a value can name its line. The runtimes' own
 * parsers say neither, and differ. Objects have no prototype, and keys are unique.
 */
import { isObjectWord, quoted } from './names.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

export type ParsedJson =
  | {
      readonly ok: true;
      readonly value: Json;
      /** The line of each key and element, by path: `stop.timeout`, `command.0`. */
      readonly lines: ReadonlyMap<string, number>;
    }
  | {
      readonly ok: false;
      readonly line: number;
      readonly column: number;
      readonly reason: string;
    };

/** Objects and arrays inside each other, at most. */
const DEPTH_MAX = 32;

/** Reads one JSON value (RFC 8259) that must be the whole of `text`. It never throws. */
export function parseJson(text: string): ParsedJson {
  const state: State = { text, at: 0, line: 1, lineStart: 0, lines: new Map() };
  try {
    const value = readValue(state, '', 0);
    skipBlanks(state);
    if (state.at < text.length) wrong(`expected the end, found ${here(state)}`);
    return { ok: true, value, lines: state.lines };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const column = state.at - state.lineStart + 1;
    return { ok: false, line: state.line, column, reason: error.message };
  }
}

type State = {
  readonly text: string;
  at: number;
  line: number;
  lineStart: number;
  readonly lines: Map<string, number>;
};

class JsonError extends Error {}

function wrong(reason: string): never {
  throw new JsonError(reason);
}

function here({ text, at }: State): string {
  return at >= text.length ? 'the end of the text' : quoted(text.slice(at, at + 1));
}

function readValue(state: State, path: string, depth: number): Json {
  skipBlanks(state);
  if (path !== '') state.lines.set(path, state.line);
  const char = state.text[state.at];
  if (char === '{') return readObject(state, path, depth + 1);
  if (char === '[') return readArray(state, path, depth + 1);
  if (char === '"') return readString(state);
  if (char !== undefined && (char === '-' || (char >= '0' && char <= '9'))) {
    return readNumber(state);
  }
  for (const [word, value] of WORDS) {
    if (state.text.startsWith(word, state.at)) {
      state.at += word.length;
      return value;
    }
  }
  return wrong(`expected a value, found ${here(state)}`);
}

const WORDS: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

function readObject(state: State, path: string, depth: number): JsonObject {
  deepen(state, depth);
  const object: { [key: string]: Json } = Object.create(null);
  let more = !take(state, '}');
  while (more) {
    skipBlanks(state);
    if (state.text[state.at] !== '"') wrong(`expected a key in quotes, found ${here(state)}`);
    const { at, line } = state;
    const key = readString(state);
    const known = Object.hasOwn(object, key);
    if (known || isObjectWord(key)) {
      state.at = at;
      wrong(known ? `the key ${quoted(key)} is there twice` : `${quoted(key)} is no key`);
    }
    const inside = path === '' ? key : `${path}.${key}`;
    if (!take(state, ':')) wrong(`expected ':', found ${here(state)}`);
    object[key] = readValue(state, inside, depth);
    state.lines.set(inside, line);
    more = continues(state, '}');
  }
  return object;
}

function readArray(state: State, path: string, depth: number): Json[] {
  deepen(state, depth);
  const array: Json[] = [];
  let more = !take(state, ']');
  while (more) {
    array.push(readValue(state, `${path}.${array.length}`, depth));
    more = continues(state, ']');
  }
  return array;
}

function deepen(state: State, depth: number): void {
  if (depth > DEPTH_MAX) wrong(`more than ${DEPTH_MAX} objects and arrays in each other`);
  state.at += 1;
}

/** After a member: true when a comma says that another follows, false at the end. */
function continues(state: State, end: '}' | ']'): boolean {
  if (take(state, end)) return false;
  if (!take(state, ',')) wrong(`expected ',' or '${end}', found ${here(state)}`);
  skipBlanks(state);
  if (state.text[state.at] === end) wrong(`a comma may not come before '${end}'`);
  return true;
}

function take(state: State, char: string): boolean {
  skipBlanks(state);
  if (state.text[state.at] !== char) return false;
  state.at += 1;
  return true;
}

function skipBlanks(state: State): void {
  for (;;) {
    const char = state.text[state.at];
    if (char !== ' ' && char !== '\t' && char !== '\n' && char !== '\r') return;
    state.at += 1;
    if (char === '\n') {
      state.line += 1;
      state.lineStart = state.at;
    }
  }
}

function readString(state: State): string {
  const { text, at: start } = state;
  let end = start + 1;
  while (text[end] !== '"') {
    // A backslash takes the next character with it, whatever it is; JSON.parse judges it below.
    if (end >= text.length || text.charCodeAt(end) < 0x20) {
      state.at = end;
      wrong(end >= text.length ? 'a string has no end' : 'a string has a control character');
    }
    end += text[end] === '\\' ? 2 : 1;
  }
  try {
    const value: unknown = JSON.parse(text.slice(start, end + 1));
    state.at = end + 1;
    return String(value);
  } catch {
    return wrong('a string has a backslash that JSON does not know');
  }
}

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const NUMBER_CHARS_MAX = 32;

function readNumber(state: State): number {
  let end = state.at;
  while (end - state.at <= NUMBER_CHARS_MAX && '+-.0123456789eE'.includes(state.text[end] ?? ' ')) {
    end += 1;
  }
  const digits = state.text.slice(state.at, end);
  if (digits.length > NUMBER_CHARS_MAX || !NUMBER.test(digits)) {
    wrong(`${quoted(digits)} is no number`);
  }
  state.at = end;
  return Number(digits);
}
