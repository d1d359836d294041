/**
 * JSON-RPC 2.0, one message a line (jsonrpc.org/specification): bytes of a line to a request, and
 * replies to lines. A peer's mistake is a value with a code, never an exception.
 */
import { checkParams, isMethod, METHOD_NAMES, type Request } from './methods.ts';
import { didYouMean } from './suggest.ts';

/** The longest line a client may send, newline excluded. Replies may be longer. */
export const FRAME_BYTES_MAX: number = 64 * 1024;
/** Clients served at once on one socket. */
export const CLIENTS_MAX = 64;
/** How long a line may stay incomplete, in milliseconds. */
export const FRAME_WITHIN_MS = 5000;
/** Requests of one client that may wait for their answer: each costs something at every event. */
export const WAITS_MAX = 64;
/** What may wait unread for one client before it is dropped. */
export const UNSENT_BYTES_MAX: number = 4 * 1024 * 1024;

/** JSON-RPC says that ids are strings or numbers; null answers a line that had none. */
export type RequestId = string | number | null;

/** Who asked, so that the answer finds its way back. */
export type Asker = { readonly client: number; readonly id: RequestId; readonly uid: number };

/** svctl's exit codes: a reply that is an error carries the one that fits. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  noSuchService: 4,
  timeout: 5,
  dependencyFailed: 6,
  permission: 7,
  invalidDefinition: 8,
  unreachable: 9,
} as const;

export type RpcError = {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly exit: number; readonly hint?: string };
};

export type Decoded =
  | { readonly ok: true; readonly id: RequestId; readonly request: Request }
  | { readonly ok: false; readonly id: RequestId; readonly error: RpcError };

export const PARSE_ERROR = -32_700;
export const INVALID_REQUEST = -32_600;
export const METHOD_NOT_FOUND = -32_601;
export const INVALID_PARAMS = -32_602;
/** The server's own range of JSON-RPC begins here; minus svctl's exit code. */
const OWN_ERRORS = -32_000;

/** An error of the request itself: what was asked cannot be done, and the exit code for it. */
export function refusal(exit: number, message: string, hint?: string): RpcError {
  const data = hint === undefined ? { exit } : { exit, hint };
  return { code: OWN_ERRORS - exit, message, data };
}

/** Decodes one line. The caller has already bounded its length. */
export function decodeLine(line: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return wrong(null, PARSE_ERROR, 'The line is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong(null, INVALID_REQUEST, 'The line is not a JSON object (batches are not served)');
  }
  const frame = new Map<string, unknown>(Object.entries(value));
  const id = frame.get('id') ?? null;
  if (!isId(id)) return wrong(null, INVALID_REQUEST, 'id is neither a string nor a number');
  if (frame.get('jsonrpc') !== '2.0') {
    return wrong(id, INVALID_REQUEST, 'jsonrpc is not "2.0"');
  }
  const method = frame.get('method');
  if (typeof method !== 'string') return wrong(id, INVALID_REQUEST, 'method is not a string');
  if (!isMethod(method)) {
    const shown = JSON.stringify(method.slice(0, 64));
    const hint = didYouMean(method, METHOD_NAMES);
    return wrong(id, METHOD_NOT_FOUND, `There is no method ${shown}${hint}`);
  }
  const checked = checkParams(method, frame.get('params'));
  if (!checked.ok)
    return wrong(id, INVALID_PARAMS, `Bad parameters of ${method}: ${checked.reason}`);
  return { ok: true, id, request: checked.request };
}

/** 1e999 is a number to JSON and infinite to us: it could not be said again in the answer. */
function isId(id: unknown): id is RequestId {
  return id === null || typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id));
}

function wrong(id: RequestId, code: number, message: string): Decoded {
  return { ok: false, id, error: { code, message, data: { exit: EXIT.usage } } };
}

export function encodeRequest(id: RequestId, method: string, params: unknown): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
}

export function encodeResult(id: RequestId, result: unknown): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`;
}

export function encodeError(id: RequestId, error: RpcError): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, error })}\n`;
}

/** A notification has no id and no answer. */
export function encodeNotification(method: string, params: unknown): string {
  return `${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`;
}
