/**
 * `service.json`: what the files of a service directory cannot say. This file knows the keys, their
 * syntax and how to tell a person what is wrong with them; what they mean beside the files is
 * decided in spec-files.ts. Nothing is ignored: a key that is not known or not honoured yet
 * refuses the definition, since a service must never run with less protection than it asked for.
 */
import * as v from 'valibot';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { parseJson } from './json.ts';
import { NAME_PATTERN, nameProblem, printable, quoted } from './names.ts';
import type { ServiceJson } from './service-json.ts';
import { SIGTERM, signalNumber } from './signals.ts';
import { CGROUP } from './spec-cgroup.ts';
import { type KeysByPath, keyProblems } from './spec-keys.ts';
import { PRIVILEGE_KEYS } from './spec-privileges.ts';
import { ms } from './units.ts';

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
    problems.push({ line: lineOf(path), reason: `${place}${issue.message}` });
  }
  return { ok: false, problems };
}

type Issue = v.BaseIssue<unknown>;

const expected =
  (what: string) =>
  ({ input }: Issue): string =>
    `expected ${what}, found ${shown(input)}`;

function shown(input: unknown): string {
  if (typeof input === 'string') return quoted(input);
  if (Array.isArray(input)) return 'an array';
  return typeof input === 'object' && input !== null ? 'an object' : String(input);
}

const string = (what: string) => v.string(expected(what));
const flag = v.boolean(expected('true or false'));
const withoutNul = v.check((value: string) => !value.includes('\0'), 'holds a NUL character');

const DURATION_WORDS = 'a duration such as "5s", "200ms" or "2min"';
const duration = v.pipe(
  string(DURATION_WORDS),
  v.check((value) => parseDuration(value) !== null, expected(DURATION_WORDS)),
  v.transform((value) => parseDuration(value) ?? ms(0)),
  v.metadata({ pattern: DURATION_PATTERN }),
);
const timeout = v.nullable(duration);

const name = v.pipe(
  string('a service name'),
  v.check(
    (value) => nameProblem(value) === null,
    ({ input }) => nameProblem(input) ?? '',
  ),
  v.metadata({ pattern: NAME_PATTERN }),
);
const names = v.array(name, expected('an array of service names'));

const signal = v.pipe(
  string('a signal such as "TERM"'),
  v.check((value) => signalNumber(value) !== null, expected('a signal such as "TERM"')),
  v.transform((value) => signalNumber(value) ?? SIGTERM),
);

const count = expected('a whole number from 1 to 1000, or null');
const limit = v.nullable(
  v.pipe(v.number(count), v.integer(count), v.minValue(1, count), v.maxValue(1000, count)),
);

const FD_WORDS = 'a descriptor from 3 to 1023';
const descriptor = v.pipe(
  v.number(expected(FD_WORDS)),
  v.integer(expected(FD_WORDS)),
  v.minValue(3, expected(FD_WORDS)),
  v.maxValue(1023, expected(FD_WORDS)),
);

const variable = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, ({ input }) => `${quoted(input)} cannot be a variable`),
);

const TERMINAL = '"console", "consoles", "pty" or a path below /dev';
const OBJECT = expected('an object');
const STOP = v.strictObject(
  { signal: v.exactOptional(signal), timeout: v.exactOptional(timeout) },
  OBJECT,
);
const START = v.strictObject({ timeout: v.exactOptional(timeout) }, OBJECT);
const FINISH = v.strictObject({ timeout: v.exactOptional(timeout) }, OBJECT);
const POLICIES = ['always', 'on-failure', 'never'] as const;
const RESTART = v.strictObject(
  {
    when: v.exactOptional(v.picklist(POLICIES, expected('always, on-failure or never'))),
    limit: v.exactOptional(limit),
    window: v.exactOptional(duration),
  },
  OBJECT,
);
const READY_FD = v.strictObject({ fd: descriptor }, OBJECT);

/** A key of service.json, with what the schema and the manual say of it. */
function key<const S extends v.GenericSchema<unknown, unknown>>(about: string, schema: S) {
  return v.exactOptional(v.pipe(schema, v.description(about)));
}

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
    command: key(
      'Program and arguments, without a shell; instead of `run` or `up`.',
      v.pipe(
        v.array(v.pipe(string('a string'), withoutNul), expected('an array of strings')),
        v.minLength(1, expected('at least the program')),
        v.check(([program]) => program !== '', 'the program may not be empty'),
      ),
    ),
    env: key(
      'Environment variables, added to those of `env/`.',
      v.record(variable, v.pipe(string('a string'), withoutNul), OBJECT),
    ),
    cwd: key(
      'Working directory; otherwise the service directory.',
      v.pipe(string('an absolute path'), v.regex(/^\/[^\0]*$/, expected('an absolute path'))),
    ),
    needs: key('Hard: ready before this one starts, stopped after it stops.', names),
    wants: key('Soft: started with and before this one, whatever becomes of them.', names),
    after: key('Order only: if they are wanted too, they come first.', names),
    before: key('Order only: if they are wanted too, they come later.', names),
    contents: key('Members of a bundle.', names),
    ready: key(
      'When it is up: once spawned, at READY=1 of sd_notify, or at a newline on a descriptor.',
      v.union(
        [v.picklist(['spawn', 'notify']), READY_FD],
        expected(`"spawn", "notify" or {"fd": N}, N ${FD_WORDS}`),
      ),
    ),
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
    ...PRIVILEGE_KEYS,
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
const OBJECTS = { ...LIMITS, restart: RESTART, ready: READY_FD };

/** The keys of each object in a service.json, by the path of that object; `env` may have any. */
const KEYS: KeysByPath = new Map([
  ['', Object.keys(SERVICE.entries)],
  ...Object.entries(OBJECTS).map(([path, { entries }]): [string, string[]] => [
    path,
    Object.keys(entries),
  ]),
  ['env', []],
  ['limits', []],
]);
