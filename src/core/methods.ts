/**
 * What can be asked over the socket: one row a method, with the shape of its parameters, who may
 * ask, and one line for help. Replies are the types below it.
 */
import * as v from 'valibot';
import { FAULTS, type FaultKind } from './faults.ts';
import { FULL_NAME_CHARS_MAX } from './names.ts';
import { DETAIL_CHARS_MAX, type ProbeKind } from './probe.ts';

/** A name or a pattern of names; the caps are there so that no client can make us work. */
const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(FULL_NAME_CHARS_MAX));
const Names = v.pipe(v.array(Name), v.minLength(1), v.maxLength(1000));
/** At most a day; null waits for ever. */
const TimeoutMs = v.optional(
  v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400_000))),
  null,
);
const Wait = v.optional(v.boolean(), true);
const Flag = v.optional(v.boolean(), false);
const Nothing = v.strictObject({});
const Forced = v.strictObject({ force: v.exactOptional(v.boolean()) });
/** Thirty days: what is later is not meant, or forgotten by then. */
export const SCHEDULE_MS_MAX = 2_592_000_000;
const MESSAGE_CHARS_MAX = 500;
/** PATH_MAX of linux/limits.h, NUL included. */
const AbsolutePath = v.pipe(
  v.string(),
  v.regex(/^\/[^\0]*$/, 'not an absolute path'),
  v.maxLength(4095),
);

/** The kernel gives its init no more (MAX_INIT_ARGS, init/main.c). */
const Arguments = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^[^\0]*$/, 'not an argument'), v.maxLength(4095))),
  v.maxLength(32),
);

/** Signals as the kernel counts them (signal(7)): 1 to SIGRTMAX. */
const Signal = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64));

const Condition = v.strictObject({
  name: Name,
  goal: v.picklist(['up', 'ready', 'down', 'done', 'failed']),
});

export type Goal = 'up' | 'ready' | 'down' | 'done' | 'failed';
export const GOALS: readonly Goal[] = ['up', 'ready', 'down', 'done', 'failed'];

export type { FaultKind } from './faults.ts';

type None = Record<string, never>;
/** `force` stops nothing in order: all processes are told at once, and killed soon after. */
type Ending = { readonly force?: boolean };
type Waiting = {
  readonly names: string[];
  /** False answers as soon as the wish is noted. */
  readonly wait: boolean;
  /** Milliseconds until the answer is "timeout"; null waits for ever. */
  readonly timeoutMs: number | null;
};

/** Parameters of each method after its schema has filled the defaults in. */
export type Params = {
  readonly version: None;
  /** No names: all services. */
  readonly ls: { readonly names: string[] };
  readonly status: { readonly names: string[] };
  /** `once`: it is not restarted when it ends. */
  readonly start: Waiting & { readonly once: boolean };
  readonly stop: Waiting & { readonly cascade: boolean; readonly force: boolean };
  readonly restart: Waiting;
  readonly wait: {
    readonly conditions: { readonly name: string; readonly goal: Goal }[];
    readonly timeoutMs: number | null;
  };
  /** For the main process of each, or its process group. */
  readonly signal: { readonly names: string[]; readonly signal: number; readonly group: boolean };
  /** They read their configuration again, each in its own way. */
  readonly reload: Waiting;
  /** `prune` stops what is no longer defined. */
  readonly scan: { readonly prune: boolean };
  /** Tells of everything that moves, as `progress`, until the connection ends. */
  readonly watch: None;
  readonly examine: None;
  /** How services are asked whether they are well; no names: all that are to be asked now. */
  readonly probes: { readonly names: string[] };
  /** What came of it; `ok` null: a failure that does not count yet. */
  readonly probed: {
    readonly name: string;
    readonly pid: number;
    readonly kind: ProbeKind;
    readonly ok: boolean | null;
    readonly detail: string;
  };
  readonly poweroff: Ending;
  readonly reboot: Ending;
  readonly halt: Ending;
  /** Starts the kernel that has been loaded (kexec_load(2)). */
  readonly kexec: None;
  /** Makes `init` on `root`, a mount point, PID 1. Null: what this boot was told, or is usual. */
  readonly switchRoot: {
    readonly root: string | null;
    readonly init: string | null;
    readonly arguments: string[] | null;
  };
  /** `inMs` milliseconds from now; `message` is for everybody at a terminal. */
  readonly schedule: {
    readonly kind: 'poweroff' | 'reboot' | 'halt';
    readonly inMs: number;
    readonly message: string;
    /** People are told, and nothing comes of it. */
    readonly pretend?: boolean;
  };
  readonly cancel: None;
  /** What is in the way of going down. */
  readonly shutdown: None;
  /** Services whose end is not to be waited for any more. */
  readonly skip: { readonly names: string[] };
  /** `binary` is the absolute path of another svinit to become; null: the one that runs. */
  readonly reexec: { readonly binary: string | null };
  /** Only where svinit was started for its own tests. */
  readonly fault: { readonly kind: FaultKind };
};

export type MethodName = keyof Params;

/** One request whose parameters have been checked. */
export type Request = {
  [M in MethodName]: { readonly method: M; readonly params: Params[M] };
}[MethodName];

const waiting = { names: Names, wait: Wait, timeoutMs: TimeoutMs };

const SCHEMAS: { readonly [M in MethodName]: v.GenericSchema<unknown, Params[M]> } = {
  version: Nothing,
  ls: v.strictObject({ names: v.optional(v.pipe(v.array(Name), v.maxLength(1000)), []) }),
  status: v.strictObject({ names: Names }),
  start: v.strictObject({ ...waiting, once: Flag }),
  stop: v.strictObject({ ...waiting, cascade: Flag, force: Flag }),
  restart: v.strictObject(waiting),
  wait: v.strictObject({
    conditions: v.pipe(v.array(Condition), v.minLength(1), v.maxLength(1000)),
    timeoutMs: TimeoutMs,
  }),
  signal: v.strictObject({ names: Names, signal: Signal, group: Flag }),
  reload: v.strictObject(waiting),
  scan: v.strictObject({ prune: Flag }),
  watch: Nothing,
  examine: Nothing,
  probes: v.strictObject({ names: v.optional(v.pipe(v.array(Name), v.maxLength(1000)), []) }),
  probed: v.strictObject({
    name: Name,
    pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
    kind: v.picklist(['ready', 'alive']),
    ok: v.nullable(v.boolean()),
    detail: v.pipe(v.string(), v.maxLength(DETAIL_CHARS_MAX)),
  }),
  poweroff: Forced,
  reboot: Forced,
  halt: Forced,
  kexec: Nothing,
  switchRoot: v.strictObject({
    root: v.optional(v.nullable(AbsolutePath), null),
    init: v.optional(v.nullable(AbsolutePath), null),
    arguments: v.optional(v.nullable(Arguments), null),
  }),
  schedule: v.strictObject({
    kind: v.picklist(['poweroff', 'reboot', 'halt']),
    inMs: v.pipe(v.number(), v.minValue(0), v.maxValue(SCHEDULE_MS_MAX)),
    message: v.optional(v.pipe(v.string(), v.maxLength(MESSAGE_CHARS_MAX)), ''),
    pretend: v.exactOptional(v.boolean()),
  }),
  cancel: Nothing,
  shutdown: Nothing,
  skip: v.strictObject({ names: Names }),
  reexec: v.strictObject({ binary: v.optional(v.nullable(AbsolutePath), null) }),
  fault: v.strictObject({
    kind: v.picklist(FAULTS),
  }),
};

export type { Results } from './results.ts';
export type { Outcome, ServiceView, StateWord } from './service-view.ts';

/** Read-only methods are served on the `status` socket too. */
const READ_ONLY = new Set<MethodName>([
  ...(['version', 'ls', 'status', 'wait', 'shutdown', 'watch', 'examine'] as const),
]);

const NAMES: ReadonlySet<string> = new Set(Object.keys(SCHEMAS));

export const isMethod = (name: string): name is MethodName => NAMES.has(name);
export const isReadOnly = (method: MethodName): boolean => READ_ONLY.has(method);
export const METHOD_NAMES: readonly MethodName[] = Object.keys(SCHEMAS) as MethodName[];

/** Of a reason: it quotes what was asked, and nobody reads more. */
const REASON_CHARS_MAX = 300;

/** Checks `params` against the method's schema; the reason names the key that is wrong. */
export function checkParams(
  method: MethodName,
  params: unknown,
): { ok: true; request: Request } | { ok: false; reason: string } {
  // The first issue is enough: of thousands each would cost as much as the first.
  const schema = SCHEMAS[method] as v.GenericSchema;
  const result = v.safeParse(schema, params ?? {}, { abortEarly: true });
  if (result.success) {
    return { ok: true, request: { method, params: result.output } as Request };
  }
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? 'params';
  return { ok: false, reason: `${where}: ${issue.message}`.slice(0, REASON_CHARS_MAX) };
}
