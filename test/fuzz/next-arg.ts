/**
 * The kernel's reading of its command line, as slowly and literally as can be: `parse_args` of
 * kernel/params.c and `next_arg` of lib/cmdline.c, character by character in one array that is cut
 * up with ends (NULs in C) in place. What svinit reads is compared with this.
 *
 * The kernel looks at bytes and takes 0xa0 for a blank too (lib/ctype.c), even inside a character
 * of UTF-8; here, as in svinit, a character is a character.
 */

export type Reference = {
  readonly words: readonly { readonly key: string; readonly value: string | null }[];
  /** What the kernel hands to init. */
  readonly rest: readonly string[];
};

/** `words` before `--`, and the arguments for init behind it. */
export function parseArgs(text: string): Reference {
  const args = [...Array.from({ length: text.length }, (_, i) => text.charAt(i)), END];
  const words: { key: string; value: string | null }[] = [];
  const rest: string[] = [];
  let dashes = false;
  let at = skipSpaces(args, 0);
  while (args[at] !== END && at < args.length) {
    const { param, val, next } = nextArg(args, at);
    const key = cString(args, param);
    const value = val === null ? null : cString(args, val);
    // `repair_env_string` of init/main.c puts the two together again.
    if (dashes) rest.push(value === null ? key : `${key}=${value}`);
    else if (key === '--' && value === null) dashes = true;
    else words.push({ key, value });
    at = next;
  }
  return { words, rest };
}

/** No character, so that a NUL in the text is one like any other. */
const END = '';

type Next = { readonly param: number; readonly val: number | null; readonly next: number };

function nextArg(array: string[], start: number): Next {
  let args = start;
  let inQuote = false;
  let quoted = false;
  let equals = 0;
  if (array[args] === '"') {
    args += 1;
    inQuote = true;
    quoted = true;
  }
  let i = 0;
  for (; array[args + i] !== END; i += 1) {
    const char = array[args + i] ?? END;
    if (isSpace(char) && !inQuote) break;
    if (equals === 0 && char === '=') equals = i;
    if (char === '"') inQuote = !inQuote;
  }
  let val: number | null = null;
  if (equals !== 0) {
    array[args + equals] = END;
    val = args + equals + 1;
    if (array[val] === '"') {
      val += 1;
      if (array[args + i - 1] === '"') array[args + i - 1] = END;
    }
  }
  if (quoted && i > 0 && array[args + i - 1] === '"') array[args + i - 1] = END;
  if (array[args + i] === END) return { param: args, val, next: args + i };
  array[args + i] = END;
  return { param: args, val, next: skipSpaces(array, args + i + 1) };
}

function cString(array: readonly string[], from: number): string {
  return array.slice(from, array.indexOf(END, from)).join('');
}

function skipSpaces(array: readonly string[], from: number): number {
  let at = from;
  while (isSpace(array[at] ?? END)) at += 1;
  return at;
}

const isSpace = (char: string): boolean => char !== END && ' \t\n\v\f\r'.includes(char);
