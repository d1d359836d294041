/**
 * A small s6-log for images that have none: the directives n, s, t and T and one directory, which
 * is all that logutil-service asks for. What it writes s6-log can go on with, and the reverse
 * (s6-log(1), "Logdirs").
 */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { nextLabel, tai64n } from './stamp.ts';

export type S6LogScript = {
  readonly directory: string;
  /** Archives that are kept. */
  readonly archives: number;
  /** Bytes of `current` at which it becomes one. */
  readonly size: number;
  readonly stamp: 'none' | 'tai64n' | 'iso';
};

/** The script, or why it cannot be followed. */
export function parseScript(words: readonly string[]): S6LogScript | string {
  let script: S6LogScript = { directory: '', archives: 10, size: 99_999, stamp: 'none' };
  for (const word of words) {
    const number = /^[ns]([0-9]{1,9})$/.exec(word)?.[1];
    if (word.startsWith('/') || word.startsWith('.')) {
      if (script.directory !== '') return `a second directory, ${word}, needs s6-log itself`;
      script = { ...script, directory: word };
    } else if (word === 't' || word === 'T') {
      script = { ...script, stamp: word === 't' ? 'tai64n' : 'iso' };
    } else if (number !== undefined && word.startsWith('n')) {
      script = { ...script, archives: Number(number) };
    } else if (number !== undefined) {
      script = { ...script, size: Math.max(Number(number), SIZE_MIN) };
    } else return `the directive ${word} needs s6-log itself`;
  }
  return script.directory === '' ? 'no directory is named' : script;
}

/**
 * Stores what comes on descriptor 0 until that is closed.
 * @throws the error of node:fs when a directory cannot be written to.
 */
export function storeInput(script: S6LogScript): void {
  const { directory } = script;
  const current = `${directory}/current`;
  mkdirSync(directory, { recursive: true, mode: 0o2755 });
  // Not executable: somebody writes to it. Whoever finds it so knows that he was not the last.
  const isUnclean = existsSync(current) && (statSync(current).mode & CLEAN) === 0;
  if (isUnclean) archive(script, 'u');
  open(current);
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let rest = '';
  for (;;) {
    const count = readSync(0, buffer);
    // Bytes that are no UTF-8 pass as they are, too.
    const text = rest + buffer.toString('latin1', 0, count);
    const end = count === 0 ? text.length : text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    if (end > 0) store(script, text.slice(0, end));
    if (count === 0) return chmodSync(current, 0o744);
    if (statSync(current).size < script.size) continue;
    archive(script, 's');
    open(current);
  }
}

const CHUNK_BYTES = 65_536;
/** s6-log(1): the least that `s` may be. */
const SIZE_MIN = 4096;
const CLEAN = 0o100;

function open(current: string): void {
  appendFileSync(current, '');
  chmodSync(current, 0o644);
}

function store({ directory, stamp }: S6LogScript, text: string): void {
  const now = Date.now();
  const head =
    stamp === 'none' ? '' : stamp === 'tai64n' ? `@${tai64n(now)} ` : `${isoTime(new Date(now))}  `;
  const lines = text.replace(/\n$/, '').split('\n');
  const records = lines.map((line) => `${head}${line}\n`).join('');
  appendFileSync(`${directory}/current`, Buffer.from(records, 'latin1'));
}

/** Local time, as directive `T` has it. */
function isoTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  return `${date} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}000000`;
}

function archive({ directory, archives }: S6LogScript, end: 's' | 'u'): void {
  const all = (): string[] =>
    readdirSync(directory)
      .filter((name) => /^@[0-9a-f]{24}\.[su]$/.test(name))
      .sort();
  const label = tai64n(Date.now());
  const newest = all().at(-1)?.slice(1, 25) ?? '';
  const name = `@${label > newest ? label : nextLabel(newest)}.${end}`;
  chmodSync(`${directory}/current`, 0o744);
  renameSync(`${directory}/current`, `${directory}/${name}`);
  const old = all();
  for (const each of old.slice(0, Math.max(old.length - archives, 0)))
    rmSync(`${directory}/${each}`);
}
