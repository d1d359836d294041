/**
 * Every child that has ended, own or adopted, is waited for here and nowhere else. SIGCHLD is
 * only a hint: the reconcile tick calls this too.
 */
import { decodeStatus, type Exit } from '../core/exit.ts';
import type { System } from '../core/system.ts';
import type { Pid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Parts } from './parts.ts';

export type ReaperPorts = {
  readonly kernel: Pick<Kernel, 'monotonic' | 'peekAny' | 'reap'>;
  readonly system: Pick<System, 'errands' | 'pids'>;
  readonly cgroups: Pick<Parts['cgroups'], 'oomKills'>;
  readonly looker: Pick<Parts['looker'], 'ended'>;
  readonly loop: Pick<Parts['loop'], 'gather' | 'isQuiet' | 'post'>;
  readonly spawner: Pick<Parts['spawner'], 'forget'>;
  readonly trial: Pick<Parts['trial'], 'ended'>;
};

/** The runtime's loop, and with it clients, gets its turn again after so long. */
const BURST_MS = 5;
/** So many are reaped between two looks at the clock: a stranger costs hardly more than a look. */
const UNTIMED = 8;

export class Reaper {
  readonly #ports: ReaperPorts;
  #isDue = false;

  constructor(ports: ReaperPorts) {
    this.#ports = ports;
  }

  /** Takes whoever has ended; those who are too many after what the loop has to do meanwhile. */
  reap(): void {
    if (!this.#ports.loop.gather(() => this.#burst()) || this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.reap();
    });
  }

  /**
   * Reports each child that has ended, and lets the kernel forget it only then: should this image
   * die in between, the next one is told the same. Gives whether there may be more.
   */
  #burst(): boolean {
    const { kernel } = this.#ports;
    const until = kernel.monotonic() + BURST_MS;
    for (let count = 1; ; count += 1) {
      const ended = kernel.peekAny();
      if (ended === null) return false;
      let isGone = false;
      try {
        this.#report(ended.pid, decodeStatus(ended.status));
      } finally {
        isGone = kernel.reap(ended.pid);
      }
      // It would be found again at once, and again: it has time until the next look.
      if (!isGone) return false;
      if (count % UNTIMED === 0 && kernel.monotonic() >= until) return true;
    }
  }

  #report(pid: Pid, exit: Exit): void {
    const { cgroups, looker, loop, spawner, system, trial } = this.#ports;
    if (trial.ended(pid, exit) || looker.ended(pid, exit)) return;
    spawner.forget(pid);
    // A stranger that was given to PID 1: reaping it is all there is to do.
    if (!system.pids.has(pid) && !system.errands.has(pid) && loop.isQuiet()) return;
    loop.post({ type: 'exited', pid, exit, oomKills: cgroups.oomKills(pid) });
  }
}
