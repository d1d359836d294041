/**
 * Names with `*` and `?`, matched without backtracking over more than one star at a time.
 */

/** True when `text` is a pattern at all. */
export const isPattern = (text: string): boolean => /[*?]/.test(text);

/** Whether `name` matches `pattern`: `*` any run of characters, `?` any one. Linear in practice. */
export function matches(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p;
      resume = n;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
