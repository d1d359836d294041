/**
 * The keys of service.json that say as whom a service runs and what it may: the syntax of their
 * values. How a program comes to run that way is decided in privileges.ts.
 */
import * as v from 'valibot';
import { CAPABILITIES, unknownCapability } from './capabilities.ts';
import { quoted } from './names.ts';
import { expected, flag, type Key, key, list, OBJECT, type Value, whole } from './spec-values.ts';

/** As whom the programs of a service run, and what they may; absent: as svinit, and all. */
export type Privileges = {
  /** A name, or a uid in digits; looked up where the service runs. */
  readonly user?: string;
  /** Absent: the one that `user` has as its own. */
  readonly group?: string;
  /** Supplementary groups; absent: those that `user` is in. */
  readonly groups?: readonly string[];
  readonly umask?: number;
  /** nice(1): -20 first, 19 last. */
  readonly nice?: number;
  /** proc_pid_oom_score_adj(5): 1000 is killed first, -1000 never. */
  readonly oomScoreAdjust?: number;
  /** By the names of prlimit(1), in its own syntax. */
  readonly limits?: Readonly<Record<string, string>>;
  /** What it may have at most, and has, without `CAP_`: `net_bind_service`; empty: none. */
  readonly capabilities?: readonly string[];
  readonly noNewPrivileges?: boolean;
  /** ionice(1). */
  readonly ioClass?: IoClass;
  /** 0 first, 7 last; of the classes realtime and best-effort. */
  readonly ioPriority?: number;
  /** chrt(1). */
  readonly scheduling?: Scheduling;
  /** The processors it may run on, as taskset(1) lists them: `0-3,8`. */
  readonly cpus?: string;
};

export type IoClass = 'realtime' | 'best-effort' | 'idle';

/** sched(7): 1 to 99 of `fifo` and `rr`, 0 of the others. */
export type Scheduling = {
  readonly policy: 'fifo' | 'rr' | 'batch' | 'idle' | 'other';
  readonly priority: number;
};

/** RLIM_NLIMITS of asm-generic/resource.h, by the options of prlimit(1). */
const LIMITS: readonly string[] = [
  ...['as', 'core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile'],
  ...['nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack'],
];
const LIMIT_WORDS = 'a whole number, "unlimited", or "SOFT:HARD"';
/** useradd(8), "CAVEATS", and what other tools allow; or a number. */
export const ACCOUNT: RegExp = /^(?:[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?|[0-9]{1,10})$/;
/** (uid_t) -1 means "do not change it" to setresuid(2), and tools cut what has more bits. */
const ID_MAX = 4_294_967_294;

const CPUS_WORDS = 'processors such as "0-3,8"';
const POLICIES = ['fifo', 'rr', 'batch', 'idle', 'other'] as const;
/** The keys of `scheduling`. */
export const SCHEDULING: v.StrictObjectSchema<
  {
    readonly policy: v.GenericSchema<unknown, Scheduling['policy']>;
    readonly priority: v.ExactOptionalSchema<Value<number>, 0>;
  },
  v.ErrorMessage<v.StrictObjectIssue>
> = v.strictObject(
  {
    policy: v.picklist(POLICIES, expected('fifo, rr, batch, idle or other')),
    priority: v.exactOptional(whole(0, 99), 0),
  },
  OBJECT,
);
const SCHEDULING_VALUE: Value<Scheduling> = v.pipe(
  SCHEDULING,
  v.check(
    ({ policy, priority }) => priority > 0 === (policy === 'fifo' || policy === 'rr'),
    'priority: expected 1 to 99 for fifo and rr, and none for the others',
  ),
);

const account = (what: string): Value<string> =>
  v.pipe(
    v.string(expected(what)),
    v.regex(ACCOUNT, expected(what)),
    v.check((text) => !/^[0-9]/.test(text) || isId(text), expected(`a number up to ${ID_MAX}`)),
  );

/** Without zeros in front, which some would read as octal. */
const isId = (text: string): boolean => text === String(Number(text)) && Number(text) <= ID_MAX;

export const PRIVILEGE_KEYS: {
  readonly user: Key<string>;
  readonly group: Key<string>;
  readonly groups: Key<readonly string[]>;
  readonly umask: Key<number>;
  readonly nice: Key<number>;
  readonly oomScoreAdjust: Key<number>;
  readonly limits: Key<Readonly<Record<string, string>>>;
  readonly capabilities: Key<readonly string[]>;
  readonly noNewPrivileges: Key<boolean>;
  readonly ioClass: Key<IoClass>;
  readonly ioPriority: Key<number>;
  readonly scheduling: Key<Scheduling>;
  readonly cpus: Key<string>;
} = {
  user: key('As whom its programs run: a name or a uid.', account('the name or number of a user')),
  group: key("Instead of the user's own group.", account('the name or number of a group')),
  groups: key(
    'Supplementary groups, instead of those the user is in.',
    list(account('the name or number of a group'), 'an array of groups'),
  ),
  umask: key(
    'Permissions that new files do not get, such as "027".',
    v.pipe(
      v.string(expected('octal digits such as "027"')),
      v.regex(/^0?[0-7]{3}$/, expected('octal digits such as "027"')),
      v.transform((digits) => Number.parseInt(digits, 8)),
    ),
  ),
  nice: key('Its share of the processor: -20 most, 19 least.', whole(-20, 19)),
  oomScoreAdjust: key('When memory runs out: 1000 is killed first.', whole(-1000, 1000)),
  limits: key(
    'Resource limits of each process, by the names of prlimit(1).',
    v.record(
      v.picklist(LIMITS, ({ input }) => `${quoted(String(input))} is no limit of prlimit(1)`),
      limit(),
      OBJECT,
    ),
  ),
  capabilities: key(
    'All the capabilities it has, without CAP_: ["net_bind_service"].',
    list(
      v.pipe(
        v.string(expected('a capability such as "net_bind_service"')),
        v.check((name) => CAPABILITIES.includes(name), unknownCapability),
      ),
      'an array of capabilities',
    ),
  ),
  noNewPrivileges: key('No program of it gains privileges (setuid).', flag),
  ioClass: key(
    'Its place among those that use disks (ionice).',
    v.picklist(['realtime', 'best-effort', 'idle'], expected('realtime, best-effort or idle')),
  ),
  ioPriority: key('In that class: 0 first, 7 last.', whole(0, 7)),
  scheduling: key('Its place among those that use processors (chrt).', SCHEDULING_VALUE),
  cpus: key(
    'The processors it may run on: "0-3,8" (taskset).',
    v.pipe(
      v.string(expected(CPUS_WORDS)),
      v.regex(/^[0-9]{1,4}(?:-[0-9]{1,4})?(?:,[0-9]{1,4}(?:-[0-9]{1,4})?)*$/, expected(CPUS_WORDS)),
    ),
  ),
};

/** What of a service.json says so; nothing when it says nothing. */
export function privilegesOf(json: Privileges): { readonly privileges?: Privileges } {
  const said = NAMES.filter((name) => json[name] !== undefined);
  if (said.length === 0) return {};
  return { privileges: Object.fromEntries(said.map((name) => [name, json[name]])) };
}

const NAMES = Object.keys(PRIVILEGE_KEYS) as readonly (keyof Privileges)[];

function limit(): Value<string> {
  const pattern = /^(?:[0-9]{1,15}|unlimited)?(?::(?:[0-9]{1,15}|unlimited)?)?$/;
  // A union tells of the one whose type fits, so each has the words.
  const wrong = expected(LIMIT_WORDS);
  return v.union(
    [
      v.pipe(v.number(), v.integer(wrong), v.minValue(0, wrong), v.transform(String)),
      v.pipe(v.string(), v.regex(/[0-9u]/, wrong), v.regex(pattern, wrong)),
    ],
    wrong,
  );
}
