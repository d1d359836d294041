/** The variables that a definition gives its service, beside those that all services get. */
import { isObjectWord, quoted } from './names.ts';
import type { Dialect } from './spec.ts';
import { agree, below, type Draft, refuse } from './spec-draft.ts';

/**
 * `env/` as s6-envdir(1) reads it: the first line without trailing blanks, NUL for a newline, an
 * empty file for no variable. Only for svinit's own dialect: s6 and runit leave it to `run`.
 */
export function environment(draft: Draft, dialect: Dialect): Record<string, string> {
  const env: Record<string, string> = Object.create(null);
  for (const key of dialect === 'svinit' ? below(draft, 'env') : []) {
    const text = draft.found.files.get(`env/${key}`)?.text ?? '';
    if (key.includes('=') || isObjectWord(key)) {
      refuse(draft, 'env', null, `${quoted(key)} cannot be the name of a variable`);
    }
    if (text !== '') env[key] = withoutTrailingBlanks(text.split('\n', 1)[0] ?? '');
  }
  for (const [key, value] of Object.entries(draft.json.env ?? {})) {
    env[key] = agree(draft, `env/${key}`, env[key], `env.${key}`, value) ?? value;
  }
  return env;
}

function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ' || line[end - 1] === '\t') end -= 1;
  return line.slice(0, end).replaceAll('\0', '\n');
}
