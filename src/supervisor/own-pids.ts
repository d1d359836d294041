/**
 * A service whose process is the first of a pid namespace (`flag-newpidns` of s6-supervise(8)).
 * unshare(1) starts it there, waits for it and ends as it does; with it everything in the namespace
 * ends, and it ends with unshare. Signals are for the process itself, so it is looked for: all but
 * KILL, which ends both. One that others kill so is told as exit 1 by unshare of util-linux 2.38.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { SIGKILL } from '../core/signals.ts';
import type { Command } from '../core/spec.ts';
import type { System, SystemEffect } from '../core/system.ts';
import { type Pid, pid as toPid } from '../core/units.ts';
import { statOf } from './survey.ts';

const UNSHARE = '/usr/bin/unshare';
/** linux/capability.h: what clone(2) asks for with CLONE_NEWPID. */
const CAP_SYS_ADMIN = 21n;

/**
 * `command` in a pid namespace of its own.
 * @throws {Error} when this process may not make one.
 */
export function withOwnPids({ path, argv }: Command): Command {
  const status = readFileSync('/proc/self/status', 'latin1');
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if ((capabilities & (1n << CAP_SYS_ADMIN)) === 0n) {
    throw new Error(`Cannot start ${path} in a pid namespace of its own: CAP_SYS_ADMIN is missing`);
  }
  const words = ['unshare', '--pid', '--fork', '--kill-child=KILL', '--', path];
  return { path: UNSHARE, argv: [...words, ...argv.slice(1)] };
}

/** Whom kill(2) is to be told for a signal of a service: a process, or with a minus its group. */
export function meantBy(
  system: Pick<System, 'pids' | 'units'>,
  { pid, signal, group }: Extract<SystemEffect, { do: 'signal' }>,
): Pid {
  if (group) return toPid(-pid);
  return signal !== SIGKILL && isFirstOfPids(system, pid) ? firstOf(pid) : pid;
}

/** The process that `unshare`, one of those, has started; itself as long as there is none. */
function firstOf(unshare: Pid): Pid {
  for (const entry of readdirSync('/proc')) {
    if (/^[0-9]+$/.test(entry) && statOf(entry)?.parent === unshare) return toPid(Number(entry));
  }
  return unshare;
}

/** Whether `pid` is the main process of such a service, as svinit knows it. */
function isFirstOfPids({ pids, units }: Pick<System, 'pids' | 'units'>, pid: Pid): boolean {
  const unit = units.get(pids.get(pid) ?? '');
  const at = unit?.service.phase.at;
  return unit?.spec.ownPids === true && at !== 'finishing' && at !== 'undoing';
}
