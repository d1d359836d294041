/**
 * `svctl report`: what somebody needs to find out why a boot has failed, as one text without
 * secrets. Whatever cannot be read says so in its place; it works without svinit.
 */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { reportText, type Section } from '../core/failure-report.ts';
import type { Results, ServiceView } from '../core/methods.ts';
import { durationWords, ms } from '../core/units.ts';
import { VERSION } from '../core/version.ts';
import { connect } from './client.ts';
import { EXIT, errorCode, Failure } from './failure.ts';
import { kernelMessages } from './kernel-messages.ts';
import { LogReader, logDirectory } from './logfiles.ts';
import { rowText } from './logrow.ts';
import { noNames, type Parsed } from './options.ts';
import type { Session } from './session.ts';

export async function report(parsed: Parsed, session: Session): Promise<number> {
  noNames(parsed, 'svctl report [--output FILE]');
  const text = await gatherReport([]);
  const file = parsed.value('output');
  if (file !== null) saveReport(file, text);
  else session.show({ report: text }, () => [text]);
  return EXIT.done;
}

/** The report; `why` is what failed, in lines. */
export async function gatherReport(why: readonly string[]): Promise<string> {
  const all = await services();
  return reportText({
    why,
    when: `${new Date().toISOString()}, ${uptime()} s after the start of the kernel`,
    about: [`svinit ${VERSION} on ${RUNTIME}`, ...linesOf('/proc/version')],
    commandLine: linesOf('/proc/cmdline').join(' '),
    sections: [
      serviceSection(all),
      ...(typeof all === 'string' ? [] : all.services.filter(isBad).map(logSection)),
      milestoneSection(),
      fileSection('mounts', '/proc/self/mountinfo'),
      fileSection('block devices', '/proc/partitions'),
      { title: 'names of block devices', lines: diskLinks(), none: 'there are none' },
      fileSection('filesystems', '/proc/filesystems'),
      fileSection('modules', '/proc/modules'),
      fileSection('memory', '/proc/meminfo', (line) => /^(Mem|Swap|Shmem)/.test(line)),
      kernelSection(),
    ],
  });
}

/**
 * Into a file that only its owner may read.
 * @throws {Failure} exit 1.
 */
export function saveReport(path: string, text: string): void {
  try {
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
  } catch (error) {
    const why = `open failed with ${errorCode(error) ?? error}`;
    throw new Failure(EXIT.failed, `Cannot write ${path}: ${why}`);
  }
}

/** An svinit that does not answer is one more finding. */
const ANSWER_WITHIN_MS = 5000;
/** The last lines of the log of a service that is not as it should be. */
const LOG_LINES = 12;
const KERNEL_LINES = 200;

const RUNTIME: string =
  process.versions['bun'] === undefined
    ? `node ${process.versions.node}`
    : `bun ${process.versions['bun']}`;

/** All services, or why they are not known. */
async function services(): Promise<Results['ls'] | string> {
  try {
    const client = await connect();
    try {
      return await client.request('ls', { names: [] }, { withinMs: ANSWER_WITHIN_MS });
    } finally {
      client.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function serviceSection(all: Results['ls'] | string): Section {
  const title = 'services';
  if (typeof all === 'string') return { title, lines: [], none: all };
  const width = Math.max(0, ...all.services.map(({ name }) => name.length));
  const lines = all.services.map((view) => {
    const why = [view.note, view.cause, waits(view)].filter((text) => text !== '').join('; ');
    const since = durationWords(ms(view.forMs));
    return `${view.name.padEnd(width)}  ${view.state} for ${since}, wanted ${view.want}: ${why}`;
  });
  const problems = all.problems.map((problem) => JSON.stringify(problem));
  return { title, lines: [...lines, ...problems], none: 'none are defined' };
}

const waits = ({ waitingFor }: ServiceView): string =>
  waitingFor.length === 0 ? '' : `waits for ${waitingFor.join(', ')}`;

const GOOD: ReadonlySet<string> = new Set(['up', 'done', 'down', 'waiting']);
const isBad = ({ state }: ServiceView): boolean => !GOOD.has(state);

function logSection({ name }: ServiceView): Section {
  const title = `end of the log of ${name}`;
  const reader = new LogReader(logDirectory(), name);
  const lines: string[] = [];
  try {
    reader.begin(LOG_LINES);
    for (let record = reader.next(); record !== null; record = reader.next()) {
      lines.push(rowText(name, record));
    }
  } catch (error) {
    return { title, lines: [], none: reasonOf(error) };
  } finally {
    reader.close();
  }
  return { title, lines, none: 'it said nothing' };
}

/** The record of a boot in svinit's own log. */
const isMilestone = (line: string): boolean => line.includes('"upAtMs"');

/** Before the end of a boot there is none; the services say since when they are as they are. */
function milestoneSection(): Section {
  const section = fileSection('timings', `${logDirectory()}/svinit/current`, isMilestone);
  return { ...section, none: 'not everything has had its chance yet' };
}

function fileSection(title: string, path: string, isOf = (_: string): boolean => true): Section {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return { title, lines: lines.filter((line) => line !== '' && isOf(line)), none: 'nothing' };
  } catch (error) {
    return { title, lines: [], none: `${path}: ${reasonOf(error)}` };
  }
}

function kernelSection(): Section {
  const title = `last ${KERNEL_LINES} messages of the kernel`;
  try {
    return { title, lines: kernelMessages(KERNEL_LINES), none: 'there are none' };
  } catch (error) {
    return { title, lines: [], none: `/dev/kmsg: ${reasonOf(error)}` };
  }
}

/** `by-uuid/… -> vda1`. */
function diskLinks(): string[] {
  const top = '/dev/disk';
  return entriesOf(top).flatMap((kind) =>
    entriesOf(`${top}/${kind}`).map((name) => {
      const target = readlinkSync(`${top}/${kind}/${name}`).split('/').at(-1) ?? '';
      return `${kind}/${name} -> ${target}`;
    }),
  );
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

const uptime = (): string => linesOf('/proc/uptime')[0]?.split(' ')[0] ?? '?';

const reasonOf = (error: unknown): string => errorCode(error) ?? String(error);
