/**
 * What comes from outside the loop: signals, errors that nobody caught, and the runtime's wish to
 * end. None of them may end PID 1.
 */
import { SIGTERM, signalNumber } from '../core/signals.ts';
import type { Pid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { wordsOf } from './let-go.ts';
import type { Supervisor } from './supervisor.ts';

/** Blocked over an exec so that none is lost; Bun keeps the mask, Node clears it by itself. */
const HANDLED: readonly number[] = [1, 2, 10, 12, 15, 17, 29];

/**
 * Routes the signals of PID 1: CHLD and IO are hints, TERM stops, INT (ctrl-alt-del on a machine)
 * restarts, HUP scans, USR1 rebuilds the sockets, USR2 re-execs.
 */
export function listenToSignals(kernel: Kernel, supervisor: Supervisor, machine: boolean): void {
  listenToHints(supervisor);
  process.on('SIGTERM', () => {
    const kind = machine ? 'poweroff' : 'exit';
    supervisor.post({ type: 'halt', kind, cause: 'SIGTERM' });
  });
  process.on('SIGINT', () => {
    supervisor.post({ type: 'halt', kind: machine ? 'reboot' : 'exit', cause: 'SIGINT' });
  });
  process.on('SIGUSR1', () => supervisor.rebuildSockets());
  process.on('SIGUSR2', () => supervisor.reexec(null, null));
  unblock(kernel, supervisor);
}

/**
 * In an image made for s6-overlay: what its init takes for a way down is one, whichever (see
 * s6-linux-init-maker(8), "-C"), or all of them are for the command.
 * @param command Gives the process of the command; null when it is to get none.
 */
export function listenAsOverlay(
  kernel: Kernel,
  supervisor: Supervisor,
  command: (() => Pid | null) | null,
): void {
  listenToHints(supervisor);
  for (const signal of command === null ? WAYS_DOWN : DIVERTED) {
    process.on(signal, () => {
      const pid = command?.() ?? null;
      // Without a command that runs nobody else is meant.
      if (pid !== null) kernel.kill(pid, signalNumber(signal) ?? SIGTERM);
      else if (WAYS_DOWN.includes(signal)) {
        supervisor.post({ type: 'halt', kind: 'exit', cause: signal });
      }
    });
  }
  unblock(kernel, supervisor);
}

const WAYS_DOWN: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGUSR2', 'SIGPWR'];
const DIVERTED: readonly NodeJS.Signals[] = [...WAYS_DOWN, 'SIGQUIT', 'SIGWINCH'];

function listenToHints(supervisor: Supervisor): void {
  process.on('SIGCHLD', () => supervisor.childEnded());
  process.on('SIGIO', () => supervisor.sweep());
  process.on('SIGHUP', () => supervisor.rescan());
}

function unblock(kernel: Kernel, supervisor: Supervisor): void {
  try {
    kernel.sigUnblock(HANDLED);
  } catch (error) {
    // Each is a hint or a wish; the world is looked at without them too.
    supervisor.journal.error(wordsOf(error));
  }
}

/**
 * Errors that nobody caught are logged and survived; if the runtime ends all the same, its last
 * act is to start a fresh image that goes on with everything.
 */
export function reviveAtExit(supervisor: Supervisor, ending: { readonly yes: boolean }): void {
  const log = (what: string, error: unknown): void => {
    try {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      supervisor.journal.error(`${what}: ${reason}`);
    } catch {
      // The error of an error handler has nowhere left to go.
    }
  };
  process.on('uncaughtException', (error) => log('Uncaught error', error));
  process.on('unhandledRejection', (reason) => log('Unhandled rejection', reason));
  process.on('exit', (code) => {
    if (ending.yes) return;
    log('The runtime ends', `exit code ${code}`);
    supervisor.revive();
  });
  closeBackDoors(supervisor, ending);
}

/** Ways out that no event tells of: both runtimes have them, and a package may know them. */
function closeBackDoors(supervisor: Supervisor, ending: { readonly yes: boolean }): void {
  const doors = process as unknown as {
    abort: () => never;
    reallyExit: (code?: number) => never;
  };
  const reallyExit = doors.reallyExit;
  doors.reallyExit = (code) => {
    if (!ending.yes) supervisor.revive();
    return reallyExit.call(process, code);
  };
  doors.abort = () => {
    supervisor.revive();
    return reallyExit.call(process, 1);
  };
}
