/**
 * `svctl doctor`: what svinit has found and chosen, judged line by line. What it knows of itself is
 * asked for; the rest is looked at from here.
 */
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { diagnose, type Finding, type Surroundings } from '../core/doctor.ts';
import { EXIT } from './failure.ts';
import { noNames, type Parsed } from './options.ts';
import type { Session } from './session.ts';
import type { Style } from './terminal.ts';
import { paint, safe } from './words.ts';

const ENTROPY = '/proc/sys/kernel/random/entropy_avail';
const PRESSURE = '/proc/pressure/memory';

export async function doctor(parsed: Parsed, session: Session): Promise<number> {
  noNames(parsed, 'svctl doctor');
  const examined = await session.request('examine', {});
  const findings = diagnose(examined, surroundings(examined.log));
  session.show({ findings, examined }, () => lines(findings, session.style));
  return findings.some(({ is }) => is === 'lost') ? EXIT.failed : EXIT.done;
}

function lines(findings: readonly Finding[], style: Style): string[] {
  const width = Math.max(...findings.map(({ what }) => what.length));
  const rows = findings.flatMap(({ what, is, text, help }) => [
    `${paint(MARKS[is], COLOURS[is], style)}  ${what.padEnd(width)}  ${safe(text)}`,
    ...(help === null ? [] : [`${' '.repeat(MARKS.ok.length + width + 4)}${safe(help)}`]),
  ]);
  const lost = findings.filter(({ is }) => is === 'lost').length;
  return [...rows, lost === 0 ? 'nothing that svinit promises is lost' : `${lost} lost`];
}

const MARKS: Readonly<Record<Finding['is'], string>> = { ok: 'ok  ', less: 'less', lost: 'LOST' };
const COLOURS = { ok: 'green', less: 'yellow', lost: 'red' } as const;

function surroundings(log: string): Surroundings {
  const now = new Date();
  const entropy = Number.parseInt(text(ENTROPY) ?? '', 10);
  return {
    kernel: release(),
    entropy: Number.isNaN(entropy) ? null : entropy,
    clock: { at: now.getTime(), text: now.toISOString() },
    logSpace: spaceOf(log),
    hasPressure: existsSync(PRESSURE) && text(PRESSURE) !== null,
  };
}

function spaceOf(path: string): Surroundings['logSpace'] {
  try {
    const { bsize, bavail, blocks } = statfsSync(path);
    return { free: bsize * bavail, total: bsize * blocks };
  } catch {
    return null;
  }
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
