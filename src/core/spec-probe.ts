/**
 * The keys `ready` and `alive` of service.json: their syntax, and what is usual where they say
 * nothing. What a probe is, is in probe.ts.
 */
import * as v from 'valibot';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { type AliveProbe, type Probe, parseEndpoint, parsePage } from './probe.ts';
import type { Readiness } from './spec.ts';
import {
  absolutePath,
  command,
  expected,
  type Key,
  key,
  OBJECT,
  string,
  text,
  type Value,
  whole,
} from './spec-values.ts';
import { type Millis, ms } from './units.ts';

const DAY_MS = 86_400_000;
/** A probe that asks without a pause is an attack. */
const INTERVAL_MIN = 20;
const FD_WORDS = 'a descriptor from 3 to 1023';
const TCP_WORDS = '"HOST:PORT", HOST a numeric address or localhost';
const HTTP_WORDS = '"http://HOST[:PORT][/PATH]", HOST a numeric address or localhost';
const STATUS_WORDS = 'status codes such as [200, 204]';
const LINE_WORDS = 'text of 1 to 200 characters that is not only stars';
const KINDS = ['tcp', 'http', 'exec', 'file', 'line'] as const;

const tcp = key('Ready when a connection is accepted.', checked(TCP_WORDS, parseEndpoint));
const http = key('A page whose answer is good.', checked(HTTP_WORDS, parsePage));
const status = key(
  'Codes that are a good answer; otherwise 200 to 299.',
  v.pipe(
    v.array(whole(100, 599, 'a status code from 100 to 599'), expected(STATUS_WORDS)),
    v.minLength(1, expected(STATUS_WORDS)),
  ),
);
const exec = key('A program, run as the service is, that ends with 0.', command);
const file = key('A file that is there; of readiness: changed since the start.', absolutePath());
const line = key(
  'Text in a line that the service prints; * stands for anything.',
  v.pipe(
    text(LINE_WORDS),
    v.check((value) => value.length <= 200 && /[^*]/.test(value), expected(LINE_WORDS)),
    v.check((value) => !value.includes('\n'), 'holds a newline'),
  ),
);
const timing = {
  interval: key('From one try to the next.', from(INTERVAL_MIN, '"20ms"')),
  timeout: key('For one try.', from(1, '"1ms"')),
  retries: key('Failures in a row that count as one of the service.', whole(1, 1000)),
};

const READY = v.pipe(
  v.strictObject(
    {
      fd: v.exactOptional(whole(3, 1023, FD_WORDS)),
      ...{ tcp, http, status, exec, file, line, ...timing },
    },
    OBJECT,
  ),
  v.check(
    (said) => kindsOf(said, ['fd', ...KINDS]) === 1,
    'expected one of fd, tcp, http, exec, file and line',
  ),
  v.check((said) => isStatusOfHttp(said), 'status is of http'),
  v.check(
    (said) => said.fd === undefined || Object.keys(said).length === 1,
    'fd goes with nothing else',
  ),
  v.check(
    ({ line, retries, timeout }) => line === undefined || (retries ?? timeout) === undefined,
    'retries and timeout are not of line',
  ),
);
const ALIVE = v.pipe(
  v.strictObject(
    {
      ...{ tcp, http, status, exec, file, ...timing },
      startPeriod: key('From its start; failures in it do not count.', from(0, '"0s"')),
      action: key(
        'What comes of a failure.',
        v.picklist(['restart', 'report'], expected('restart or report')),
      ),
    },
    OBJECT,
  ),
  v.check((said) => kindsOf(said, KINDS) === 1, 'expected one of tcp, http, exec and file'),
  v.check((said) => isStatusOfHttp(said), 'status is of http'),
);

/** What it means without a word: asked often while others may wait, and seldom for ever after. */
const READY_USUAL = { interval: ms(250), timeout: ms(2000), retries: null };
const ALIVE_USUAL = {
  ...{ interval: ms(10_000), timeout: ms(5000), retries: 3 },
  ...{ startPeriod: ms(0), action: 'restart' as const },
};

/** What `ready` says, once it has been read. */
export type ReadyJson = 'spawn' | 'notify' | { readonly fd: number } | { readonly probe: Probe };

const READY_WORD: Value<'spawn' | 'notify'> = v.picklist(
  ['spawn', 'notify'],
  expected('"spawn", "notify", {"fd": N}, or an object with tcp, http, exec, file or line'),
);
const READY_OBJECT: Value<ReadyJson> = v.pipe(
  READY,
  v.transform(({ fd, ...said }) =>
    fd === undefined ? { probe: { ...READY_USUAL, ...said } } : { fd },
  ),
);

export const PROBE_KEYS: { readonly ready: Key<ReadyJson>; readonly alive: Key<AliveProbe> } = {
  ready: key(
    'When it is up: once spawned, at READY=1 of sd_notify, at a newline on a descriptor, or when ' +
      'a probe says so.',
    wordOr(READY_WORD, READY_OBJECT),
  ),
  alive: key(
    'Asked while it is up; when the answer fails to come it is restarted.',
    v.pipe(
      ALIVE,
      v.transform((said) => ({ ...ALIVE_USUAL, ...said })),
    ),
  ),
};

/** The keys of the objects, for who looks for others. */
export const PROBE_OBJECTS: Readonly<Record<'ready' | 'alive', { readonly entries: object }>> = {
  ready: { entries: READY.entries },
  alive: { entries: ALIVE.entries },
};

export function readinessOf(ready: ReadyJson): Readiness {
  if (typeof ready === 'string') return { by: ready };
  return 'fd' in ready ? { by: 'fd', fd: ready.fd } : { by: 'probe', probe: ready.probe };
}

/** A union whose complaint is about what was meant: the object, when it is one. */
function wordOr(word: Value<ReadyJson>, object: Value<ReadyJson>): Value<ReadyJson> {
  const union = v.union([word, object]);
  return {
    ...union,
    '~run': (dataset, config) => {
      const isObject = typeof dataset.value === 'object' && dataset.value !== null;
      return (isObject ? object : word)['~run'](dataset, config);
    },
  } as Value<ReadyJson>;
}

function checked(what: string, parse: (text: string) => object | null): Value<string> {
  return v.pipe(
    string(what),
    v.check((value) => parse(value) !== null, expected(what)),
  );
}

function from(min: number, words: string): Value<Millis> {
  const what = `a duration from ${words} to "1d"`;
  return v.pipe(
    string(what),
    v.check((value) => isWithin(parseDuration(value), min), expected(what)),
    v.transform((value) => parseDuration(value) ?? ms(min)),
    v.metadata({ pattern: DURATION_PATTERN }),
  );
}

const isWithin = (value: Millis | null, min: number): boolean =>
  value !== null && value >= min && value <= DAY_MS;

function kindsOf(said: object, kinds: readonly string[]): number {
  return kinds.filter((kind) => kind in said).length;
}

function isStatusOfHttp(said: { readonly http?: string; readonly status?: unknown }): boolean {
  return said.status === undefined || said.http !== undefined;
}
