/**
 * Looks through /proc for the main processes of services: our children that lead a session, told
 * apart by the FIFO they print into or the terminal they are on.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Spec } from '../core/spec.ts';
import type { Survivor } from '../core/survivors.ts';
import { type Millis, ms, type Pid, pid as toPid } from '../core/units.ts';

/** USER_HZ of every 64-bit Linux: /proc/PID/stat counts in it (proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;

/**
 * @param now Nothing began later: /proc counts the time a machine was suspended, our clock not.
 * @param nameOf The service that a descriptor's target, as /proc shows it, belongs to.
 * @param isHeard Whether there is a pipe on which that process will say that it is ready.
 */
export function survey(
  parent: number,
  now: Millis,
  nameOf: (target: string) => string | null,
  isHeard: (pid: Pid) => boolean,
): Survivor[] {
  return readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .flatMap((entry) => {
      const stat = statOf(entry);
      if (stat === null || stat.parent !== parent || stat.session !== Number(entry)) return [];
      const startedAt = ms(Math.min((stat.start * 1000) / TICKS_PER_SECOND, now));
      const pid = toPid(Number(entry));
      return [{ pid, startedAt, name: nameFrom(entry, nameOf), isHeard: isHeard(pid) }];
    });
}

/** The service whose FIFO, or whose terminal, an open file is. */
export function serviceOf(
  { fifos, console }: { readonly fifos: string; readonly console: string | null },
  specs: readonly Spec[],
  target: string,
): string | null {
  const prefix = `${fifos}/`;
  if (target.startsWith(prefix)) return target.slice(prefix.length);
  for (const { name, tty } of specs) {
    const path = tty === 'console' ? console : tty;
    if (path !== null && (path === target || linkOf(path) === target)) return name;
  }
  return null;
}

export type Stat = { readonly parent: number; readonly session: number; readonly start: number };

/**
 * Parent, session and start (in USER_HZ) of a text of /proc/PID/stat; null when it is none. They
 * come behind the name, which may hold blanks, newlines and parentheses (proc_pid_stat(5)).
 */
export function parseStat(text: string): Stat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Field 3 is the first of these: 4 parent, 6 session, 22 start.
  const [parent, session, start] = [fields[1], fields[3], fields[19]].map(numberOf);
  if (parent === undefined || session === undefined || start === undefined) return null;
  return parent === null || session === null || start === null ? null : { parent, session, start };
}

const numberOf = (field: string | undefined): number | null =>
  field !== undefined && /^[0-9]{1,15}$/.test(field) ? Number(field) : null;

/** The same of a process; null when there is none. */
export function statOf(entry: string): Stat | null {
  try {
    return parseStat(readFileSync(`/proc/${entry}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

/** The terminal that is held for a service is found by a link. */
function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function nameFrom(entry: string, nameOf: (target: string) => string | null): string | null {
  for (const fd of ['1', '2', '0']) {
    try {
      const name = nameOf(readlinkSync(`/proc/${entry}/fd/${fd}`));
      if (name !== null) return name;
    } catch {
      // Closed, or a zombie, which has no descriptors any more.
    }
  }
  return null;
}
