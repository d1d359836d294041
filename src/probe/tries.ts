/**
 * One try of a probe that asks over the network or looks for a file. Each ends in its time, leaves
 * nothing open and never rejects. What a failure means is the caller's.
 */
import { promises } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { type Endpoint, isGoodStatus, type Page, type Probe } from '../core/probe.ts';
import type { Tried } from '../core/probe-tally.ts';

/** How long a try may take, and whether anybody still wants to know. */
export type Limits = { readonly timeoutMs: number; readonly signal: AbortSignal };

/** Whether a connection is accepted. */
export function tryTcp(endpoint: Endpoint, limits: Limits): Promise<Tried> {
  return overSocket(endpoint, limits, 'no connection', (socket, give) => {
    socket.once('connect', () => give({ ok: true, detail: 'connected' }));
  });
}

/**
 * Whether `page` is answered with a good status. No redirect is followed, no proxy asked, and of
 * the body nothing is kept.
 */
export function tryHttp(page: Page, probe: Probe, limits: Limits): Promise<Tried> {
  return overSocket(page, limits, 'no answer', (socket, give) => {
    let head = '';
    socket.setEncoding('latin1');
    socket.write(requestOf(page));
    socket.on('data', (text: string | Buffer) => {
      head += String(text);
      const status = statusIn(head);
      if (status === null && head.length < HEAD_CHARS_MAX) return;
      if (status === null) return give({ ok: false, detail: 'what answers does not speak HTTP' });
      give({ ok: isGoodStatus(probe, status), detail: `answered ${status}` });
    });
    socket.once('close', () => give({ ok: false, detail: 'hung up without an answer' }));
  });
}

/**
 * Whether the file is there.
 * @param since Milliseconds since 1970; older than that it does not count. Null: any does.
 */
export async function tryFile(
  path: string,
  since: number | null,
  { timeoutMs }: Limits,
): Promise<Tried> {
  const late = Promise.withResolvers<Tried>();
  const timer = setTimeout(
    () => late.resolve({ ok: false, detail: `no answer within ${timeoutMs} ms` }),
    timeoutMs,
  );
  const look = promises.stat(path).then(
    ({ mtimeMs }): Tried =>
      since === null || mtimeMs >= since
        ? { ok: true, detail: 'is there' }
        : { ok: false, detail: 'is older than the process' },
    (error: unknown): Tried => ({ ok: false, detail: codeOf(error) }),
  );
  const tried = await Promise.race([look, late.promise]);
  clearTimeout(timer);
  return tried;
}

/** The words of an error of node's. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return WORDS.get(code) ?? (code || String(error));
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['ENETUNREACH', 'no network there'],
  ['EHOSTUNREACH', 'no host there'],
  ['ENOENT', 'is not there'],
  ['EACCES', 'permission denied'],
]);

/** Of a status line and the headers before the one that counts. */
const HEAD_CHARS_MAX = 16_384;
/** What has been answered is taken for this long, so that nobody's log tells of a broken pipe. */
const LINGER_MS = 1000;

function overSocket(
  { host, port }: Endpoint,
  { timeoutMs, signal }: Limits,
  late: string,
  begin: (socket: Socket, give: (tried: Tried) => void) => void,
): Promise<Tried> {
  // What is no address would be asked of a name server.
  if (isIP(host) === 0) return Promise.resolve({ ok: false, detail: `${host} is no address` });
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let isGiven = false;
    const give = (tried: Tried): void => {
      if (isGiven) return;
      isGiven = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      resolve(tried);
      letGo(socket);
    };
    const timer = setTimeout(() => {
      give({ ok: false, detail: `${late} within ${timeoutMs} ms` });
      socket.destroy();
    }, timeoutMs);
    const abort = (): void => {
      give({ ok: false, detail: 'not of interest any more' });
      socket.destroy();
    };
    signal.addEventListener('abort', abort);
    socket.on('error', (error) => give({ ok: false, detail: codeOf(error) }));
    begin(socket, give);
  });
}

function letGo(socket: Socket): void {
  socket.end();
  socket.removeAllListeners('data');
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function requestOf({ host, port, path }: Page): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${port === 80 ? name : `${name}:${port}`}`,
    ...['User-Agent: svprobe', 'Accept: */*', 'Connection: close', '', ''],
  ];
  return lines.join('\r\n');
}

/** The code of the answer; what comes before it as news (1xx) is none. Null: not there yet. */
function statusIn(head: string): number | null {
  let rest = head;
  for (;;) {
    const [line, digits] = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?= |\r?\n)/.exec(rest) ?? [];
    if (line === undefined) return null;
    const status = Number(digits);
    if (status >= 200) return status;
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return null;
    rest = rest.slice(end + 4);
  }
}
