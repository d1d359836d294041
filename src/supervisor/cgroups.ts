/**
 * Gives each service a cgroup of its own and empties it when the service is over, so that nothing
 * outlives it. Where there is no tree of our own, or something in it fails, services run without:
 * all but those that ask for limits.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isLimited, isOver, OWN_CGROUP, SERVICES_CGROUP } from '../core/cgroup.ts';
import type { Examined } from '../core/examined.ts';
import { SIGKILL } from '../core/signals.ts';
import { type Slice, serviceDirectory, sliceDirectory } from '../core/slices.ts';
import type { Spec } from '../core/spec.ts';
import type { Change } from '../core/system.ts';
import { type Pid, pid as toPid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import {
  delegate,
  disabledIn,
  enable,
  findServices,
  isForUs,
  killAll,
  killsIn,
  limit,
  make,
  move,
  moveAll,
  pidsOf,
  ROOT,
  remove,
  removeAll,
  write,
} from './cgroupfs.ts';
import { wordsOf } from './let-go.ts';
import { Troubles } from './troubles.ts';

export type CgroupPorts = {
  readonly kernel: Pick<Kernel, 'kill'>;
  readonly machine: boolean;
  /** Bytes kept for svinit itself. */
  readonly memoryMin: number;
  /** Services by the pid of their process. */
  readonly pids: ReadonlyMap<Pid, string>;
  /** The slice of a service, as it is defined now; null: none. */
  readonly sliceOf: (name: string) => Slice | null;
  readonly warn: (text: string) => void;
};

const OWN = `${ROOT}/${OWN_CGROUP}`;
const SERVICES = `${ROOT}/${SERVICES_CGROUP}`;
/** In `cgroup.procs`: whoever writes (cgroup_procs_write_start, kernel/cgroup/cgroup.c). */
const ITSELF = '0';

export class Cgroups {
  readonly #ports: CgroupPorts;
  /** There is a tree of ours; without it nothing here does anything. */
  readonly #isOpen: boolean;
  /** The directories of services that have a cgroup, and those that are to be emptied. */
  readonly #made = new Map<string, string>();
  readonly #over = new Set<string>();
  /** The OOM kills there had been in each before its service started. */
  readonly #kills = new Map<string, number>();
  readonly #troubles: Troubles;
  #isSettledIn = false;

  constructor(ports: CgroupPorts) {
    this.#ports = ports;
    this.#troubles = new Troubles(ports.warn);
    this.#isOpen = this.#open();
  }

  /**
   * Starts a process of `spec` by `start`, in the cgroup of the service: it is moved there right
   * after its exec, and with it whatever it has made by then.
   * @throws what `start` throws, and {Error} when the limits it asks for cannot be had.
   */
  start(spec: Spec, start: () => Pid): Pid {
    const group = this.#prepare(spec);
    if (group === null) return start();
    let pid: Pid | null = null;
    try {
      const before = new Set(pidsOf(OWN));
      pid = start();
      moveAll(OWN, group, before, pid);
      return pid;
    } catch (error) {
      if (pid === null) this.#over.add(group);
      if (pid === null) throw error;
      if (!this.#isBound(spec)) {
        this.#troubles.tell(`move ${spec.name} into its cgroup`, error);
        return pid;
      }
      // It must not run with less than it asked for.
      this.#ports.kernel.kill(toPid(-pid), SIGKILL);
      throw new Error(`Cannot limit ${spec.name}: ${wordsOf(error)}`);
    }
  }

  /** Processes of the service of `pid` that were killed for want of memory since it started. */
  oomKills(pid: Pid): number {
    const name = this.#ports.pids.get(pid);
    const group = name === undefined ? undefined : this.#made.get(name);
    if (name === undefined || group === undefined) return 0;
    return Math.max(0, killsIn(group) - (this.#kills.get(name) ?? 0));
  }

  /** For `svctl doctor`. */
  get facts(): Examined['cgroups'] {
    return { isOpen: this.#isOpen, troubles: this.#troubles.reasons };
  }

  /** Follows services: what is left of those that are over is killed. */
  changed(changes: readonly Change[]): void {
    for (const { name, service, spec } of changes) {
      const group = isOver(service, spec) ? this.#made.get(name) : undefined;
      if (group === undefined) continue;
      this.#over.add(group);
      this.#empty(group);
    }
  }

  /** Kills whatever is in the cgroup of `name`, and below it. */
  kill(name: string): void {
    const group = this.#made.get(name);
    if (group !== undefined) this.#kill(group);
  }

  /** Called from the reconcile tick: what was killed takes its time to go. */
  look(): void {
    if (!this.#isOpen) return;
    if (!this.#isSettledIn) this.#settleIn();
    for (const group of this.#over) this.#empty(group);
  }

  /** Makes the tree, or finds that of the image before. */
  #open(): boolean {
    // The runtime's own word: a simulated life must not touch the cgroups of the real host.
    if (process.pid !== 1) return false;
    try {
      if (!isForUs(this.#ports.machine)) return false;
      for (const group of [OWN, SERVICES]) make(group);
      write(OWN, 'cgroup.procs', ITSELF);
    } catch (error) {
      // A container whose tree is not for it to change is what most are.
      if (this.#ports.machine) this.#troubles.tell('have cgroups', error);
      return false;
    }
    for (const group of [ROOT, SERVICES]) this.#enable(group);
    const memoryMin = String(this.#ports.memoryMin);
    if (existsSync(`${OWN}/memory.min`)) {
      this.#troubles.try('keep memory for svinit', () => write(OWN, 'memory.min', memoryMin));
    }
    this.#troubles.try('find the cgroups of services', () => {
      for (const [name, group] of findServices(SERVICES)) {
        this.#made.set(name, group);
        this.#kills.set(name, killsIn(group));
      }
    });
    return true;
  }

  #enable(group: string): void {
    this.#troubles.try('see the controllers of cgroups', () => {
      for (const name of disabledIn(group)) {
        this.#troubles.try(`limit ${name} of services`, () => enable(group, name));
      }
    });
  }

  /**
   * Makes the cgroup of `spec`, with its limits. Null when there is none and it may do without.
   * @throws {Error} when it may not.
   */
  #prepare(spec: Spec): string | null {
    const { name } = spec;
    const slice = this.#ports.sliceOf(name);
    try {
      if (!this.#isOpen) throw new Error('there is no cgroup v2 here that is for svinit to change');
      const group = this.#placeOf(name, slice);
      if (slice !== null) this.#makeSlice(slice);
      const isGone = this.#over.has(group) ? removeAll(group) : remove(group);
      const isFresh = isGone && make(group);
      this.#over.delete(group);
      this.#made.set(name, group);
      limit(group, spec.cgroup ?? {}, isFresh);
      this.#kills.set(name, isFresh ? 0 : killsIn(group));
      const uid = spec.cgroup?.delegate;
      if (uid !== undefined) delegate(group, Number(uid));
      return group;
    } catch (error) {
      if (this.#isBound(spec)) throw new Error(`Cannot limit ${name}: ${wordsOf(error)}`);
      if (this.#isOpen) this.#troubles.tell(`make the cgroup of ${name}`, error);
      return null;
    }
  }

  /** It must not run outside of its cgroup. */
  #isBound(spec: Spec): boolean {
    return isLimited(spec) || this.#ports.sliceOf(spec.name) !== null;
  }

  /** Where it is while anything of it is left, whatever its definition says by now. */
  #placeOf(name: string, slice: Slice | null): string {
    const known = this.#made.get(name);
    if (known !== undefined && !this.#over.has(known)) return known;
    return `${SERVICES}/${serviceDirectory(name, slice)}`;
  }

  /** @throws {Error} when its limits cannot be had. */
  #makeSlice({ bundle, limits }: Slice): void {
    const group = `${SERVICES}/${sliceDirectory(bundle)}`;
    limit(group, limits, make(group));
    this.#enable(group);
  }

  /** Kills what is left, and removes the cgroup as soon as nothing lives in it. */
  #empty(group: string): void {
    if (!remove(group)) {
      this.#kill(group);
      if (!removeAll(group)) return;
    }
    this.#gone(group);
  }

  #kill(group: string): void {
    const { kernel } = this.#ports;
    this.#troubles.try(`empty ${group}`, () => killAll(group, (pid) => kernel.kill(pid, SIGKILL)));
  }

  /** A slice goes with the last of its services; one with others in it stays (rmdir(2)). */
  #gone(group: string): void {
    this.#over.delete(group);
    for (const [name, made] of this.#made) if (made === group) this.#made.delete(name);
    const above = dirname(group);
    if (above !== SERVICES) remove(above);
  }

  /** An image may have died between the start of a process and its move; and nobody tidied up. */
  #settleIn(): void {
    this.#isSettledIn = true;
    this.#troubles.try('go on with the cgroups of the image before', () => {
      for (const pid of pidsOf(OWN)) {
        const name = this.#ports.pids.get(pid);
        const group = name === undefined ? undefined : this.#made.get(name);
        if (group !== undefined) move(group, pid);
      }
      for (const group of this.#made.values()) if (remove(group)) this.#gone(group);
    });
  }
}
