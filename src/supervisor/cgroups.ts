/**
 * Gives each service a cgroup of its own and empties it when the service is over, so that nothing
 * outlives it. Where there is no tree of our own, or something in it fails, services run without:
 * all but those that ask for limits.
 */
import { existsSync, readFileSync } from 'node:fs';
import {
  cgroupOf,
  isDelegated,
  isLimited,
  isOver,
  limitWrites,
  mayBeOurs,
  OWN_CGROUP,
  OWN_MEMORY_MIN,
  SERVICES_CGROUP,
  serviceIn,
  toEnable,
} from '../core/cgroup.ts';
import { SIGKILL } from '../core/signals.ts';
import type { Spec } from '../core/spec.ts';
import type { Change } from '../core/system.ts';
import { type Pid, pid as toPid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import {
  codeOf,
  directoriesIn,
  make,
  move,
  moveAll,
  pidsOf,
  ROOT,
  read,
  remove,
  removeAll,
  write,
} from './cgroupfs.ts';
import { wordsOf } from './let-go.ts';

export type CgroupPorts = {
  readonly kernel: Pick<Kernel, 'kill'>;
  readonly machine: boolean;
  /** Services by the pid of their process. */
  readonly pids: ReadonlyMap<Pid, string>;
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
  /** Services that have a cgroup, and those of them that are over. */
  readonly #made = new Set<string>();
  readonly #over = new Set<string>();
  /** What failed, so that each reason is told once. */
  readonly #troubles = new Set<string>();
  #isSettledIn = false;

  constructor(ports: CgroupPorts) {
    this.#ports = ports;
    this.#isOpen = this.#open();
  }

  /**
   * Starts a process of `spec` by `start`, in the cgroup of the service. posix_spawn(3) cannot
   * start it there, so it is moved right after its exec, and with it whatever it has made by then.
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
      if (pid === null) {
        this.#over.add(spec.name);
        throw error;
      }
      if (!isLimited(spec)) {
        this.#trouble(`move ${spec.name} into its cgroup`, error);
        return pid;
      }
      // It must not run with less than it asked for.
      this.#ports.kernel.kill(toPid(-pid), SIGKILL);
      throw new Error(`Cannot limit ${spec.name}: ${wordsOf(error)}`);
    }
  }

  /** Follows services: what is left of those that are over is killed. */
  changed(changes: readonly Change[]): void {
    for (const { name, service, spec } of changes) {
      if (!this.#made.has(name) || !isOver(service, spec)) continue;
      this.#over.add(name);
      this.#empty(name);
    }
  }

  /** Kills whatever is in the cgroup of `name`, and below it. */
  kill(name: string): void {
    if (!this.#made.has(name)) return;
    const group = groupOf(name);
    try {
      if (existsSync(`${group}/cgroup.kill`)) write(group, 'cgroup.kill', '1');
      // Before Linux 5.14. What was forked meanwhile is found by the next look.
      else for (const pid of pidsOf(group)) this.#ports.kernel.kill(pid, SIGKILL);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#trouble(`kill what ${name} left`, error);
    }
  }

  /** Called from the reconcile tick: what was killed takes its time to go. */
  look(): void {
    if (!this.#isOpen) return;
    if (!this.#isSettledIn) this.#settleIn();
    for (const name of this.#over) this.#empty(name);
  }

  /** Makes the tree, or finds that of the image before. */
  #open(): boolean {
    const { machine } = this.#ports;
    // The runtime's own word: a simulated life must not touch the cgroups of the real host.
    if (process.pid !== 1) return false;
    try {
      const own = readFileSync('/proc/self/cgroup', 'latin1');
      if (!mayBeOurs({ own, machine })) return false;
      if (!existsSync(`${ROOT}/cgroup.controllers`)) return false;
      const isShared = !machine && !isDelegated(typeOf(ROOT), read(ROOT, 'cgroup.procs'));
      if (isShared) return false;
      for (const group of [OWN, SERVICES]) make(group);
      write(OWN, 'cgroup.procs', ITSELF);
    } catch (error) {
      // A container whose tree is not for it to change is what most are.
      if (machine) this.#trouble('have cgroups', error);
      return false;
    }
    for (const group of [ROOT, SERVICES]) this.#enable(group);
    if (existsSync(`${OWN}/memory.min`)) {
      this.#try('keep memory for svinit', () => write(OWN, 'memory.min', OWN_MEMORY_MIN));
    }
    this.#try('find the cgroups of services', () => {
      for (const name of directoriesIn(SERVICES)) this.#made.add(serviceIn(name));
    });
    return true;
  }

  #enable(group: string): void {
    const file = 'cgroup.subtree_control';
    this.#try('see the controllers of cgroups', () => {
      for (const name of toEnable(read(group, 'cgroup.controllers'), read(group, file))) {
        this.#try(`limit ${name} of services`, () => write(group, file, `+${name}`));
      }
    });
  }

  /**
   * Makes the cgroup of `spec`, with its limits. Null when there is none and it may do without.
   * @throws {Error} when it may not.
   */
  #prepare(spec: Spec): string | null {
    const { name } = spec;
    const group = groupOf(name);
    try {
      if (!this.#isOpen) throw new Error('there is no cgroup v2 here that is for svinit to change');
      const isGone = this.#over.has(name) ? removeAll(group) : remove(group);
      const isFresh = isGone && make(group);
      this.#over.delete(name);
      this.#made.add(name);
      for (const { file, text, isAsked } of limitWrites(spec.cgroup ?? {}, isFresh)) {
        if (isAsked) write(group, file, text);
        else if (existsSync(`${group}/${file}`)) write(group, file, text);
      }
      return group;
    } catch (error) {
      if (isLimited(spec)) throw new Error(`Cannot limit ${name}: ${wordsOf(error)}`);
      if (this.#isOpen) this.#trouble(`make the cgroup of ${name}`, error);
      return null;
    }
  }

  /** Kills what is left, and removes the cgroup as soon as nothing lives in it. */
  #empty(name: string): void {
    if (!remove(groupOf(name))) {
      this.kill(name);
      if (!removeAll(groupOf(name))) return;
    }
    this.#over.delete(name);
    this.#made.delete(name);
  }

  /** An image may have died between the start of a process and its move; and nobody tidied up. */
  #settleIn(): void {
    this.#isSettledIn = true;
    this.#try('go on with the cgroups of the image before', () => {
      for (const pid of pidsOf(OWN)) {
        const name = this.#ports.pids.get(pid);
        if (name !== undefined && this.#made.has(name)) move(groupOf(name), pid);
      }
      for (const name of this.#made) if (remove(groupOf(name))) this.#made.delete(name);
    });
  }

  #try(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#trouble(what, error);
    }
  }

  #trouble(what: string, error: unknown): void {
    const reason = wordsOf(error);
    if (this.#troubles.has(reason)) return;
    this.#troubles.add(reason);
    this.#ports.warn(`Cannot ${what}: ${reason}`);
  }
}

const groupOf = (name: string): string => `${SERVICES}/${cgroupOf(name)}`;

/** Null for a root, which has no such file. */
function typeOf(group: string): string | null {
  return existsSync(`${group}/cgroup.type`) ? read(group, 'cgroup.type') : null;
}
