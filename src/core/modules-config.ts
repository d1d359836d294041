/**
 * What people say about kernel modules: modprobe.d(5), modules-load.d(5), and words of the kernel
 * command line. Texts in, values out; a line that is not understood is a problem with its number.
 */
import { type KernelWord, plainKey } from './kernel-words.ts';
import { type Alias, plainName } from './modules-match.ts';
import { type Softdep, softdepOf, wordsOf } from './modules-text.ts';

export type ModulesConfig = {
  readonly aliases: readonly Alias[];
  /** Modules whose aliases are not to be followed. */
  readonly blacklist: ReadonlySet<string>;
  /** What is handed to a module or an alias when it is loaded, in the order it was said. */
  readonly options: readonly ModuleOptions[];
  readonly softdeps: readonly Softdep[];
  /** Modules with a command that is to run in place of loading them, by pattern. */
  readonly installs: readonly Alias[];
  /** Lines that say nothing we understand: `FILE:LINE: what`. */
  readonly problems: readonly string[];
};

/** Parameters for the module or the alias `name`, separated by spaces. */
export type ModuleOptions = { readonly name: string; readonly text: string };

export type ConfigText = { readonly file: string; readonly text: string };

/** Reads the texts in their order and then the command line, whose words add to all of them. */
export function parseModulesConfig(
  texts: readonly ConfigText[],
  words: readonly KernelWord[] = [],
): ModulesConfig {
  const draft: Draft = {
    aliases: [],
    blacklist: new Set(),
    options: [],
    softdeps: [],
    installs: [],
    problems: [],
  };
  for (const { file, text } of texts) {
    for (const { line, words } of linesOf(text)) {
      if (!take(draft, words)) draft.problems.push(`${file}:${line}: cannot read ${words[0]}`);
    }
  }
  for (const word of words) takeKernelWord(draft, word);
  return draft;
}

/** modules-load.d(5): one name a line, `#` and `;` begin a comment. */
export function parseModulesLoad(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^[#;]/.test(line));
}

/**
 * Modules that the command line names: `modules-load=a,b` and `rd.modules-load=a,b`, as in
 * systemd-modules-load.service(8), and `rd.driver.pre=a,b` of dracut.cmdline(7).
 */
export function modulesOfWords(words: readonly KernelWord[]): readonly string[] {
  return words.flatMap(({ key, value }) => {
    const isList = LISTS.includes(plainKey(key));
    return isList ? commaList(value) : [];
  });
}

const LISTS: readonly string[] = ['modules_load', 'rd.modules_load', 'rd.driver.pre'];
/** The last is the kernel's own, which refuses to load such a module, whoever asks. */
const BLACKLISTS: readonly string[] = [
  'modprobe.blacklist',
  'rd.driver.blacklist',
  'module_blacklist',
];

type Draft = {
  aliases: Alias[];
  blacklist: Set<string>;
  options: ModuleOptions[];
  softdeps: Softdep[];
  installs: Alias[];
  problems: string[];
};

type Line = { readonly line: number; readonly words: readonly string[] };

/** Lines that say something; a `\` at the end of a line continues it. */
function linesOf(text: string): readonly Line[] {
  const found: Line[] = [];
  let begun = '';
  for (const [index, part] of text.split('\n').entries()) {
    if (part.endsWith('\\')) {
      begun += `${part.slice(0, -1)} `;
      continue;
    }
    const words = wordsOf(begun + part);
    begun = '';
    if (words[0] !== undefined && !words[0].startsWith('#')) found.push({ line: index + 1, words });
  }
  return found;
}

/** False when the line is not one of modprobe.d(5). */
function take(draft: Draft, [keyword, ...words]: readonly string[]): boolean {
  const [name, ...rest] = words;
  if (name === undefined) return false;
  switch (keyword) {
    case 'alias':
      if (rest[0] === undefined) return false;
      draft.aliases.push({ pattern: name, module: plainName(rest[0]) });
      return true;
    case 'blacklist':
      draft.blacklist.add(plainName(name));
      return true;
    case 'options':
      addOption(draft, name, rest.join(' '));
      return true;
    case 'softdep':
      draft.softdeps.push(softdepOf(words));
      return true;
    case 'install':
      draft.installs.push({ pattern: plainName(name), module: rest.join(' ') });
      return true;
    default:
      // What to do at removal is of no interest to who never removes.
      return keyword === 'remove';
  }
}

/**
 * `modprobe.blacklist=a,b` and its likes, and `MODULE.PARAMETER=VALUE` as it is for modules that
 * are built in.
 */
function takeKernelWord(draft: Draft, { key, value }: KernelWord): void {
  if (BLACKLISTS.includes(plainKey(key))) {
    for (const name of commaList(value)) draft.blacklist.add(plainName(name));
    return;
  }
  const dot = key.indexOf('.');
  const parameter = key.slice(dot + 1);
  if (dot <= 0 || parameter === '') return;
  addOption(draft, key.slice(0, dot), value === null ? parameter : `${parameter}=${quoted(value)}`);
}

function addOption(draft: Draft, name: string, text: string): void {
  draft.options.push({ name: plainName(name), text });
}

/** The kernel splits parameters of modules at spaces, too. */
function quoted(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value;
}

function commaList(value: string | null): readonly string[] {
  return (value ?? '').split(',').filter((name) => name !== '');
}
