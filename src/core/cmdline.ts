/**
 * The kernel command line, or svinit's own arguments, as boot options. Never throws: what cannot be
 * understood on the command line is a notice and the boot goes on, among the arguments it is an
 * error with the usage. Unknown keys of the command line are ignored and become nothing.
 */
import { BOOT_KEYS, type BootKey } from './boot-keys.ts';
import { BOOT_DEFAULTS, type BootDraft, type BootOptions } from './boot-options.ts';
import { COMMAND_LINE_MAX, plainKey, splitKernelWords } from './kernel-words.ts';
import { printable, quoted } from './names.ts';
import { didYouMean } from './suggest.ts';

export type { BootOptions } from './boot-options.ts';

export type BootArguments =
  | {
      readonly ok: true;
      readonly options: BootOptions;
      /** What stood after `--`: a program to run as the main service; null: nothing. */
      readonly command: readonly string[] | null;
    }
  | { readonly ok: false; readonly reason: string; readonly usage: string };

/**
 * What the text of /proc/cmdline says (Documentation/admin-guide/kernel-parameters.rst). The last
 * of several values counts, lists grow. In a container it is the host's line: do not ask it there.
 */
export function parseCommandLine(text: string): BootOptions {
  const { words, rest, cut } = splitKernelWords(text);
  const draft: BootDraft = {};
  const notices: string[] = cut ? [TOO_LONG] : [];
  for (const { key, value } of words) {
    const row = BY_NAME.get(plainKey(key));
    const refused = row === undefined ? null : readValue(row, key, value, draft);
    if (notices.length === NOTICES_MAX) continue;
    const notice = row === undefined ? unknown(key) : refused;
    if (notice !== null) notices.push(notice);
  }
  return { ...BOOT_DEFAULTS, ...draft, initArguments: rest, notices };
}

/**
 * svinit's own arguments, without the program's name. What they say counts instead of what `base`,
 * the command line, says; lists too.
 */
export function parseArguments(argv: readonly string[], base: BootOptions): BootArguments {
  const draft: BootDraft = {};
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') {
      if (words.length === 0) return wrong('No command stands after --');
      return { ok: true, options: { ...base, ...draft }, command: words };
    }
    const reason = readOption(word, words, draft);
    if (reason !== null) return wrong(reason);
  }
  return { ok: true, options: { ...base, ...draft }, command: null };
}

/** `svinit [--quiet] [--target NAME] …`, from the table. */
export function bootUsage(): string {
  const options = BOOT_KEYS.flatMap(({ option, value }) =>
    option === null ? [] : [value === null ? `[${option}]` : `[${option} ${value}]`],
  );
  return `svinit ${options.join(' ')} [-- COMMAND [ARGUMENT…]]`;
}

/** Rows by the key as `plainKey` writes it. A Map: no key of the input can mean a property. */
const BY_NAME: ReadonlyMap<string, BootKey> = new Map(
  BOOT_KEYS.flatMap((row) => row.names.map((name): [string, BootKey] => [plainKey(name), row])),
);

const BY_OPTION: ReadonlyMap<string, BootKey> = new Map(
  BOOT_KEYS.flatMap((row): [string, BootKey][] => (row.option === null ? [] : [[row.option, row]])),
);

/** A command line full of nonsense must not become a screen full of notices. */
const NOTICES_MAX = 16;
const TOO_LONG = `The command line is cut: ${COMMAND_LINE_MAX} characters are read`;

/** Reads `--option[=VALUE]`, or takes VALUE off `words`; why it is refused, or null. */
function readOption(word: string, words: string[], draft: BootDraft): string | null {
  const equals = word.indexOf('=');
  const option = equals < 0 ? word : word.slice(0, equals);
  const row = BY_OPTION.get(option);
  if (row === undefined) {
    return `Unknown argument ${quoted(option)}${didYouMean(option, BY_OPTION.keys())}`;
  }
  let value: string | null = equals < 0 ? null : word.slice(equals + 1);
  if (value === null && row.value !== null) {
    value = words.shift() ?? null;
    if (value === null) return `${option} needs a value: ${row.expects}`;
  }
  return readValue(row, option, value, draft);
}

function readValue(
  row: BootKey,
  key: string,
  value: string | null,
  draft: BootDraft,
): string | null {
  if (row.read(value, draft)) return null;
  const said = value === null ? 'nothing' : quoted(value);
  return `Cannot use ${printable(key)}: it says ${said}, expected ${row.expects}`;
}

/** Keys of others mean nothing here; one of our own is a slip that somebody will look for. */
function unknown(key: string): string | null {
  if (!key.startsWith('svinit.')) return null;
  const names = BOOT_KEYS.flatMap((row) => row.names);
  return `Unknown key ${quoted(key)} is ignored${didYouMean(key, names)}`;
}

function wrong(reason: string): BootArguments {
  return { ok: false, reason, usage: bootUsage() };
}
