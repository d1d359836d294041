/**
 * Looks through /proc for the main processes of services: our children that lead a session, told
 * apart by the FIFO they print into or the terminal they are on.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Spec } from '../core/spec.ts';
import type { Survivor } from '../core/survivors.ts';
import { type Millis, ms, type Pid, pid as toPid } from '../core/units.ts';
import { type FifoPlaces, fifoAt, readerOf } from './fifos.ts';

/** USER_HZ of every 64-bit Linux: /proc/PID/stat counts in it (proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;

/**
 * @param now Nothing began later: /proc counts the time a machine was suspended, our clock not.
 * @param nameOf The service that a descriptor and its target, as /proc shows it, belong to.
 * @param known Services by the main processes they are said to have: one that a service has named
 * itself (sd_notify(3), MAINPID) need be no child of ours, nor lead a session.
 * @param isHeard Whether there is a pipe on which that process will say that it is ready.
 */
export function survey(
  parent: number,
  now: Millis,
  nameOf: (target: string, fd: string) => string | null,
  isHeard: (pid: Pid) => boolean,
  known: ReadonlyMap<Pid, string> = new Map(),
): Survivor[] {
  return readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .flatMap((entry) => {
      const stat = statOf(entry);
      if (stat === null) return [];
      const isOurs = stat.parent === parent && stat.session === Number(entry);
      if (!isOurs && !known.has(toPid(Number(entry)))) return [];
      const startedAt = ms(Math.min((stat.start * 1000) / TICKS_PER_SECOND, now));
      const pid = toPid(Number(entry));
      return [{ pid, startedAt, name: nameFrom(entry, nameOf), isHeard: isHeard(pid) }];
    });
}

/**
 * The service whose FIFO, or whose terminal, the descriptor `fd` is. Stdout in a pipe tells only
 * who may be behind it: where stderr is there too, one that is the pipe's only writer.
 */
export function serviceOf(
  { paths, console }: { readonly paths: FifoPlaces; readonly console: string | null },
  specs: readonly Spec[],
  target: string,
  fd: string,
): string | null {
  const fifo = fifoAt(paths, target);
  const reader = fifo === null ? null : readerOf(fifo);
  if (reader !== null && fd === '0') return reader;
  if (reader !== null) {
    const writers = specs.filter(({ output }) => output === reader);
    return fd === '2' && writers.length === 1 ? (writers[0]?.name ?? null) : null;
  }
  if (fifo !== null) return fifo;
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

function nameFrom(
  entry: string,
  nameOf: (target: string, fd: string) => string | null,
): string | null {
  for (const fd of ['1', '2', '0']) {
    try {
      const name = nameOf(readlinkSync(`/proc/${entry}/fd/${fd}`), fd);
      if (name !== null) return name;
    } catch {
      // Closed, or a zombie, which has no descriptors any more.
    }
  }
  return null;
}
