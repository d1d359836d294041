/**
 * What the kernel tells of load, in its own texts: of a cgroup (cgroup-v2.rst), of a process
 * (proc_pid_stat(5)), of the machine (proc(5)), and of pressure (psi.rst). Texts in, numbers out;
 * null stands for what a text does not say.
 */

/** Of something that runs: a service, a slice, the machine. */
export type Usage = {
  /** Processor time used so far, of all processors together, in milliseconds. */
  readonly cpuMs: number | null;
  readonly memoryBytes: number | null;
  /** Processes and threads. */
  readonly tasks: number | null;
};

/** Percent of the last ten seconds in which somebody had to wait for it. */
export type Pressure = {
  readonly cpu: number | null;
  readonly memory: number | null;
  readonly io: number | null;
};

export const NO_PRESSURE: Pressure = { cpu: null, memory: null, io: null };
export const NO_USAGE: Usage = { cpuMs: null, memoryBytes: null, tasks: null };

/** From cpu.stat, memory.current and pids.current; null: there is no such file. */
export function cgroupUsage(
  cpuStat: string | null,
  memory: string | null,
  pids: string | null,
): Usage {
  const micros = numberIn(/^usage_usec ([0-9]+)$/m, cpuStat);
  return {
    cpuMs: micros === null ? null : micros / 1000,
    memoryBytes: numberIn(/^([0-9]+)$/m, memory),
    tasks: numberIn(/^([0-9]+)$/m, pids),
  };
}

/**
 * From /proc/PID/stat and /proc/PID/status: of that process alone. Times are in ticks of USER_HZ,
 * which is 100 on every machine that svinit runs on.
 */
export function processUsage(stat: string | null, status: string | null): Usage {
  // Its name is in parentheses and may have any character, those too.
  const fields = stat === null ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[UTIME]) + Number(fields[STIME]);
  const kib = numberIn(/^VmRSS:\s+([0-9]+) kB$/m, status);
  return {
    cpuMs: Number.isFinite(ticks) ? ticks * 10 : null,
    memoryBytes: kib === null ? null : kib * 1024,
    tasks: numberIn(/^Threads:\s+([0-9]+)$/m, status),
  };
}

/** Of the machine, from /proc/meminfo. */
export function memoryOf(meminfo: string | null): { used: number; total: number } | null {
  const total = numberIn(/^MemTotal:\s+([0-9]+) kB$/m, meminfo);
  const available = numberIn(/^MemAvailable:\s+([0-9]+) kB$/m, meminfo);
  if (total === null || available === null) return null;
  return { used: (total - available) * 1024, total: total * 1024 };
}

/** Ticks of all processors since boot, from the first line of /proc/stat: at work, and in all. */
export function processorsOf(stat: string | null): { busy: number; all: number } | null {
  const line = /^cpu +([0-9 ]+)$/m.exec(stat ?? '')?.[1];
  if (line === undefined) return null;
  // Guests are in user and nice already: eight numbers are the whole.
  const ticks = line.split(' ').map(Number).slice(0, 8);
  const all = ticks.reduce((sum, one) => sum + one, 0);
  const [, , , idle = 0, iowait = 0] = ticks;
  return { busy: all - idle - iowait, all };
}

/** From /proc/loadavg: the load of the last minute, and how many tasks there are. */
export function loadOf(loadavg: string | null): { load: number; tasks: number } | null {
  const found = /^([0-9.]+) [0-9.]+ [0-9.]+ [0-9]+\/([0-9]+) /.exec(loadavg ?? '');
  return found === null ? null : { load: Number(found[1]), tasks: Number(found[2]) };
}

/** `avg10` of the line `some` of a pressure file. */
export const pressureIn = (text: string | null): number | null =>
  numberIn(/^some avg10=([0-9.]+) /m, text);

/** The worst of it, for sorting and for a column: its letter, and percent. */
export function worst({ cpu, memory, io }: Pressure): { kind: string; percent: number } | null {
  const all = [
    { kind: 'c', percent: cpu },
    { kind: 'm', percent: memory },
    { kind: 'i', percent: io },
  ];
  const known = all.flatMap(({ kind, percent }) => (percent === null ? [] : [{ kind, percent }]));
  return known.toSorted((a, b) => b.percent - a.percent)[0] ?? null;
}

/**
 * Of proc_pid_smaps(5): what is mapped of files, may not be written, and is as the file is.
 * Addresses are numbers: those of user space end far below 2^53.
 */
export function fileMappings(smaps: string): { from: number; bytes: number }[] {
  const found: { from: number; bytes: number }[] = [];
  let mapping: { from: number; bytes: number } | null = null;
  for (const line of smaps.split('\n')) {
    const range = MAPPING.exec(line);
    if (range !== null) {
      const [from = 0, to = 0] = [range[1], range[2]].map((text) =>
        Number.parseInt(text ?? '', 16),
      );
      mapping = UNWRITTEN.test(line) ? { from, bytes: to - from } : null;
    } else if (mapping !== null && UNCHANGED.test(line)) {
      found.push(mapping);
      mapping = null;
    }
  }
  return found;
}

/** Bytes in four characters or five: `512K`, `1.5M`, `120M`, `2.0G`. */
export function shortBytes(bytes: number): string {
  let [amount, unit] = [bytes, 'B'];
  for (const next of ['K', 'M', 'G', 'T']) {
    if (amount < 1000) break;
    [amount, unit] = [amount / 1024, next];
  }
  const digits = unit !== 'B' && amount < 9.95 ? 1 : 0;
  return `${amount.toFixed(digits)}${unit}`;
}

/** The first line of each mapping: its addresses, what may be done with it, and what it is of. */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) /;
/** Read, perhaps run, private, of an inode and with its path. */
const UNWRITTEN = /^\S+ r-[x-]p \S+ \S+ [1-9][0-9]* +\//;
const UNCHANGED = /^Anonymous: +0 kB$/;

/** Indices behind the name: fields 14 and 15 of proc_pid_stat(5), the name being the second. */
const UTIME = 11;
const STIME = 12;

function numberIn(pattern: RegExp, text: string | null): number | null {
  const found = pattern.exec(text ?? '')?.[1];
  const number = Number(found);
  return found === undefined || !Number.isFinite(number) ? null : number;
}
