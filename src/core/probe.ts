/**
 * Probes: questions from outside by which it is told whether a service is ready, or still alive.
 * What may be asked, how it is told to people, and what a text answers; who asks is svprobe.
 */
import { printable } from './names.ts';
import type { Millis } from './units.ts';

/** One of five is there: a connection, an answer, a program that ends with 0, a file, a line. */
export type Probe = {
  /** `127.0.0.1:80`. */
  readonly tcp?: string;
  /** `http://127.0.0.1:8080/health`. */
  readonly http?: string;
  /** Codes that are a good answer; absent: 200 to 299. */
  readonly status?: readonly number[];
  readonly exec?: readonly string[];
  /** Of readiness: one that is newer than the process. */
  readonly file?: string;
  /** What a line has in it, `*` for anything; only of readiness. */
  readonly line?: string;
  /** From the end of one try to the next. */
  readonly interval: Millis;
  /** For one try. */
  readonly timeout: Millis;
  /** Failures in a row that are a failure of the service; null: it is tried until it is time. */
  readonly retries: number | null;
};

export type AliveProbe = Probe & {
  /** From the start of the process; failures in it do not count. */
  readonly startPeriod: Millis;
  readonly action: 'restart' | 'report';
};

export type ProbeKind = 'ready' | 'alive';
/** What came of it last; `ok` null: a failure that does not count yet. */
export type ProbeOutcome = { readonly ok: boolean | null; readonly detail: string };
export type ProbeOutcomes = { readonly [K in ProbeKind]?: ProbeOutcome };

/** How the program of a probe is run: as the service itself is. */
export type ProbeProgram = {
  readonly path: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly umask: number;
};

/** One probe that is to be asked now, as svprobe is told of it. */
export type ProbeView = {
  readonly name: string;
  readonly pid: number;
  /** On CLOCK_MONOTONIC, in milliseconds. */
  readonly startedAt: number;
  readonly kind: ProbeKind;
  readonly probe: Probe | AliveProbe;
  /** Of `exec`; a text says why there is none. */
  readonly program: ProbeProgram | string | null;
  /** It has another root than svinit: its files are below that of its process. */
  readonly isRooted: boolean;
};

/** What a client sees of probes: those that a service has, and what came of each last. */
export type ProbesView = { readonly [K in ProbeKind]?: ProbeOutcome | null };

/** Of what a probe got, for the record. */
export const DETAIL_CHARS_MAX = 200;

export type Endpoint = { readonly host: string; readonly port: number };
export type Page = Endpoint & { readonly path: string };

/** What is asked, in a few words: `http http://127.0.0.1:8080/health`. */
export function probeWords(probe: Probe): string {
  const { tcp, http, exec, file, line } = probe;
  if (tcp !== undefined) return `tcp ${tcp}`;
  if (http !== undefined) return `http ${http}`;
  if (exec !== undefined) return `exec ${printable(exec.join(' '))}`;
  if (file !== undefined) return `file ${printable(file)}`;
  return `line ${printable(line ?? '')}`;
}

/**
 * `HOST:PORT`, HOST being a number (`127.0.0.1`, `[::1]`) or `localhost`, which is 127.0.0.1: a
 * name server that does not answer would be taken for a service that does not. Null: it is none.
 */
export function parseEndpoint(text: string): Endpoint | null {
  const [, host, digits] = ENDPOINT.exec(text) ?? [];
  return endpoint(host, digits);
}

/** `http://HOST[:PORT][/PATH]`, HOST as in an endpoint; null: it is none. */
export function parsePage(text: string): Page | null {
  const [, host, digits = '80', path = '/'] = PAGE.exec(text) ?? [];
  const found = endpoint(host, digits);
  if (found === null) return null;
  return { ...found, path: path.startsWith('?') ? `/${path}` : path };
}

/** Whether `code` is a good answer. */
export function isGoodStatus({ status }: Probe, code: number): boolean {
  return status === undefined ? code >= 200 && code <= 299 : status.includes(code);
}

/**
 * Whether `line` has in it the parts of `pattern` between its stars, in their order. It costs as
 * much as the line is long, whatever the pattern: a regular expression has no such bound.
 */
export function hasLine(pattern: string, line: string): boolean {
  let from = 0;
  for (const part of pattern.split('*')) {
    const at = line.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

const HOST = String.raw`(localhost|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]{2,45}\])`;
const ENDPOINT = new RegExp(`^${HOST}:([0-9]{1,5})$`);
const PAGE = new RegExp(`^http://${HOST}(?::([0-9]{1,5}))?([/?][!-~]{0,2000})?$`);
const PORT_MAX = 65_535;

function endpoint(host: string | undefined, digits: string | undefined): Endpoint | null {
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= PORT_MAX)) return null;
  if (host === 'localhost') return { host: '127.0.0.1', port };
  if (host.startsWith('[')) return isIpv6(host) ? { host: host.slice(1, -1), port } : null;
  return host.split('.').every((part) => Number(part) <= 255) ? { host, port } : null;
}

/** Eight groups, or fewer and one `::`; an IPv4 address may stand for the last two (RFC 4291). */
function isIpv6(bracketed: string): boolean {
  const [, front = '', last] = /^\[(.*?)((?:[0-9]{1,3}\.){3}[0-9]{1,3})?\]$/.exec(bracketed) ?? [];
  if (last?.split('.').some((part) => Number(part) > 255)) return false;
  const halves = (last === undefined ? front : `${front}0:0`).split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (halves.length > 2 || !groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}
