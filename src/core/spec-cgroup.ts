/**
 * The key `cgroup` of service.json: limits of a service as a whole, under the names of the kernel's
 * own files (Documentation/admin-guide/cgroup-v2.rst) and in its own syntax. It knows what may be
 * written there; where and when that is done is decided in cgroup.ts.
 */
import * as v from 'valibot';
import { expected } from './spec-values.ts';

export type CgroupFile =
  | 'memory.min'
  | 'memory.low'
  | 'memory.high'
  | 'memory.max'
  | 'memory.swap.max'
  | 'memory.oom.group'
  | 'pids.max'
  | 'cpu.weight'
  | 'cpu.max'
  | 'io.weight'
  | 'io.max'
  | 'cpuset.cpus'
  | 'cpuset.mems';

/** What is written to the files of a cgroup; each line by itself. */
export type CgroupLimits = { readonly [file in CgroupFile]?: string } & {
  /** No file: the uid in decimal to whom the cgroup is given, to divide it as it likes. */
  readonly delegate?: string;
};

type Message = v.ErrorMessage<v.StrictObjectIssue>;
type Entry = v.ExactOptionalSchema<v.GenericSchema<unknown, string>, undefined>;

/** The largest pid there can be (PID_MAX_LIMIT, linux/threads.h, 64 bits). */
const PIDS_MAX = 4_194_304;
/** CGROUP_WEIGHT_MAX, linux/cgroup.h; the least is 1. */
const WEIGHT_MAX = 10_000;

const size = text('a size such as "64M", or "max"', /^(?:[0-9]{1,15}[KMGT]?|max)$/);
const rate = text(
  'microseconds such as "50000 100000" (QUOTA PERIOD), or "max"',
  /^(?:[0-9]{4,10}|max)(?: [0-9]{4,7})?$/,
);
const weight = whole(WEIGHT_MAX);
const numbers = text(
  'numbers such as "0-3,8"',
  /^[0-9]{1,4}(?:-[0-9]{1,4})?(?:,[0-9]{1,4}(?:-[0-9]{1,4})?)*$/,
);
/** By number, or by a name that no step leads out of /dev from. */
const DEVICE = /^(?:[0-9]{1,4}:[0-9]{1,7}|\/dev(?:\/(?!\.\.?(?:\/|$))[\w.:+@-]{1,100}){1,8})$/;
const LIMITS = /^(?: (?:rbps|wbps|riops|wiops)=(?:[0-9]{1,15}|max)){1,4}$/;
const devicesWords = expected('"DEVICE rbps=N wiops=N", or an array of those');
const device: v.GenericSchema<unknown, string> = v.pipe(
  v.string(devicesWords),
  v.check((line) => {
    const end = line.indexOf(' ');
    return end > 0 && DEVICE.test(line.slice(0, end)) && LIMITS.test(line.slice(end));
  }, devicesWords),
);
const devices: Entry = v.exactOptional(
  v.pipe(
    v.union(
      [
        device,
        v.pipe(v.array(device), v.minLength(1, devicesWords), v.maxLength(64, devicesWords)),
      ],
      devicesWords,
    ),
    v.transform((lines) => (typeof lines === 'string' ? lines : lines.join('\n'))),
  ),
);

const flag: Entry = v.exactOptional(
  v.pipe(
    v.boolean(expected('true or false')),
    v.transform((value) => (value ? '1' : '0')),
  ),
);

/** The largest uid there can be: (uid_t) -1 stands for nobody at all (chown(2)). */
const UID_MAX = 4_294_967_294;
const delegateWords = expected(`true, or a uid from 0 to ${UID_MAX}`);
/** `true` leaves it to root, as whom services run by themselves. */
const delegate: Entry = v.exactOptional(
  v.pipe(
    v.union(
      [
        v.literal(true),
        v.pipe(
          v.number(),
          v.integer(delegateWords),
          v.minValue(0, delegateWords),
          v.maxValue(UID_MAX, delegateWords),
        ),
      ],
      delegateWords,
    ),
    v.transform((value) => (value === true ? '0' : String(value))),
  ),
);

/** The schema of the key; its output is what is written, file by file. */
export const CGROUP: v.StrictObjectSchema<
  Readonly<Record<CgroupFile | 'delegate', Entry>>,
  Message
> = v.strictObject(
  {
    'memory.min': size,
    'memory.low': size,
    'memory.high': size,
    'memory.max': size,
    'memory.swap.max': size,
    'memory.oom.group': flag,
    'pids.max': whole(PIDS_MAX),
    'cpu.weight': weight,
    'cpu.max': rate,
    'io.weight': weight,
    'io.max': devices,
    'cpuset.cpus': numbers,
    'cpuset.mems': numbers,
    delegate,
  },
  expected('an object'),
);

function text(what: string, pattern: RegExp): Entry {
  return v.exactOptional(v.pipe(v.string(expected(what)), v.regex(pattern, expected(what))));
}

function whole(max: number): Entry {
  const what = expected(`a whole number from 1 to ${max}`);
  return v.exactOptional(
    v.pipe(
      v.number(what),
      v.integer(what),
      v.minValue(1, what),
      v.maxValue(max, what),
      v.transform(String),
    ),
  );
}
