/**
 * The files a service directory may have, in one table: how much of each the scan reads, in which
 * types of service it has a meaning, and which of them have no effect yet. s6-supervise(8),
 * s6-rc-compile(8) and runsv(8) define them; any other file is its owner's business.
 */
import { quoted } from './names.ts';
import type { ServiceJson } from './service-json.ts';
import type { ServiceType } from './spec.ts';
import { type Draft, notice, refuse } from './spec-draft.ts';

/**
 * How much of a file the scan holds: `text` all of it, `program` its first line, `mark` only that
 * it is there. Of a directory: `names` of what is in it, `texts` with their contents, or `mark`.
 */
export type Reading = 'text' | 'program' | 'mark' | 'names' | 'texts';

type Known = {
  readonly read: Reading;
  /** The types it has a meaning in: l(ongrun), o(neshot), b(undle). */
  readonly in: string;
  /** Known, and without effect so far. */
  readonly later?: true;
};

// biome-ignore format: read it as a table
const KNOWN: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['type',             { read: 'text',    in: 'lob' }],
  ['service.json',     { read: 'text',    in: 'lob' }],
  ['run',              { read: 'program', in: 'l' }],
  ['finish',           { read: 'program', in: 'l' }],
  ['up',               { read: 'text',    in: 'o' }],
  ['down',             { read: 'text',    in: 'lo' }],
  ['dependencies',     { read: 'text',    in: 'lo' }],
  ['dependencies.d/',  { read: 'names',   in: 'lo' }],
  ['contents',         { read: 'text',    in: 'b' }],
  ['contents.d/',      { read: 'names',   in: 'b' }],
  ['env/',             { read: 'texts',   in: 'lo' }],
  ['notification-fd',  { read: 'text',    in: 'l' }],
  ['timeout-up',       { read: 'text',    in: 'lo' }],
  ['timeout-down',     { read: 'text',    in: 'o' }],
  ['timeout-kill',     { read: 'text',    in: 'lo' }],
  ['timeout-finish',   { read: 'text',    in: 'l' }],
  ['max-death-tally',  { read: 'text',    in: 'l' }],
  ['down-signal',      { read: 'text',    in: 'lo' }],
  ['flag-essential',   { read: 'mark',    in: 'lob' }],
  ['log/',             { read: 'mark',    in: 'l', later: true }],
  ['check',            { read: 'mark',    in: 'l', later: true }],
  ['control/',         { read: 'mark',    in: 'l', later: true }],
  ['lock-fd',          { read: 'mark',    in: 'l', later: true }],
  ['reload-signal',    { read: 'mark',    in: 'l', later: true }],
  ['reload',           { read: 'mark',    in: 'o', later: true }],
  ['producer-for',     { read: 'mark',    in: 'l', later: true }],
  ['consumer-for',     { read: 'mark',    in: 'l', later: true }],
  ['pipeline-name',    { read: 'mark',    in: 'l', later: true }],
  ['flag-newpidns',    { read: 'mark',    in: 'l', later: true }],
  ['template/',        { read: 'mark',    in: 'l', later: true }],
  ['instance/',        { read: 'mark',    in: 'l', later: true }],
  ['instances/',       { read: 'mark',    in: 'l', later: true }],
]);

/** How the scan reads `entry` of a service directory; null: not at all. */
export function readingOf(entry: string, isDirectory: boolean): Reading | null {
  return KNOWN.get(isDirectory ? `${entry}/` : entry)?.read ?? null;
}

/** Tells of files that are there and do nothing: not honoured yet, or in the wrong type. */
export function noteFiles(draft: Draft, type: ServiceType): void {
  for (const [entry, known] of KNOWN) {
    if (!isThere(draft, entry)) continue;
    if (known.later) notice(draft, `${quoted(entry)} is not honoured yet`);
    else if (!known.in.includes(type.charAt(0))) {
      notice(draft, `${quoted(entry)} has no meaning in a ${type}`);
    } else if (entry === 'flag-essential' && type === 'bundle') {
      notice(draft, `${quoted(entry)} of a bundle is not honoured yet`);
    }
  }
}

function isThere(draft: Draft, entry: string): boolean {
  const { files } = draft.found;
  if (!entry.endsWith('/')) return files.has(entry);
  return [...files.keys()].some((path) => path.startsWith(entry));
}

type Key = keyof ServiceJson;

/** The keys that a type cannot have, because nothing would come of them. */
const KEYS_WITHOUT_MEANING: Readonly<Record<ServiceType, readonly Key[]>> = {
  longrun: ['contents'],
  oneshot: ['contents', 'ready', 'finish', 'restart', 'watchdog'],
  bundle: [
    ...(['command', 'env', 'cwd', 'needs', 'wants', 'after', 'before', 'ready', 'early'] as const),
    ...(['essential', 'tty', 'stop', 'start', 'finish', 'restart', 'watchdog'] as const),
    ...(['user', 'group', 'groups', 'umask', 'nice', 'oomScoreAdjust', 'limits'] as const),
    ...(['capabilities', 'noNewPrivileges'] as const),
  ],
};

/** Refuses the keys of service.json that have no meaning in `type`. */
export function refuseKeys(draft: Draft, type: ServiceType): void {
  for (const key of KEYS_WITHOUT_MEANING[type]) {
    if (draft.json[key] === undefined) continue;
    refuse(draft, 'service.json', draft.lineOf(key), `a ${type} has no ${quoted(key)}`);
  }
  // Who divides a cgroup lives in it, and nothing lives in that of a bundle itself.
  if (type === 'bundle' && draft.json.cgroup?.delegate !== undefined) {
    const line = draft.lineOf('cgroup.delegate');
    refuse(draft, 'service.json', line, "a bundle has no 'cgroup.delegate'");
  }
}
