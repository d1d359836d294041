/**
 * The files a service directory may have, in one table: how much of each the scan reads, in which
 * types of service it has a meaning, and which there are not. s6-supervise(8),
 * s6-rc-compile(8) and runsv(8) define them; any other file is its owner's business.
 */
import { quoted } from './names.ts';
import { NO_JSON, type ServiceJson } from './service-json.ts';
import type { ServiceType } from './spec.ts';
import { type Draft, notice, refuse } from './spec-draft.ts';

/**
 * How much of a file the scan holds: `text` all of it, `program` its first line, `mark` only that
 * it is there. Of a directory: `names` of what is in it, `texts` with their contents, `programs`
 * with their first lines, or `mark`.
 */
export type Reading = 'text' | 'program' | 'mark' | 'names' | 'texts' | 'programs';

type Known = {
  readonly read: Reading;
  /** The types it has a meaning in: l(ongrun), o(neshot), b(undle). */
  readonly in: string;
  /** Of s6's instances, which svinit does not have (s6-instance-maker(8)). */
  readonly instances?: true;
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
  ['log/',             { read: 'mark',    in: 'l' }],
  ['check',            { read: 'mark',    in: 'l' }],
  ['control/',         { read: 'programs', in: 'l' }],
  ['lock-fd',          { read: 'text',    in: 'l' }],
  ['reload-signal',    { read: 'text',    in: 'l' }],
  ['reload',           { read: 'text',    in: 'o' }],
  ['producer-for',     { read: 'text',    in: 'l' }],
  ['consumer-for',     { read: 'text',    in: 'l' }],
  ['pipeline-name',    { read: 'text',    in: 'l' }],
  ['flag-newpidns',    { read: 'mark',    in: 'l' }],
  ['flag-timeout-killpg', { read: 'mark', in: 'l' }],
  ['flag-recommended', { read: 'mark',    in: 'lob' }],
  ['template/',        { read: 'mark',    in: 'l', instances: true }],
  ['instance/',        { read: 'mark',    in: 'l', instances: true }],
  ['instances/',       { read: 'mark',    in: 'l', instances: true }],
]);

/** The entries that mean something, directories with a slash behind them. */
export const KNOWN_ENTRIES: readonly string[] = [...KNOWN.keys()];

/** How the scan reads `entry` of a service directory; null: not at all. */
export function readingOf(entry: string, isDirectory: boolean): Reading | null {
  return KNOWN.get(isDirectory ? `${entry}/` : entry)?.read ?? null;
}

/** Tells of files that are there and do nothing: not honoured yet, or in the wrong type. */
export function noteFiles(draft: Draft, type: ServiceType): void {
  const there = entriesOf(draft, type);
  if (there.size === 0) return;
  for (const [entry, known] of KNOWN) {
    if (!there.has(entry)) continue;
    if (!known.in.includes(type.charAt(0))) {
      notice(draft, `${quoted(entry)} has no meaning in a ${type}`);
    } else if (known.instances) {
      notice(draft, `${quoted(entry)} is not used: there are no instances as s6 has them`);
    }
  }
}

/** The entries of the table that are there and of which there is something to tell. */
function entriesOf({ found }: Draft, type: ServiceType): ReadonlySet<string> {
  const entries = new Set<string>();
  for (const path of found.files.keys()) {
    const slash = path.indexOf('/');
    const entry = slash === -1 ? path : path.slice(0, slash + 1);
    const known = KNOWN.get(entry);
    if (known === undefined) continue;
    if (known.instances || !known.in.includes(type.charAt(0))) entries.add(entry);
  }
  return entries;
}

type Key = keyof ServiceJson;

/** The keys that a type cannot have, because nothing would come of them. */
const KEYS_WITHOUT_MEANING: Readonly<Record<ServiceType, readonly Key[]>> = {
  longrun: ['contents'],
  oneshot: [
    ...(['contents', 'ready', 'alive', 'finish', 'restart', 'watchdog'] as const),
    ...(['sockets', 'fdStoreMax', 'lazy'] as const),
  ],
  bundle: [
    ...([
      'command',
      'env',
      'cwd',
      'needs',
      'wants',
      'after',
      'before',
      'ready',
      'alive',
      'early',
    ] as const),
    ...(['tty', 'stop', 'start', 'finish', 'restart', 'watchdog', 'reload'] as const),
    ...(['user', 'group', 'groups', 'umask', 'nice', 'oomScoreAdjust', 'limits'] as const),
    ...(['ioClass', 'ioPriority', 'scheduling', 'cpus', 'envFile', 'chroot'] as const),
    ...(['privateTmp', 'readOnlyPaths'] as const),
    ...(['capabilities', 'noNewPrivileges', 'sockets', 'fdStoreMax', 'lazy'] as const),
  ],
};

/** Refuses the keys of service.json that have no meaning in `type`. */
export function refuseKeys(draft: Draft, type: ServiceType): void {
  if (draft.json === NO_JSON) return;
  for (const key of KEYS_WITHOUT_MEANING[type]) {
    if (draft.json[key] === undefined) continue;
    refuse(draft, 'service.json', draft.lineOf(key), `a ${type} has no ${quoted(key)}`);
  }
  refuseBesideChroot(draft, type);
  // Who divides a cgroup lives in it, and nothing lives in that of a bundle itself.
  if (type === 'bundle' && draft.json.cgroup?.delegate !== undefined) {
    const line = draft.lineOf('cgroup.delegate');
    refuse(draft, 'service.json', line, "a bundle has no 'cgroup.delegate'");
  }
}

/** Who is in another root does not find these there, or could not be brought there with them. */
function refuseBesideChroot(draft: Draft, type: ServiceType): void {
  const { json, found } = draft;
  if (json.chroot === undefined) return;
  const refused = (reason: string): void =>
    refuse(draft, 'service.json', draft.lineOf('chroot'), reason);
  if (json.command === undefined) refused("'chroot' needs 'command': a file here is not in there");
  const undo = type === 'oneshot' ? 'down' : 'finish';
  if (found.files.has(undo)) {
    refused(`'chroot' and ${quoted(undo)} do not go together: that file is not in there`);
  }
  if (json.cwd !== undefined) refused("'chroot' and 'cwd' do not go together: it begins in its /");
  if (json.capabilities === undefined) return;
  refused("'chroot' and 'capabilities' do not go together: the last step can give only one");
}
