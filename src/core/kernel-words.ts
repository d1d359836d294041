/**
 * The kernel command line as words, by the kernel's own quoting: what it took for itself and what
 * we read must be the same. It knows no key and no meaning.
 */

/** One word before `--`: `key`, or `key=value`, quotes taken off as the kernel takes them off. */
export type KernelWord = {
  readonly key: string;
  /** Null when there is no `=`; empty for `key=`. */
  readonly value: string | null;
};

export type KernelWords = {
  readonly words: readonly KernelWord[];
  /** The words after `--`, as the kernel hands them to init: `key` or `key=value`. */
  readonly rest: readonly string[];
  /** Whether words were left unread because there was too much text. */
  readonly cut: boolean;
};

/**
 * A kernel keeps 2 to 4 KiB (COMMAND_LINE_SIZE of asm/setup.h), a boot configuration may add 32 KiB
 * (XBC_DATA_MAX of linux/bootconfig.h). Words that end beyond this are not read.
 */
export const COMMAND_LINE_MAX: number = 64 * 1024;

/**
 * Splits as `parse_args` of kernel/params.c and `next_arg` of lib/cmdline.c do: double quotes
 * around a word or a value keep spaces, nothing is escaped, a quote left open runs to the end.
 */
export function splitKernelWords(text: string): KernelWords {
  const line = text.slice(0, COMMAND_LINE_MAX);
  const cut = text.length > line.length;
  const words: KernelWord[] = [];
  const rest: string[] = [];
  let dashes = false;
  for (let at = skipSpaces(line, 0); at < line.length; ) {
    const { word, end } = nextWord(line, at);
    // A word that reaches the edge of a text that was cut may itself be cut: half of a name is
    // another name.
    if (cut && end >= line.length) break;
    if (dashes) rest.push(asArgument(word));
    else if (word.key === '--' && word.value === null) dashes = true;
    else words.push(word);
    at = skipSpaces(line, end);
  }
  return { words, rest, cut };
}

/** `text` with `more` words as if they stood at its end, before what is for init. */
export function lineWith(text: string, more: readonly string[]): string {
  const { words, rest } = splitKernelWords(text);
  const all = [...words.map(asArgument), ...more].map(inQuotes);
  return [...all, ...(rest.length === 0 ? [] : ['--', ...rest.map(inQuotes)])].join(' ');
}

/** No quote can be within a word, so none has to be escaped. */
function inQuotes(word: string): string {
  const plain = word.replaceAll('"', '');
  return /^\S+$/.test(plain) ? plain : `"${plain}"`;
}

/** Keys are the same when only `-` and `_` differ (`parameq` of kernel/params.c). */
export function plainKey(key: string): string {
  return key.replaceAll('-', '_');
}

type Next = { readonly word: KernelWord; readonly end: number };

/** `next_arg` step by step; `at` is the first character of a word. */
function nextWord(line: string, at: number): Next {
  const quoted = line[at] === '"';
  const start = quoted ? at + 1 : at;
  let inQuote = quoted;
  let equals = 0;
  let end = start;
  for (; end < line.length; end++) {
    const c = line[end];
    if (!inQuote && isSpace(c)) break;
    // The kernel's `equals` is an offset where 0 means none: a `=` in front belongs to the key.
    if (equals === 0 && c === '=' && end > start) equals = end;
    if (c === '"') inQuote = !inQuote;
  }
  return { word: wordOf(line, start, equals, end, quoted), end };
}

/** The word from `start` to `end`, whose first `=` (not in front) is at `equals`, 0 for none. */
function wordOf(
  line: string,
  start: number,
  equals: number,
  end: number,
  quoted: boolean,
): KernelWord {
  let last = end;
  let from = equals + 1;
  if (equals > 0 && line[from] === '"') {
    from += 1;
    if (line[last - 1] === '"') last -= 1;
  }
  if (quoted && last === end && line[last - 1] === '"') last -= 1;
  if (equals === 0) return { key: line.slice(start, last), value: null };
  return { key: line.slice(start, equals), value: line.slice(from, Math.max(from, last)) };
}

/** `repair_env_string` of init/main.c. */
function asArgument({ key, value }: KernelWord): string {
  return value === null ? key : `${key}=${value}`;
}

function skipSpaces(line: string, at: number): number {
  let next = at;
  while (next < line.length && isSpace(line[next])) next += 1;
  return next;
}

/** `isspace` of linux/ctype.h, for ASCII: space and the five control characters that are blank. */
function isSpace(c: string | undefined): boolean {
  return c === ' ' || (c !== undefined && c >= '\t' && c <= '\r');
}
