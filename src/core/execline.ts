/**
 * Whether a text is an execline script at all (el_parse of execline): quotes and blocks that are
 * opened are closed. What its words do is not known here; execlineb(1) runs it.
 */

export type ExeclineProblem = { readonly line: number; readonly reason: string };

/** What execlineb(1) would refuse `text` for, or null. */
export function execlineProblem(text: string): ExeclineProblem | null {
  const open: number[] = [];
  for (const { word, line, isQuoted, isOpen } of wordsOf(text)) {
    if (isOpen) return { line, reason: 'a " is not closed' };
    if (isQuoted) continue;
    if (word === '{') open.push(line);
    else if (word === '}' && open.pop() === undefined) {
      return { line, reason: 'a } closes no {' };
    }
  }
  const line = open.pop();
  return line === undefined ? null : { line, reason: 'a { is not closed' };
}

type Word = {
  readonly word: string;
  /** Where it begins. */
  readonly line: number;
  readonly isQuoted: boolean;
  /** The text ends in the middle of a quotation. */
  readonly isOpen: boolean;
};

/** Words divided by blanks; `"` quotes, `\` takes the next as it is, `#` begins a comment. */
function* wordsOf(text: string): Generator<Word> {
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '#') {
      while (at < text.length && text.charAt(at) !== '\n') at += 1;
      continue;
    }
    if (/\s/.test(char)) {
      if (char === '\n') line += 1;
      at += 1;
      continue;
    }
    const begin = line;
    let [word, inside, isQuoted] = ['', false, false];
    for (; at < text.length; at += 1) {
      const next = text.charAt(at);
      if (!inside && /\s/.test(next)) break;
      if (next === '\n') line += 1;
      if (next === '\\') at += 1;
      if (next === '"') inside = !inside;
      if (next === '"' || next === '\\') isQuoted = true;
      else word += next;
    }
    yield { word, line: begin, isQuoted, isOpen: inside };
  }
}
