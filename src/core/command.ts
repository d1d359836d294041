/**
 * Which program a file of a service directory stands for: the script itself, its interpreter, or
 * the words of one execline command line. It knows texts, not whether a program exists.
 */
import { execlineProblem } from './execline.ts';
import { quoted } from './names.ts';
import type { Command, FoundFile } from './spec.ts';

export type Found =
  | { readonly ok: true; readonly command: Command | null; readonly notice: string | null }
  | { readonly ok: false; readonly line: number; readonly reason: string };

/** The kernel's own shape of a first line: one interpreter, at most one argument (execve(2)). */
export type Interpreter = { readonly path: string; readonly argument: string | null };

/**
 * `up` or `down` of a oneshot. A file that begins with `#!` runs as the script it is, executable
 * or not. Anything else is one execline command line (s6-rc-compile(8)): plain words are executed
 * as they are, the rest of the language is left to execlineb. Nothing in it: no command.
 */
export function lineCommand(text: string, path: string): Found {
  if (text.includes('\0')) return { ok: false, line: 1, reason: HOLDS_NUL };
  if (text.startsWith('#!')) {
    const interpreter = interpreterOf(text);
    if (interpreter === null) return { ok: false, line: 1, reason: NO_INTERPRETER };
    return found(through(interpreter, path, []));
  }
  const lines = text.split('\n').filter((line) => /^[ \t\r]*[^ \t\r#]/.test(line));
  if (lines.length === 0) return found(null);
  if (lines.length > 1 || EXECLINE.test(text)) {
    const problem = execlineProblem(text);
    if (problem !== null) return { ok: false, ...problem };
    return found({ path: 'execlineb', argv: ['execlineb', '-P', path] });
  }
  const argv = words(lines[0] ?? '');
  const odd = argv.find((word) => SHELL.has(word) || word.endsWith(';'));
  const notice =
    odd === undefined
      ? null
      : `${quoted(odd)} is a plain word here, as in every execline command line; ` +
        'a shell script begins with #!/bin/sh';
  return { ok: true, command: { path: argv[0] ?? '', argv }, notice };
}

/**
 * `run` or `finish`: the file itself as `argv[0]`. With `compiled`, a file that is not executable
 * runs through its interpreter: s6-rc copies such files as executable ones (s6-rc-compile(8)).
 */
export function scriptCommand(
  file: FoundFile,
  path: string,
  argv: readonly [string, ...string[]],
  compiled: boolean,
): Found {
  if (file.executable) return found({ path, argv });
  const interpreter = compiled ? interpreterOf(file.text) : null;
  if (interpreter === null) {
    return { ok: false, line: 1, reason: 'is not executable; chmod +x makes it so' };
  }
  if (file.text.includes('\0')) return { ok: false, line: 1, reason: HOLDS_NUL };
  const [, ...rest] = argv;
  return found(through(interpreter, path, rest));
}

/** The interpreter a first line names, or null when it names none. */
export function interpreterOf(text: string): Interpreter | null {
  if (!text.startsWith('#!')) return null;
  const end = text.indexOf('\n');
  const line = text.slice(2, end === -1 ? undefined : end).trim();
  if (line === '') return null;
  const blank = line.search(/[ \t]/);
  if (blank === -1) return { path: line, argument: null };
  return { path: line.slice(0, blank), argument: line.slice(blank).trim() };
}

const HOLDS_NUL = 'holds a NUL character';
const NO_INTERPRETER = "begins with '#!' but names no interpreter";

/** What only execlineb can read: quoting, blocks, substitution. */
const EXECLINE = /["\\{}$]/;

/** What people write who take the line for a shell's. */
const SHELL: ReadonlySet<string> = new Set(['&&', '||', '|', '&', ';', '>', '>>', '<', '2>&1']);

const found = (command: Command | null): Found => ({ ok: true, command, notice: null });

function through(interpreter: Interpreter, path: string, rest: readonly string[]): Command {
  const { path: program, argument } = interpreter;
  const before = argument === null ? [program] : [program, argument];
  return { path: program, argv: [...before, path, ...rest] };
}

function words(line: string): string[] {
  const all = line.split(/[ \t\r]+/).filter((word) => word !== '');
  // A comment begins at a word that begins with '#' and takes the rest of the line.
  const comment = all.findIndex((word) => word.startsWith('#'));
  return comment === -1 ? all : all.slice(0, comment);
}
