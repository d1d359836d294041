/**
 * `svctl boot`: how long the boot took, and what svinit understood of the kernel command line. Both
 * are read from files; no svinit is needed.
 */
import { readFileSync } from 'node:fs';
import { type BootWords, explainCommandLine } from '../core/boot-words.ts';
import { durationWords, ms } from '../core/units.ts';
import { EXIT, errorCode, Failure } from './failure.ts';
import { LogReader, logDirectory } from './logfiles.ts';
import { noNames, type Parsed } from './options.ts';
import type { Session } from './session.ts';
import { safe } from './words.ts';

/** Milliseconds since the kernel started, as svinit wrote them into its log. */
type Milestones = {
  readonly stage0AtMs: number;
  readonly stage1AtMs: number;
  readonly upAtMs: number;
  readonly up: number;
  readonly bad: number;
};

const COMMAND_LINE = '/proc/cmdline';

export async function boot(parsed: Parsed, session: Session): Promise<number> {
  noNames(parsed, 'svctl boot [--options]');
  if (parsed.has('options')) {
    session.show(explainCommandLine(commandLine()), wordLines);
    return EXIT.done;
  }
  const found = milestones();
  if (found === null) {
    const hint = 'svctl logs svinit';
    throw new Failure(EXIT.failed, 'The log of svinit does not tell of a boot (any more)', hint);
  }
  session.show(found, timeLines);
  return EXIT.done;
}

function wordLines({ understood, others, ignored, init, notices }: BootWords): string[] {
  const rows = [
    ...understood.map(({ key, value, about }) => [shown(key, value), about] as const),
    ...others.map(({ key, state, about }) => [safe(key), `(${state}) ${about}`] as const),
  ];
  const width = Math.max(0, ...rows.map(([word]) => word.length));
  return [
    ...rows.map(([word, about]) => `${word.padEnd(width)}  ${about}`),
    ...(init.length === 0 ? [] : [`after --: ${init.map(safe).join(' ')}`]),
    ...(ignored.length === 0 ? [] : [`not for svinit: ${ignored.map(safe).join(' ')}`]),
    ...notices.map((notice) => safe(notice)),
  ];
}

const shown = (key: string, value: string | null): string =>
  safe(value === null ? key : `${key}=${value}`);

function commandLine(): string {
  try {
    return readFileSync(COMMAND_LINE, 'utf8');
  } catch (error) {
    const why = `open failed with ${errorCode(error) ?? error}`;
    throw new Failure(EXIT.failed, `Cannot read ${COMMAND_LINE}: ${why}`);
  }
}

function timeLines({ stage0AtMs, stage1AtMs, upAtMs, up, bad }: Milestones): string[] {
  const between = (from: number, to: number): string => durationWords(ms(Math.round(to - from)));
  return [
    `${between(0, stage0AtMs)} until svinit began (kernel, initramfs, runtime)`,
    `${between(stage0AtMs, stage1AtMs)} stages 0 and 1`,
    `${between(stage1AtMs, upAtMs)} until ${up} services were up${bad > 0 ? `, ${bad} not` : ''}`,
    `${between(0, upAtMs)} in all`,
  ];
}

/** The newest record of a boot in svinit's own log; each line of it is an object of JSON. */
function milestones(): Milestones | null {
  const reader = new LogReader(logDirectory(), 'svinit');
  let found: Milestones | null = null;
  try {
    reader.begin(null);
    for (let record = reader.next(); record !== null; record = reader.next()) {
      found = asMilestones(Buffer.from(record.text).toString()) ?? found;
    }
  } catch (error) {
    if (errorCode(error) === null) throw error;
  } finally {
    reader.close();
  }
  return found;
}

function asMilestones(text: string): Milestones | null {
  if (!text.includes('"upAtMs"')) return null;
  try {
    const value: Partial<Milestones> = JSON.parse(text);
    const { stage0AtMs, stage1AtMs, upAtMs, up, bad } = value;
    const all = [stage0AtMs, stage1AtMs, upAtMs, up, bad];
    return all.every((number) => typeof number === 'number') ? (value as Milestones) : null;
  } catch {
    return null;
  }
}
