/**
 * Reads what services and the machine use, for `svctl top`: from the cgroups of svinit where it has
 * them, else from /proc, of main processes alone. What cannot be read is not known; nothing here
 * fails.
 */
import { readFileSync } from 'node:fs';
import {
  cgroupUsage,
  loadOf,
  memoryOf,
  NO_PRESSURE,
  NO_USAGE,
  type Pressure,
  pressureIn,
  processorsOf,
  processUsage,
  type Usage,
} from '../core/figures.ts';
import type { ServiceView } from '../core/methods.ts';
import { placeOf, sliceDirectory } from '../core/slices.ts';

export type Figures = Usage & {
  /** Of one processor since the last look; null at the first. */
  readonly cpuPercent: number | null;
  readonly pressure: Pressure;
  /** The bundle whose limits it shares; null: none. */
  readonly slice: string | null;
};

export type MachineFigures = {
  /** Of all processors since the last look. */
  readonly cpuPercent: number | null;
  readonly memory: { readonly used: number; readonly total: number } | null;
  readonly load: { readonly load: number; readonly tasks: number } | null;
  readonly pressure: Pressure;
  /** Figures are those of cgroups; false: of main processes alone. */
  readonly hasCgroups: boolean;
};

export type Looked = {
  readonly machine: MachineFigures;
  /** By service. */
  readonly services: ReadonlyMap<string, Figures>;
  /** By bundle. */
  readonly slices: ReadonlyMap<string, Figures>;
};

export const NOTHING_LOOKED_AT: Looked = {
  machine: { cpuPercent: null, memory: null, load: null, pressure: NO_PRESSURE, hasCgroups: false },
  services: new Map(),
  slices: new Map(),
};

/** Where cgroup2 is mounted, and where svinit has the cgroups of its services in it. */
const CGROUPS = '/sys/fs/cgroup';
const SERVICES = `${CGROUPS}/svinit.services`;

export class Gauge {
  /** Processor time at the last look, by what it is of. */
  #before = new Map<string, number>();
  #after = new Map<string, number>();
  #processors: ReturnType<typeof processorsOf> = null;
  #lookedAt = 0;
  #elapsed = 0;

  /**
   * @param isSeen Whose pressure is asked for: the kernel computes it anew for each who asks.
   * @param now Milliseconds of a clock that only goes on.
   */
  look(services: readonly ServiceView[], isSeen: (name: string) => boolean, now: number): Looked {
    this.#elapsed = this.#lookedAt === 0 ? 0 : now - this.#lookedAt;
    this.#lookedAt = now;
    this.#after = new Map();
    const found = new Map<string, Figures>();
    const bundles = new Set<string>();
    let hasCgroups = false;
    for (const { name, pid } of services) {
      if (pid === null) continue;
      const place = placeOf(text(`/proc/${pid}/cgroup`) ?? '');
      const group = place?.service === name ? `${CGROUPS}${place.path}` : null;
      hasCgroups ||= group !== null;
      if (place?.bundle) bundles.add(place.bundle);
      const figures = group === null ? this.#ofProcess(pid) : this.#ofCgroup(group, isSeen(name));
      found.set(name, { ...figures, slice: place?.bundle ?? null });
    }
    const slices = [...bundles].map((bundle): [string, Figures] => {
      const group = `${SERVICES}/${sliceDirectory(bundle)}`;
      return [bundle, { ...this.#ofCgroup(group, true), slice: bundle }];
    });
    this.#before = this.#after;
    return { machine: this.#machine(hasCgroups), services: found, slices: new Map(slices) };
  }

  #ofCgroup(group: string, withPressure: boolean): Omit<Figures, 'slice'> {
    const usage = cgroupUsage(
      text(`${group}/cpu.stat`),
      text(`${group}/memory.current`),
      text(`${group}/pids.current`),
    );
    const pressure = withPressure ? pressureOf((kind) => `${group}/${kind}.pressure`) : NO_PRESSURE;
    return { ...usage, cpuPercent: this.#percent(group, usage), pressure };
  }

  #ofProcess(pid: number): Omit<Figures, 'slice'> {
    const of = `/proc/${pid}`;
    const usage = processUsage(text(`${of}/stat`), text(`${of}/status`));
    return { ...usage, cpuPercent: this.#percent(of, usage), pressure: NO_PRESSURE };
  }

  #percent(of: string, { cpuMs }: Usage): number | null {
    if (cpuMs === null) return null;
    this.#after.set(of, cpuMs);
    const before = this.#before.get(of);
    // One that is younger than the last look has used what it has used since.
    if (this.#elapsed <= 0) return null;
    return (Math.max(0, cpuMs - (before ?? 0)) / this.#elapsed) * 100;
  }

  #machine(hasCgroups: boolean): MachineFigures {
    const before = this.#processors;
    const now = processorsOf(text('/proc/stat'));
    this.#processors = now;
    const ticks = before === null || now === null ? 0 : now.all - before.all;
    const busy = before === null || now === null ? 0 : now.busy - before.busy;
    // In a container the root of the cgroups is its own, and tells of it alone.
    const own = pressureOf((kind) => `${CGROUPS}/${kind}.pressure`);
    const hasOwn = own.cpu !== null || own.memory !== null;
    return {
      cpuPercent: ticks <= 0 ? null : (busy / ticks) * 100,
      memory: memoryOf(text('/proc/meminfo')),
      load: loadOf(text('/proc/loadavg')),
      pressure: hasOwn ? own : pressureOf((kind) => `/proc/pressure/${kind}`),
      hasCgroups,
    };
  }
}

/** Of what is not running. */
export const NO_FIGURES: Figures = {
  ...NO_USAGE,
  cpuPercent: null,
  pressure: NO_PRESSURE,
  slice: null,
};

function pressureOf(pathOf: (kind: string) => string): Pressure {
  const of = (kind: string): number | null => pressureIn(text(pathOf(kind)));
  return { cpu: of('cpu'), memory: of('memory'), io: of('io') };
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
