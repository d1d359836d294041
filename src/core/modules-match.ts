/**
 * Names of kernel modules and the patterns that devices find them by. It decides what matches; it
 * knows no file and no module.
 */

/**
 * One line of modules.alias or modprobe.d(5): a pattern as in fnmatch(3), and whom it stands for.
 */
export type Alias = { readonly pattern: string; readonly module: string };

/** The modules whose aliases match, each once, in the order of the aliases. */
export type AliasFinder = (name: string) => readonly string[];

/**
 * The aliases, ready to be asked for many names: a machine has hundreds of devices and a kernel
 * tens of thousands of aliases. What a pattern says before its first `:` or special character is
 * its bucket, so that a PCI device is compared with PCI aliases alone.
 */
export function aliasFinder(aliases: readonly Alias[]): AliasFinder {
  const buckets = new Map<string, Numbered[]>();
  for (const [order, { pattern, module }] of aliases.entries()) {
    const plain = plainName(pattern);
    const key = bucketOf(plain);
    const bucket = buckets.get(key);
    const alias = { order, pattern: plain, module };
    if (bucket === undefined) buckets.set(key, [alias]);
    else bucket.push(alias);
  }
  return (name) => {
    const plain = plainName(name);
    const near = [buckets.get(bucketOf(plain)), plain.includes(':') ? buckets.get('') : undefined];
    const found = near
      .flatMap((bucket) => bucket ?? [])
      .filter(({ pattern }) => matchesPattern(pattern, plain))
      .sort((a, b) => a.order - b.order);
    return [...new Set(found.map(({ module }) => module))];
  };
}

/**
 * `-` and `_` are the same in names of modules and in aliases, except between brackets, where `-`
 * is a range (`alias_normalize` of kmod).
 */
export function plainName(name: string): string {
  if (!name.includes('[')) return name.replaceAll('-', '_');
  return name.replaceAll(/\[[^\]]*\]|-/g, (part) => (part === '-' ? '_' : part));
}

/**
 * Whether `text` matches `pattern` as in fnmatch(3) without flags: `*`, `?`, `[a-z]`, `[!a-z]`,
 * and `\` before a character that means itself. Goes back over one star at a time, so that it takes
 * at most pattern times text steps.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const next = pattern[p] === '*' ? -1 : pastOne(pattern, p, text.charAt(t));
    if (pattern[p] === '*') {
      star = p;
      resume = t;
      p += 1;
    } else if (next >= 0) {
      p = next;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      t = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

type Numbered = Alias & { readonly order: number };

/** The text up to `:` where nothing before it is special; else the bucket of all others. */
function bucketOf(plain: string): string {
  const [start = ''] = /^[^*?[\\:]*:/.exec(plain) ?? [];
  return start;
}

/** Where the pattern goes on behind what matches the one character `c`; -1 when it does not. */
function pastOne(pattern: string, at: number, c: string): number {
  const special = pattern[at];
  if (special === '?') return at + 1;
  if (special === '\\' && at + 1 < pattern.length) return pattern[at + 1] === c ? at + 2 : -1;
  const end = special === '[' ? classEnd(pattern, at) : -1;
  if (end >= 0) return inClass(pattern.slice(at + 1, end), c) ? end + 1 : -1;
  return special === c ? at + 1 : -1;
}

/** Where the `]` is that ends the class at `at`, or -1: then `[` means itself. */
function classEnd(pattern: string, at: number): number {
  const first = /[!^]/.test(pattern.charAt(at + 1)) ? at + 2 : at + 1;
  return pattern.indexOf(']', first + 1);
}

function inClass(text: string, c: string): boolean {
  const negated = /^[!^]/.test(text);
  let found = false;
  for (let i = negated ? 1 : 0; i < text.length; i++) {
    const low = text.charAt(i);
    const isRange = text[i + 1] === '-' && i + 2 < text.length;
    const high = isRange ? text.charAt(i + 2) : low;
    if (low <= c && c <= high) found = true;
    if (isRange) i += 2;
  }
  return found !== negated;
}
