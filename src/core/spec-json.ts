/**
 * `service.json`: what the files of a service directory cannot say. This file knows the keys, their
 * syntax and how to tell a person what is wrong with them; what they mean beside the files is
 * decided in spec-files.ts. Nothing is ignored: a key that is not known or not honoured yet
 * refuses the definition, since a service must never run with less protection than it asked for.
 */
import * as v from 'valibot';
import { parseJson } from './json.ts';
import { printable } from './names.ts';
import type { ServiceJson } from './service-json.ts';
import { CGROUP } from './spec-cgroup.ts';
import { CONDUCT_KEYS, RELOAD } from './spec-conduct.ts';
import { CONFINEMENT_KEYS } from './spec-confinement.ts';
import { type KeysByPath, keyProblems } from './spec-keys.ts';
import { PRIVILEGE_KEYS, SCHEDULING } from './spec-privileges.ts';
import { PROBE_KEYS, PROBE_OBJECTS } from './spec-probe.ts';
import { SOCKET, SOCKET_KEYS } from './spec-sockets.ts';
import {
  absolutePath,
  command,
  duration,
  expected,
  flag,
  key,
  names,
  OBJECT,
  signal,
  string,
  text,
  variable,
  whole,
} from './spec-values.ts';

export type JsonProblem = { readonly line: number | null; readonly reason: string };

export type ReadServiceJson =
  | {
      readonly ok: true;
      readonly value: ServiceJson;
      readonly lineOf: (path: string) => number | null;
    }
  | { readonly ok: false; readonly problems: readonly JsonProblem[] };

/** Reads the text of a service.json. Every problem is found, not only the first. */
export function readServiceJson(text: string): ReadServiceJson {
  const parsed = parseJson(text);
  if (!parsed.ok) {
    const reason = `not JSON at column ${parsed.column}: ${parsed.reason}`;
    return { ok: false, problems: [{ line: parsed.line, reason }] };
  }
  const lineOf = (path: string): number | null => parsed.lines.get(path) ?? null;
  const misplaced = keyProblems(parsed.value, KEYS);
  const problems: JsonProblem[] = misplaced.map(({ path, reason }) => ({
    line: lineOf(path),
    reason,
  }));
  const checked = v.safeParse(SERVICE, parsed.value);
  if (checked.success && problems.length === 0) return { ok: true, value: checked.output, lineOf };
  for (const issue of checked.issues ?? []) {
    // Unknown keys were told above, all of them and with a suggestion.
    if (issue.type === 'strict_object' && issue.expected === 'never') continue;
    const path = v.getDotPath(issue) ?? '';
    if (issue.type === 'union' && misplaced.some((key) => key.path.startsWith(`${path}.`)))
      continue;
    const place = path === '' ? '' : `${printable(path)}: `;
    // JSON has no such value, so there is none.
    const reason = issue.input === undefined ? 'is missing' : issue.message;
    problems.push({ line: lineOf(path), reason: `${place}${reason}` });
  }
  return { ok: false, problems };
}

const TERMINAL = '"console", "consoles", "pty" or a path below /dev';
const STOP = v.strictObject(
  { signal: v.exactOptional(signal), timeout: v.exactOptional(v.nullable(duration)) },
  OBJECT,
);
const START = v.strictObject({ timeout: v.exactOptional(v.nullable(duration)) }, OBJECT);
const FINISH = v.strictObject({ timeout: v.exactOptional(v.nullable(duration)) }, OBJECT);
const POLICIES = ['always', 'on-failure', 'never'] as const;
const RESTART = v.strictObject(
  {
    when: v.exactOptional(v.picklist(POLICIES, expected('always, on-failure or never'))),
    limit: v.exactOptional(v.nullable(whole(1, 1000, 'a whole number from 1 to 1000, or null'))),
    window: v.exactOptional(duration),
  },
  OBJECT,
);

const SERVICE = v.strictObject(
  {
    $schema: key('The address of this schema, for editors.', string('a string')),
    description: key(
      'One line for people.',
      v.pipe(
        string('a string'),
        v.maxLength(200, expected('at most 200 characters')),
        v.regex(/^[^\0-\x1f\x7f]*$/, 'holds a control character'),
      ),
    ),
    type: key(
      'What it is; instead of the file `type`.',
      v.picklist(['longrun', 'oneshot', 'bundle'], expected('longrun, oneshot or bundle')),
    ),
    dialect: key(
      'Whose defaults, pacing and `finish` arguments hold.',
      v.picklist(['svinit', 's6', 'runit'], expected('svinit, s6 or runit')),
    ),
    command: key('Program and arguments, without a shell; instead of `run` or `up`.', command),
    env: key(
      'Environment variables, added to those of `env/`.',
      v.record(variable, text('a string'), OBJECT),
    ),
    cwd: key('Working directory; otherwise the service directory.', absolutePath()),
    needs: key('Hard: ready before this one starts, stopped after it stops.', names),
    wants: key('Soft: started with and before this one, whatever becomes of them.', names),
    after: key('Order only: if they are wanted too, they come first.', names),
    before: key('Order only: if they are wanted too, they come later.', names),
    contents: key('Members of a bundle.', names),
    ...PROBE_KEYS,
    initially: key(
      'Wanted before anyone asks: up, down, or only if the target or a need says so.',
      v.picklist(['up', 'down', 'target'], expected('up, down or target')),
    ),
    early: key('Starts before everything that is not early, and stops last.', flag),
    essential: key('Stopped only with --force, and by a halt.', flag),
    tty: key(
      'A terminal for descriptors 0 to 2: the console, all consoles, one of its own, or a device.',
      v.pipe(
        string(TERMINAL),
        v.regex(/^(?:console|consoles|pty|\/dev\/[A-Za-z0-9/_-]+)$/, expected(TERMINAL)),
      ),
    ),
    stop: key('The signal that asks it to end, and the time until SIGKILL (null: never).', STOP),
    start: key('The time until it must be ready, or a oneshot done (null: for ever).', START),
    finish: key('The time `finish` may take (null: for ever).', FINISH),
    watchdog: key('It says WATCHDOG=1 of sd_notify at least this often.', duration),
    ...CONDUCT_KEYS,
    ...PRIVILEGE_KEYS,
    ...CONFINEMENT_KEYS,
    ...SOCKET_KEYS,
    cgroup: key('Limits of its cgroup, as cgroup-v2.rst of the kernel names them.', CGROUP),
    restart: key(
      'When it is started again; given up after more than limit failures in window.',
      RESTART,
    ),
  },
  OBJECT,
);

/** For the generator of docs/service.schema.json. */
export const SERVICE_SCHEMA: v.GenericSchema = SERVICE;

const LIMITS = { stop: STOP, start: START, finish: FINISH, cgroup: CGROUP };
const OBJECTS = {
  ...LIMITS,
  restart: RESTART,
  reload: RELOAD,
  scheduling: SCHEDULING,
  ...PROBE_OBJECTS,
};

/** The keys of each object in a service.json, by the path of that object; `env` may have any. */
const KEYS: KeysByPath = new Map([
  ['', Object.keys(SERVICE.entries)],
  ...Object.entries(OBJECTS).map(([path, { entries }]): [string, string[]] => [
    path,
    Object.keys(entries),
  ]),
  ['env', []],
  ['limits', []],
  ['sockets[]', Object.keys(SOCKET.entries)],
]);
