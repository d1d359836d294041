/**
 * Options as rows, and the parser that reads a command line by them. Help prints the same rows.
 */
import { parseArgs } from 'node:util';
import { parseDuration } from '../core/duration.ts';
import { closest } from '../core/suggest.ts';
import { usageFailure } from './failure.ts';

export type OptionRow = {
  /** The long name, without its dashes. */
  readonly name: string;
  readonly short?: string;
  /** What its value is called in help; absent: the option is a flag. */
  readonly value?: string;
  readonly about: string;
  /** Why it is refused: people know it from elsewhere and svinit does not do it. */
  readonly refused?: string;
  /** Why it is taken and changes nothing: scripts for other systems give it. */
  readonly ignored?: string;
};

export type Parsed = {
  readonly names: readonly string[];
  has(option: string): boolean;
  value(option: string): string | null;
};

/** What every verb takes. */
export const COMMON: readonly OptionRow[] = [
  { name: 'json', about: 'Print the result, or on stderr the error, as a JSON object' },
  { name: 'no-wait', about: 'Do not wait for services: answer when the wish is noted' },
  { name: 'timeout', value: 'DUR', about: 'Give up after 5s, 500ms, 2m, 1h; a number is seconds' },
  { name: 'socket', value: 'PATH', about: 'The socket to ask, instead of /run/svinit/control' },
  { name: 'no-color', about: 'No colours, even on a terminal' },
  { name: 'verbose', short: 'v', about: 'Show progress on stderr, even if it is no terminal' },
  { name: 'help', short: 'h', about: 'Show this help' },
  { name: 'version', short: 'V', about: 'Show the version of svctl itself' },
];

/** svinit's own limit for a timeout (methods.ts): one day. */
const TIMEOUT_MS_MAX = 86_400_000;

/**
 * Reads `args` by `rows`.
 * @throws {Failure} exit 2, naming the option that is unknown, refused or lacks its value.
 */
export function parseOptions(
  args: readonly string[],
  rows: readonly OptionRow[],
  usage: string,
): Parsed {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(rows.map((row) => [row.name, settingsOf(row)])),
    // Its own checks have messages that differ between runtimes and suggest nothing.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const names: string[] = [];
  const found = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') names.push(token.value);
    if (token.kind !== 'option') continue;
    const row = byName.get(token.name);
    if (row === undefined) throw unknownOption(token.rawName, rows, usage);
    if (row.refused !== undefined) throw usageFailure(`${token.rawName}: ${row.refused}`, usage);
    const missing = row.value !== undefined && isMissing(token.value, token.inlineValue === true);
    if (missing) throw usageFailure(`${token.rawName} needs a value: ${row.value}`, usage);
    if (row.value === undefined && token.value !== undefined) {
      throw usageFailure(`${token.rawName} takes no value`, usage);
    }
    found.set(row.name, token.value ?? '');
  }
  return {
    names,
    has: (option) => found.has(option),
    value: (option) => found.get(option) ?? null,
  };
}

/** Milliseconds of `5s`, `500ms`, `2m`, `1h` or a plain number of seconds. */
export function parseTimeout(text: string, usage: string): number {
  const plain = /^[0-9.]+$/.test(text) ? `${text}s` : text.replace(/m$/, 'min');
  const duration = parseDuration(plain);
  if (duration === null) {
    throw usageFailure(`'${text}' is not a duration such as 5s, 500ms or 2m`, usage);
  }
  if (duration > TIMEOUT_MS_MAX) throw usageFailure('A timeout is at most one day', usage);
  return duration;
}

/**
 * Takes the verb out of a command line: the first word that is neither an option nor the value of
 * a common one, so that `svctl --json ls` and `svctl ls --json` are the same.
 */
export function splitVerb(argv: readonly string[]): {
  readonly word: string | null;
  readonly rest: readonly string[];
} {
  const withValue = new Set(COMMON.flatMap((row) => (row.value ? [`--${row.name}`] : [])));
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i] ?? '';
    if (word === '--') break;
    if (withValue.has(word)) i += 1;
    else if (!word.startsWith('-')) return { word, rest: argv.toSpliced(i, 1) };
  }
  return { word: null, rest: argv };
}

/** For verbs that take no names. */
export function noNames(parsed: Parsed, usage: string): void {
  const [extra] = parsed.names;
  if (extra !== undefined) throw usageFailure(`'${extra}' is one word too many`, usage);
}

function settingsOf(row: OptionRow): { type: 'string' | 'boolean'; short?: string } {
  const type = row.value === undefined ? 'boolean' : 'string';
  return row.short === undefined ? { type } : { type, short: row.short };
}

/** `--timeout --json` forgot the value; `--timeout=-x` and a lone `-` are values. */
function isMissing(value: string | undefined, inline: boolean): boolean {
  if (value === undefined) return true;
  return !inline && value.length > 1 && value.startsWith('-');
}

function unknownOption(rawName: string, rows: readonly OptionRow[], usage: string): Error {
  const near = rawName.startsWith('--')
    ? closest(
        rawName.slice(2),
        rows.map(({ name }) => name),
      )
    : null;
  const hint = near === null ? '' : `; did you mean --${near}?`;
  return usageFailure(`There is no option ${rawName}${hint}`, usage);
}
