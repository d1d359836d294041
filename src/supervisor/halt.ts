/**
 * The end: services are down (or out of time), now the rest. What still runs is asked, then
 * killed; file systems are synced and unmounted by disposable children with a deadline; then the
 * machine, or this process, ends. Nothing here can stall the way down.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { HaltKind, SwitchTarget } from '../core/halt.ts';
import { SIGCONT, SIGKILL, SIGTERM } from '../core/signals.ts';
import { type Pid, pid as toPid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { RebootKind } from '../sys/machine.ts';
import { wordsOf } from './let-go.ts';
import { type RescuePorts, rescue } from './rescue.ts';
import { switchRoot } from './switch-root.ts';
import { unmountAll } from './unmount.ts';
import { goBack, hasWayBack } from './way-back.ts';

export type HaltPorts = {
  readonly kernel: Kernel;
  readonly say: (text: string) => void;
  /** Reaps; called again and again while waiting. */
  readonly reap: () => void;
  /** A real machine: its file systems are ours to put in order, and it is ours to switch off. */
  readonly machine: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** The terminal behind /dev/console; null when there is none. */
  readonly console: string | null;
  /** Directories of svinit: what is mounted there ends with it. */
  readonly own: readonly string[];
  readonly pauseBeforeHandover?: () => Promise<void>;
  /** An image made for s6-overlay may ask for another time from TERM to KILL. */
  readonly overlay?: { readonly settings: { readonly killWithin: number } } | null;
  readonly wishes?: NonNullable<RescuePorts['wishes']>;
  /** The watchdog is the next init's, if it wants it. */
  readonly disarm: () => void;
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

/** What is to be done; `code` is that of a container. */
export type HaltOrder = {
  readonly kind: HaltKind;
  readonly code: number;
  readonly to: SwitchTarget | null;
};

/** Does not come back, except that the process, or the machine, ends while it is waited for. */
export async function goDown(ports: HaltPorts, order: HaltOrder): Promise<void> {
  const { kind, code } = order;
  try {
    await finish(ports, order);
  } catch (error) {
    // Whatever went wrong on the way, the way goes down.
    ports.say(`cannot halt in order: ${wordsOf(error)}`);
    if (!ports.machine || kind === 'exit') ports.exit(code === 0 ? 1 : code);
    await endMachine(ports, REBOOTS[kind]);
  }
}

/** Refused or not, PID 1 may not end in another way. */
async function endMachine(ports: HaltPorts, kind: RebootKind): Promise<void> {
  const { kernel, say } = ports;
  for (;;) {
    try {
      return kernel.reboot(kind);
    } catch (error) {
      say(wordsOf(error));
      // Whatever had been loaded is not there any more: the machine has to come back all the same.
      if (kind === 'kexec') return endMachine(ports, 'restart');
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function finish(ports: HaltPorts, { kind, code, to }: HaltOrder): Promise<void> {
  const { kernel, say } = ports;
  // Only PID 1 may sweep: for anyone else "all processes" are other people's.
  if (kernel.getpid() === 1) await killTheRest(ports);
  if (to !== null) return handOver(ports, to);
  if (ports.machine) await unmountAll(ports);
  if (kind === 'exit' || !ports.machine) {
    say(`exit ${code}`);
    ports.exit(code);
  }
  if (kind !== 'switch-root' && hasWayBack()) {
    try {
      say(`${kind} from the initramfs`);
      goBack(kernel, kind);
    } catch (error) {
      say(`cannot go back to the initramfs: ${wordsOf(error)}`);
    }
  }
  say(WORDS[kind]);
  await endMachine(ports, REBOOTS[kind]);
}

/** The file systems stay mounted: they are the next init's. Fails at a console, not in a panic. */
async function handOver(ports: HaltPorts, to: SwitchTarget): Promise<void> {
  const { kernel, say } = ports;
  await ports.pauseBeforeHandover?.();
  say(`${to.init} on ${to.root} becomes PID 1`);
  ports.disarm();
  try {
    switchRoot(ports, to);
  } catch (error) {
    await rescue(kernel, { ...ports, why: `no other init: ${wordsOf(error)}` });
  }
}

/** `exit` and `switch-root` only when there was no way to do that. */
const REBOOTS: Readonly<Record<HaltKind, RebootKind>> = {
  poweroff: 'poweroff',
  reboot: 'restart',
  halt: 'halt',
  kexec: 'kexec',
  'switch-root': 'restart',
  exit: 'poweroff',
};

const WORDS: Readonly<Record<Exclude<HaltKind, 'exit'>, string>> = {
  poweroff: 'power off',
  reboot: 'restart',
  halt: 'halted',
  kexec: 'start the kernel that is loaded',
  'switch-root': 'restart',
};

async function killTheRest(ports: HaltPorts): Promise<void> {
  const rest = others();
  if (rest.length === 0) return;
  ports.say(`ending ${rest.length} other processes`);
  signalAll(ports.kernel, rest, SIGTERM);
  signalAll(ports.kernel, rest, SIGCONT);
  const usually = TERM_WITHIN_MS[ports.machine ? 'machine' : 'container'];
  if (await gone(ports, ports.overlay?.settings.killWithin ?? usually)) return;
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
