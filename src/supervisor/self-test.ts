/**
 * What a new binary does when the svinit that runs wants to know whether it could go on: it asks
 * the kernel for what it will need, and reads the state that it would be left.
 */
import { decodeCheckpoint } from '../core/checkpoint.ts';
import type { Report } from '../core/report.ts';
import type { SystemOptions } from '../core/system.ts';
import { type Fd, ms, pid } from '../core/units.ts';
import { DEFAULT_TARGET } from '../core/wants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { Ledger } from './ledger.ts';
import { OWN_FILE, readLegacy } from './reexec.ts';

/** @throws {Error} that says why it could not go on. */
export function selfTest(kernel: Kernel, state: Fd, version: string): Report {
  const legacy = readLegacy(kernel, state);
  const decoded = decodeCheckpoint(legacy.system, { ...OPTIONS, version }, legacy.turns);
  if (!decoded.ok) throw new Error(decoded.reason);
  // A binary whose machine code or memory files the kernel refuses would not survive long.
  const ledger = new Ledger(kernel);
  ledger.rewrite({ ...legacy, turns: [] });
  kernel.installRevival({ paths: [OWN_FILE], argvFor: () => [], env: [], signals: [] });
  kernel.peekAny();
  return { svinit: version, services: decoded.system.units.size };
}

/** What the state is read with; nothing is decided by it. */
const OPTIONS: SystemOptions = {
  target: DEFAULT_TARGET,
  parallel: Number.POSITIVE_INFINITY,
  main: null,
  haltWithin: ms(0),
  stopKind: 'exit',
  testing: false,
  safe: true,
  version: '',
  runtime: '',
  pid: pid(1),
};
