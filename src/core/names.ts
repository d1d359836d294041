/**
 * Which names a service may have, and how text from a disk is shown in a message. A name becomes a
 * file name, a log prefix and an argument of programs, so it is checked once, here, for all three.
 * `NAME/log` is the logger that a service directory brings along; no other name has a slash.
 */

/** Characters at most; a log line and a FIFO name have room for that. */
export const NAME_CHARS_MAX = 64;

/** What `nameProblem` accepts before reserved words, as a pattern for the published schema. */
export const NAME_PATTERN = '^[A-Za-z0-9_@:+][A-Za-z0-9_.@:+-]{0,63}(/log)?$';

/** What is behind the name of a service in that of its logger (s6-svscan(8), runsv(8)). */
const LOGGER_SUFFIX = '/log';

/** Characters of the longest name there can be, that of a logger. */
export const FULL_NAME_CHARS_MAX: number = NAME_CHARS_MAX + LOGGER_SUFFIX.length;

const ALLOWED = /^[A-Za-z0-9_.@:+-]+$/;

/** s6-rc keeps these for its own services (s6-rc-compile(8), "reserved"). */
const RESERVED_PREFIXES: readonly string[] = ['s6rc-', 's6-rc-'];

/** Names of properties every object has: refused, so that no lookup can ever find them. */
const OBJECT_WORDS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** True of words that JavaScript objects inherit: never a key, never a name. */
export const isObjectWord = (word: string): boolean => OBJECT_WORDS.has(word);

/** The name of the logger that the directory of `service` brings along. */
export const loggerOf = (service: string): string => `${service}${LOGGER_SUFFIX}`;

/** The service whose logger `name` is; null when it is none. */
export const loggedBy = (name: string): string | null =>
  name.endsWith(LOGGER_SUFFIX) ? name.slice(0, -LOGGER_SUFFIX.length) : null;

/** Where a name is one file name: no name has a comma. */
export const fileNameOf = (name: string): string => name.replace('/', ',');

/** The name that has this file name. */
export const nameOfFile = (file: string): string => file.replace(',', '/');

/** Why `name` cannot be the name of a service, or null when it can. */
export function nameProblem(name: string): string | null {
  return plainNameProblem(loggedBy(name) ?? name);
}

/** The same for one that is not the logger of another. */
export function plainNameProblem(name: string): string | null {
  if (name === '') return 'a name may not be empty';
  if (name.length > NAME_CHARS_MAX) {
    return `the name ${quoted(name)} has ${name.length} characters, the most is ${NAME_CHARS_MAX}`;
  }
  if (!ALLOWED.test(name)) {
    return `the name ${quoted(name)} has a character other than A-Z a-z 0-9 _ . @ : + -`;
  }
  const first = name.charAt(0);
  if (first === '.' || first === '-') return `the name '${name}' begins with '${first}'`;
  const prefix = RESERVED_PREFIXES.find((reserved) => name.startsWith(reserved));
  if (prefix !== undefined) return `the name '${name}' begins with '${prefix}', kept by s6-rc`;
  if (name === 'svinit') return "the name 'svinit' is kept for PID 1 itself";
  if (isObjectWord(name)) return `the name '${name}' is reserved`;
  return null;
}

/**
 * Text of unknown origin between quotes, safe on a terminal and in a log line: everything outside
 * printable ASCII is shown as its code, and what is long is cut.
 */
export function quoted(text: string): string {
  return `'${printable(text)}'`;
}

/** `quoted` without the quotes. */
export function printable(text: string): string {
  let shown = '';
  for (const char of text) {
    if (shown.length >= NAME_CHARS_MAX) return `${shown}...`;
    const code = char.codePointAt(0) ?? 0;
    shown += code >= 0x20 && code < 0x7f ? char : `\\u{${code.toString(16)}}`;
  }
  return shown;
}
