/**
 * Accounts that were changed in memory only, as by passwd(1) on a root whose /etc is an overlay:
 * which names of passwd(5), shadow(5) and group(5) differ. It never tells what stands beside a
 * name, for that may be a hash.
 */

/** Files of /etc whose first field is a name. */
export const ACCOUNT_FILES: readonly string[] = ['passwd', 'shadow', 'group', 'gshadow'];

const SHOWN_MAX = 10;

/** `new: a; changed: b; gone: c`, or empty when both say the same. */
export function accountDrift(disk: string, memory: string): string {
  const [old, now] = [linesByName(disk), linesByName(memory)];
  const added = [...now.keys()].filter((name) => !old.has(name));
  const gone = [...old.keys()].filter((name) => !now.has(name));
  const changed = [...now].filter(([name, line]) => old.has(name) && old.get(name) !== line);
  return [
    words('new', added),
    words(
      'changed',
      changed.map(([name]) => name),
    ),
    words('gone', gone),
  ]
    .filter((text) => text !== '')
    .join('; ');
}

function linesByName(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line]));
}

function words(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length > SHOWN_MAX ? ` and ${names.length - SHOWN_MAX} more` : '';
  return `${what}: ${names.slice(0, SHOWN_MAX).join(', ')}${more}`;
}
