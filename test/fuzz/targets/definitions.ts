/**
 * Service directories to definitions: whatever the files say, there is a definition or there are
 * problems that name a file, always the same ones; a definition survives a checkpoint; and what it
 * would have the kernel start can be started as it is written.
 */
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/core/checkpoint.ts';
import { nameProblem } from '../../../src/core/names.ts';
import type { Command, DirectoryTexts, FoundFile, Problem, Spec } from '../../../src/core/spec.ts';
import { type ParsedSpec, parseSpec } from '../../../src/core/spec-files.ts';
import { newSystem } from '../../../src/core/system.ts';
import { ms } from '../../../src/core/units.ts';
import { optionsOf } from '../../core/support/builder.ts';
import { isObject, type Json, type JsonObject, jsonForm, member, textOf } from '../json.ts';
import { insist, insistSame, measured, shown, type Target } from '../target.ts';
import { DIALECTS, randomDirectory, WORDS } from './directories.ts';

/** A problem is read by people; what was found is not given back to them in full. */
const REASON_CHARS_MAX = 600;
/** Of one definition; all of them are kept, and shown by `svctl ls`. */
const PROBLEMS_MAX = 51;

export const definitions: Target<Json> = {
  name: 'definitions',
  form: jsonForm(WORDS),
  rounds: 12_000,
  generate: randomDirectory,
  run: (input) => {
    const found = directoryOf(input);
    const parsed = measured(() => parseSpec(found));
    const { spec, problems, notices } = parsed;
    insist((spec === null) === problems.length > 0, () => 'a definition and problems, or neither');
    insist(problems.length <= PROBLEMS_MAX, () => `${problems.length} problems`);
    for (const problem of problems) checkProblem(found, problem);
    for (const notice of notices) insistPrintable(notice, 'a notice');
    insistSame(parseSpec(found), parsed, 'parsed again');
    const backwards = new Map([...found.files].reverse());
    insistSame(sorted(parseSpec({ ...found, files: backwards })), sorted(parsed), 'read backwards');
    if (spec !== null) checkSpec(found, spec);
    insistSurvives(spec, problems);
  },
};

/** {name, dialect, files: {path: text, or [text] for one that is executable}}. */
function directoryOf(input: Json): DirectoryTexts {
  const name = textOf(member(input, 'name'), 'a');
  const files = member(input, 'files');
  const entries = Object.entries(isObject(files) ? files : ({} as JsonObject));
  return {
    // The scan has refused all other names before.
    name: nameProblem(name) === null ? name : 'a',
    directory: '/etc/svinit/services/a',
    dialect: DIALECTS.find((dialect) => dialect === member(input, 'dialect')) ?? 'svinit',
    files: new Map(entries.flatMap(([path, file]) => fileAt(path, file))),
  };
}

/** No name of a file holds a NUL. */
function fileAt(path: string, file: Json): [string, FoundFile][] {
  return path.includes('\0') ? [] : [[path, fileOf(file)]];
}

function fileOf(file: Json): FoundFile {
  if (Array.isArray(file)) return { text: textOf(file[0] as Json), executable: true };
  return { text: textOf(file), executable: false };
}

/** The order of files in a directory is nobody's intention, so it may change no word. */
function sorted({ spec, problems, notices }: ParsedSpec): ParsedSpec {
  const words = (problem: Problem): string => JSON.stringify(problem);
  return {
    spec,
    problems: problems.toSorted((a, b) => (words(a) < words(b) ? -1 : 1)),
    notices: notices.toSorted(),
  };
}

function checkProblem(found: DirectoryTexts, problem: Problem): void {
  const { name, directory, file, line, reason } = problem;
  insist(name === found.name && directory === found.directory, () => 'a problem elsewhere');
  insist(file !== null && file !== '', () => `no file is named: ${reason}`);
  insistPrintable(file, 'the file of a problem');
  insistPrintable(reason, 'the reason of a problem');
  if (line === null) return;
  const lines = found.files.get(file)?.text.split('\n') ?? [];
  insist(line >= 1 && line <= lines.length, () => `line ${line} of ${lines.length} in ${file}`);
  if (file !== 'dependencies' && file !== 'contents') return;
  // A name, then perhaps a comment, whichever way the line ends.
  const [named = ''] = lines[line - 1]?.split('#') ?? [];
  const isBad = named.trim() !== '' && nameProblem(named.trim()) !== null;
  insist(isBad, () => `line ${line} of ${file} is good: ${shown(lines[line - 1])}`);
}

/** Reasons come to terminals and logs. */
function insistPrintable(text: string, what: string): void {
  insist(/^[\x20-\x7e]+$/.test(text), () => `${what} acts on a terminal: ${shown(text)}`);
  insist(text.length <= REASON_CHARS_MAX, () => `${what} has ${text.length} characters`);
}

function checkSpec(found: DirectoryTexts, spec: Spec): void {
  const { name, directory, start, finish, down, cwd, env, type } = spec;
  insist(name === found.name && directory === found.directory, () => 'it is another service');
  for (const command of [start, finish, down]) if (command !== null) checkCommand(command);
  insist(cwd.startsWith('/') && !cwd.includes('\0'), () => `working directory ${shown(cwd)}`);
  for (const [key, value] of Object.entries(env)) {
    const good = key !== '' && !key.includes('=') && !`${key}${value}`.includes('\0');
    insist(good, () => `variable ${shown(key)}=${shown(value)}`);
  }
  for (const other of [spec.needs, spec.wants, spec.after, spec.before, spec.contents].flat()) {
    insist(nameProblem(other) === null, () => `the name ${shown(other)}`);
  }
  insist(start !== null || type !== 'longrun', () => 'a longrun without a program');
  const { stopSignal, ready } = spec;
  insist(stopSignal >= 1 && stopSignal <= 64, () => `signal ${stopSignal}`);
  if (ready.by === 'fd') insist(ready.fd >= 1 && ready.fd <= 1023, () => `descriptor ${ready.fd}`);
  for (const limit of [spec.stopWithin, spec.upWithin, spec.downWithin, spec.finishWithin]) {
    insist(limit === null || (limit >= 0 && Number.isFinite(limit)), () => `a limit of ${limit}`);
  }
}

/** C ends a text at its first NUL, and a program has a name. */
function checkCommand({ path, argv }: Command): void {
  insist(path !== '' && argv.length > 0, () => 'a program without a name');
  for (const word of [path, ...argv]) {
    insist(!word.includes('\0'), () => `a word of a command with a NUL: ${shown(word)}`);
  }
}

function insistSurvives(spec: Spec | null, problems: readonly Problem[]): void {
  const system = newSystem(optionsOf(), ms(0));
  system.definitions = new Map(spec === null ? [] : [[spec.name, spec]]);
  system.problems = problems;
  const decoded = decodeCheckpoint(encodeCheckpoint(system), system.options);
  insist(decoded.ok, () => `it does not survive: ${decoded.ok ? '' : decoded.reason}`);
  insistSame([...decoded.system.definitions.values()], spec === null ? [] : [spec], 'survived as');
  insistSame(decoded.system.problems, problems, 'the problems survived as');
}
