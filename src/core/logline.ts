/**
 * What one stored log record says, and how its text may be shown. svlog writes records, one a line:
 *
 *     2026-11-21T00:10:00.123456Z text     the line ended here
 *     2026-11-21T00:10:00.123456Z+text     the line goes on in the next record
 *     2026-11-21T00:10:00.123456Z!text     said by svlog about this log, not by the service
 *
 * The byte after the stamp is the only one that counts: text may begin with anything. So the bytes
 * a service wrote are the texts in order, each followed by a newline unless marked `+`, without
 * `!`. It knows nothing of files, clocks or terminals.
 */

/** How a record ends: with its line, in the middle of it, or it is svlog's own. */
export type RecordKind = 'line' | 'part' | 'remark';

export type LogRecord = {
  /** When svlog read the text: UTC, microseconds, STAMP_CHARS characters. Sorts by time. */
  readonly stampText: string;
  /** The same as milliseconds since 1970, with a fraction. */
  readonly timeMs: number;
  readonly kind: RecordKind;
  /** As the service wrote it: any bytes but newline. */
  readonly text: Uint8Array;
};

/** Length of `2026-11-21T00:10:00.123456Z`. */
export const STAMP_CHARS = 27;

/** The byte between stamp and text. */
export const MARKS: Readonly<Record<RecordKind, string>> = { line: ' ', part: '+', remark: '!' };

/** Reads one record, given without its newline; null when svlog cannot have written it. */
export function parseRecord(record: Uint8Array): LogRecord | null {
  if (record.length <= STAMP_CHARS) return null;
  const stampText = String.fromCharCode(...record.subarray(0, STAMP_CHARS));
  const timeMs = parseStamp(stampText);
  const kind = KINDS.get(record[STAMP_CHARS]);
  if (timeMs === null || kind === undefined) return null;
  return { stampText, timeMs, kind, text: record.subarray(STAMP_CHARS + 1) };
}

/**
 * Text that a terminal can only print. A byte that is a control character (C0, DEL) or no UTF-8 is
 * shown as `\x1b`, a character that acts (C1, bidirectional controls, line separators) as
 * `\u{202e}`; a tab becomes blanks. What was written cannot be told from this: for that there are
 * the bytes.
 */
export function escapeForTerminal(text: Uint8Array | string): string {
  const shown = typeof text === 'string' ? escapeString(text) : decode(text, escapeCode, byteCode);
  return shown.includes('\t') ? expandTabs(shown) : shown;
}

/** UTF-8 to text; a byte that is none becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decode(bytes, String.fromCodePoint, () => '\ufffd');
}

/**
 * A JSON line of svinit (pino: level, time, msg, more keys) for people: `warn: msg key=value`,
 * already escaped. Null when the text is no such line.
 */
export function renderJsonLine(text: Uint8Array): string | null {
  const value = parseObject(decodeUtf8(text));
  if (value === null || typeof value['msg'] !== 'string') return null;
  const level = LEVELS.get(value['level']) ?? '';
  const more = Object.entries(value)
    .filter(([key]) => !UNSHOWN.has(key))
    .map(([key, item]) => ` ${key}=${renderValue(item)}`);
  return escapeForTerminal(level + value['msg'] + more.join(''));
}

const KINDS: ReadonlyMap<number | undefined, RecordKind> = new Map(
  (['line', 'part', 'remark'] as const).map((kind) => [MARKS[kind].charCodeAt(0), kind]),
);

const STAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z$/;

function parseStamp(text: string): number | null {
  const fields = STAMP.exec(text);
  if (fields === null) return null;
  const [, year = 0, month = 0, day = 0, hour, minute, second, micros = 0] = fields.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) + micros / 1000;
}

/** What a character is shown as: itself, or its number when it acts on the terminal. */
function escapeCode(code: number): string {
  if (code === TAB) return '\t';
  if (code < 0x20 || code === 0x7f) return byteCode(code);
  return acts(code) ? `\\u{${code.toString(16)}}` : String.fromCodePoint(code);
}

const TAB = 0x09;

function byteCode(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/**
 * C1; ALM, LRM, RLM, embeddings, overrides and isolates (Unicode: Bidi_Control); line and paragraph
 * separator, with which a line could be forged; half of a surrogate pair.
 */
function acts(code: number): boolean {
  if (code < 0xa0) return code >= 0x80;
  if (code < 0x2000) return code === 0x61c;
  if (code < 0x2070) {
    return (
      code === 0x200e || code === 0x200f || (code >= 0x2028 && code <= 0x202e) || code > 0x2065
    );
  }
  return code >= 0xd800 && code <= 0xdfff;
}

function escapeString(text: string): string {
  let shown = '';
  for (const char of text) shown += escapeCode(char.codePointAt(0) ?? 0);
  return shown;
}

/** Blanks up to the next multiple of eight, as a terminal does. */
function expandTabs(text: string): string {
  let shown = '';
  for (const [i, piece] of text.split('\t').entries()) {
    shown += i === 0 ? piece : ' '.repeat(8 - (shown.length % 8)) + piece;
  }
  return shown;
}

/**
 * Walks UTF-8 (Unicode 15 table 3-7): `good` gets code points, `bad` every byte that is in none.
 */
function decode(
  bytes: Uint8Array,
  good: (code: number) => string,
  bad: (byte: number) => string,
): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const plain = plainRun(bytes, at);
    if (plain > at) {
      text += String.fromCharCode(...bytes.subarray(at, plain));
      at = plain;
      continue;
    }
    const length = sequenceLength(bytes, at);
    text += length === 0 ? bad(bytes[at] ?? 0) : good(codePoint(bytes, at, length));
    at += Math.max(length, 1);
  }
  return text;
}

/** Arguments of one call: engines refuse too many. */
const RUN_MAX = 8192;

/** Where the printable ASCII that begins at `at` ends. */
function plainRun(bytes: Uint8Array, at: number): number {
  const last = Math.min(bytes.length, at + RUN_MAX);
  let end = at;
  for (let byte = bytes[end] ?? 0; end < last && byte >= 0x20 && byte < 0x7f; ) {
    end += 1;
    byte = bytes[end] ?? 0;
  }
  return end;
}

/** How many bytes the well-formed sequence at `at` has; 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  if (second < (SECOND_MIN.get(lead) ?? 0x80) || second > (SECOND_MAX.get(lead) ?? 0xbf)) return 0;
  for (let i = 2; i < length; i += 1) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Bounds of the second byte: no overlong forms, no surrogates, nothing above U+10FFFF. */
const SECOND_MIN: ReadonlyMap<number, number> = new Map([
  [0xe0, 0xa0],
  [0xf0, 0x90],
]);
const SECOND_MAX: ReadonlyMap<number, number> = new Map([
  [0xed, 0x9f],
  [0xf4, 0x8f],
]);

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  const lead = bytes[at] ?? 0;
  if (length === 1) return lead;
  let code = lead & (0xff >> (length + 1));
  for (let i = 1; i < length; i += 1) code = (code << 6) | ((bytes[at + i] ?? 0) & 0x3f);
  return code;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Numbers of pino's levels; `info` goes without saying. */
const LEVELS: ReadonlyMap<unknown, string> = new Map([
  [10, 'trace: '],
  [20, 'debug: '],
  [40, 'warn: '],
  [50, 'error: '],
  [60, 'fatal: '],
]);

/** Said by the stamp, by the level, or of no interest to people. */
const UNSHOWN: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'v']);

const BARE = /^[\w./:@+-]{1,256}$/;

/** A word as it is, everything else as JSON; of an error only its message. */
function renderValue(value: unknown): string {
  if (typeof value === 'string') return BARE.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'message' in value) {
    return JSON.stringify(value.message);
  }
  return JSON.stringify(value);
}
