/**
 * The end: services are down (or out of time), now the rest. What still runs is asked, then
 * killed; file systems are synced and unmounted by disposable children with a deadline; then the
 * machine, or this process, ends. Nothing here can stall the way down.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { SIGCONT, SIGKILL, SIGTERM } from '../core/signals.ts';
import type { HaltKind } from '../core/system.ts';
import { type Pid, pid as toPid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { RebootKind } from '../sys/machine.ts';
import { unmountAll } from './unmount.ts';

export type HaltPorts = {
  readonly kernel: Kernel;
  readonly say: (text: string) => void;
  /** Reaps; called again and again while waiting. */
  readonly reap: () => void;
  /** A real machine: its file systems are ours to put in order, and it is ours to switch off. */
  readonly machine: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** Ends this process for good, with no way back in. */
  readonly exit: (code: number) => never;
};

/**
 * From TERM to KILL for what is no service, in milliseconds: an engine leaves ten seconds in all.
 */
const TERM_WITHIN_MS = { machine: 3000, container: 1000 };
const KILL_WITHIN_MS = 1000;
/** A machine that could not be ended is tried to be ended again. */
const AGAIN_MS = 1000;
/** How often the process table is looked at meanwhile. */
const LOOK_MS = 20;

/** Does not come back, except that the process, or the machine, ends while it is waited for. */
export async function goDown(ports: HaltPorts, kind: HaltKind, code: number): Promise<void> {
  try {
    await finish(ports, kind, code);
  } catch (error) {
    // Whatever went wrong on the way, the way goes down.
    ports.say(`cannot halt in order: ${error instanceof Error ? error.message : String(error)}`);
    if (!ports.machine || kind === 'exit') ports.exit(code === 0 ? 1 : code);
    await endMachine(ports, kind === 'reboot' ? 'restart' : kind);
  }
}

/** Refused or not, PID 1 may not end in another way. */
async function endMachine({ kernel, say }: HaltPorts, kind: RebootKind): Promise<void> {
  for (;;) {
    try {
      return kernel.reboot(kind);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function finish(ports: HaltPorts, kind: HaltKind, code: number): Promise<void> {
  const { kernel, say } = ports;
  // Only PID 1 may sweep: for anyone else "all processes" are other people's.
  if (kernel.getpid() === 1) await killTheRest(ports);
  if (ports.machine) await unmountAll(ports);
  if (kind === 'exit' || !ports.machine) {
    say(`exit ${code}`);
    ports.exit(code);
  }
  say(WORDS[kind]);
  await endMachine(ports, kind === 'reboot' ? 'restart' : kind);
}

const WORDS: Readonly<Record<Exclude<HaltKind, 'exit'>, string>> = {
  poweroff: 'power off',
  reboot: 'restart',
  halt: 'halted',
};

async function killTheRest(ports: HaltPorts): Promise<void> {
  const rest = others();
  if (rest.length === 0) return;
  ports.say(`ending ${rest.length} other processes`);
  signalAll(ports.kernel, rest, SIGTERM);
  signalAll(ports.kernel, rest, SIGCONT);
  if (await gone(ports, TERM_WITHIN_MS[ports.machine ? 'machine' : 'container'])) return;
  const stubborn = others();
  ports.say(`killing ${stubborn.length} that did not end`);
  signalAll(ports.kernel, stubborn, SIGKILL);
  if (await gone(ports, KILL_WITHIN_MS)) return;
  ports.say(`going on without ${others().length} that cannot be killed`);
}

function signalAll(kernel: Kernel, pids: readonly Pid[], signal: number): void {
  for (const pid of pids) {
    try {
      kernel.kill(pid, signal);
    } catch {
      // Not allowed to: it is counted among those that did not end.
    }
  }
}

async function gone(ports: HaltPorts, withinMs: number): Promise<boolean> {
  const until = ports.kernel.monotonic() + withinMs;
  for (;;) {
    ports.reap();
    if (others().length === 0) return true;
    if (ports.kernel.monotonic() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/**
 * Every process but us, kernel threads and storage daemons, which mark themselves by an argv[0]
 * that begins with '@' (systemd.io, ROOT_STORAGE_DAEMONS). Only root's may: others would only
 * like to live on.
 */
function others(): Pid[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && name !== '1' && name !== String(process.pid))
    .filter((name) => {
      const commandLine = textOf(`/proc/${name}/cmdline`);
      if (commandLine === '') return false;
      return !commandLine.startsWith('@') || !isOfRoot(name);
    })
    .map((name) => toPid(Number(name)));
}

function isOfRoot(pid: string): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === 0;
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
