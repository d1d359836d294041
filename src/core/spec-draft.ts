/**
 * A definition while it is read: the values of single files, and the list of what is wrong with
 * them. Which file means what is decided in spec-files.ts.
 */
import { nameProblem, printable, quoted } from './names.ts';
import type { ServiceJson } from './service-json.ts';
import { signalNumber } from './signals.ts';
import type { DirectoryTexts, Problem } from './spec.ts';
import { type Millis, ms } from './units.ts';

export type Draft = {
  readonly found: DirectoryTexts;
  readonly json: ServiceJson;
  /** The line of a key in service.json, by its path. */
  readonly lineOf: (path: string) => number | null;
  readonly problems: Problem[];
  readonly notices: string[];
};

/** The largest number s6 reads from a file (skalibs, uint0_scan: 32 bits). */
const UINT_MAX = 4_294_967_295;

/** What is told of one definition; a file that is not one at all could have thousands. */
const PROBLEMS_MAX = 50;

export function refuse(draft: Draft, file: string, line: number | null, reason: string): void {
  const { found, problems } = draft;
  const { name, directory } = found;
  if (problems.length < PROBLEMS_MAX) problems.push({ name, directory, file, line, reason });
  else if (problems.length === PROBLEMS_MAX) {
    problems.push({ name, directory, file, line: null, reason: 'and more problems like these' });
  }
}

/** Something a person should know that does not refuse the definition. */
export function notice(draft: Draft, text: string): void {
  draft.notices.push(`${draft.found.name}: ${text}`);
}

/** What a file and a key say together; both may be absent, but they may not disagree. */
export function agree<T>(
  draft: Draft,
  file: string,
  fromFile: T | undefined,
  path: string,
  fromJson: T | undefined,
): T | undefined {
  if (fromFile === undefined) return fromJson;
  if (fromJson !== undefined && JSON.stringify(fromFile) !== JSON.stringify(fromJson)) {
    const reason = `the key ${quoted(path)} and the file ${quoted(file)} disagree`;
    refuse(draft, 'service.json', draft.lineOf(path), reason);
  }
  return fromFile;
}

/** The first line of a file without the blanks around it; undefined when there is no file. */
export function firstLine(draft: Draft, file: string): string | undefined {
  const text = draft.found.files.get(file)?.text;
  return text?.split('\n', 1)[0]?.trim();
}

/** A whole number as s6 writes it: decimal, alone on the first line. */
export function uintFile(
  draft: Draft,
  file: string,
  what: string,
  min: number,
  max: number = UINT_MAX,
): number | undefined {
  const text = firstLine(draft, file);
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  refuse(draft, file, 1, `expected ${what}, found ${quoted(text)}`);
  return undefined;
}

/** A time limit in milliseconds; 0 stands for none (s6-supervise(8), s6-rc-compile(8)). */
export function timeoutFile(draft: Draft, file: string): Millis | null | undefined {
  const value = uintFile(draft, file, 'a whole number of milliseconds', 0);
  return value === 0 ? null : value === undefined ? undefined : ms(value);
}

/** A signal by name or number; `SIG` may stand before it. */
export function signalFile(draft: Draft, file: string): number | undefined {
  const text = firstLine(draft, file);
  if (text === undefined) return undefined;
  const number = text.length > 15 ? null : signalNumber(text);
  if (number !== null) return number;
  refuse(draft, file, 1, `expected a signal such as TERM, found ${quoted(text)}`);
  return undefined;
}

/**
 * Names that are the files of `directory`, or without that directory the lines of `list`; blank
 * lines and what follows a `#` do not count (s6-rc-compile(8)).
 */
export function namesFiles(
  draft: Draft,
  directory: string,
  list: string,
): readonly string[] | undefined {
  if (!isBelow(draft, directory)) return namesInLines(draft, list);
  return below(draft, directory).filter((name) => {
    const problem = nameProblem(name);
    if (problem !== null) refuse(draft, `${directory}/${printable(name)}`, null, problem);
    return problem === null;
  });
}

/** What is in a directory of the definition, sorted; names that begin with `.` are left out. */
export function below(draft: Draft, directory: string): string[] {
  if (!isBelow(draft, directory)) return [];
  const prefix = `${directory}/`;
  return [...draft.found.files.keys()]
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice(prefix.length))
    .filter((name) => name !== '' && !name.startsWith('.'))
    .sort();
}

/** Whether it is there, be it empty. */
function isBelow({ found }: Draft, directory: string): boolean {
  const prefix = `${directory}/`;
  for (const path of found.files.keys()) if (path.startsWith(prefix)) return true;
  return false;
}

/** The lines of `file`; blank lines and what follows a `#` do not count. */
export function namesInLines(draft: Draft, file: string): readonly string[] | undefined {
  const text = draft.found.files.get(file)?.text;
  if (text === undefined) return undefined;
  return text.split('\n').flatMap((line, index) => {
    const name = (line.split('#', 1)[0] ?? '').trim();
    if (name === '') return [];
    const problem = nameProblem(name);
    if (problem === null) return [name];
    refuse(draft, file, index + 1, problem);
    return [];
  });
}
