/**
 * How a record of a log looks: for people, as JSON, or as the bytes the service wrote. Which
 * records are shown is the caller's.
 */
import { isUtf8 } from 'node:buffer';
import {
  decodeUtf8,
  escapeForTerminal,
  type LogRecord,
  MARKS,
  renderJsonLine,
} from '../core/logline.ts';
import { jsonLine } from './session.ts';

/** A record of the log `name`, with its newline. */
export type RowOf = (name: string, record: LogRecord) => Uint8Array;

export type RowStyle = {
  readonly json: boolean;
  readonly raw: boolean;
  /** Control characters are shown, not obeyed. */
  readonly isTerminal: boolean;
  /** Width of the names; null: there is one log only and its name is not shown. */
  readonly nameColumns: number | null;
};

export function rowMaker({ json, raw, isTerminal, nameColumns }: RowStyle): RowOf {
  if (raw) return (_, record) => rawBytes(record);
  if (json) return (name, record) => Buffer.from(`${jsonLine(asObject(name, record))}\n`);
  return (name, record) => {
    const head = rowHead(record, nameColumns === null ? '' : nameColumn(name, nameColumns));
    if (isTerminal || name === OWN_LOG) return Buffer.from(`${head}${textOf(name, record)}\n`);
    return Buffer.concat([Buffer.from(head), record.text, NEWLINE]);
  };
}

/** The row of a log shown alone, for a terminal and without its newline. */
export function rowText(name: string, record: LogRecord): string {
  return rowHead(record, '') + textOf(name, record);
}

/** The log of svinit itself: lines of JSON, which people do not read. */
const OWN_LOG = 'svinit';

const NEWLINE: Uint8Array = Buffer.from('\n');
const NOTHING: Uint8Array = Buffer.alloc(0);

/** What svlog remarks is not of the service; a part has no newline of its own. */
function rawBytes({ kind, text }: LogRecord): Uint8Array {
  if (kind === 'remark') return NOTHING;
  return Buffer.concat(kind === 'part' ? [text] : [text, NEWLINE]);
}

/** Bytes that are no UTF-8 are in `base64`, whole, because `text` cannot hold them. */
function asObject(name: string, { stampText, kind, text }: LogRecord): object {
  return {
    time: stampText,
    service: name,
    ...(kind === 'line' ? {} : { kind }),
    text: decodeUtf8(text),
    ...(isUtf8(text) ? {} : { base64: Buffer.from(text).toString('base64') }),
  };
}

/** The mark stays behind the stamp, as in the file. */
function rowHead({ stampText, kind }: LogRecord, column: string): string {
  return `${stampText}${MARKS[kind]}${column}`;
}

function nameColumn(name: string, width: number): string {
  return `${escapeForTerminal(name).padEnd(width)} `;
}

export function textOf(name: string, { text }: LogRecord): string {
  return (name === OWN_LOG ? renderJsonLine(text) : null) ?? escapeForTerminal(text);
}
