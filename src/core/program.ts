/**
 * Arguments and environment of the programs of a service: pure, so that every start is the same.
 */
import type { Exit } from './exit.ts';
import type { ErrandRole, Role } from './phase.ts';
import type { Command, Spec } from './spec.ts';
import type { Pid } from './units.ts';

/** s6-supervise(8): the code given for a run that was killed. */
const S6_KILLED = 256;
/** runsv(8): the same in runit's words. */
const RUNIT_KILLED = -1;
/** bits/waitstatus.h: set in a wait status when a core was dumped. */
const CORE_FLAG = 0x80;

/**
 * What `finish` is told of the run before it. s6 and native: code or 256, signal, name, process
 * group. runit: code or -1, the low byte of the wait status.
 */
export function finishArguments(order: {
  readonly spec: Spec;
  readonly exit: Exit | null;
  readonly exitPid: Pid | null;
}): string[] {
  const exit = order.exit ?? { kind: 'code', code: 0 };
  const killed = exit.kind === 'signal';
  if (order.spec.dialect === 'runit') {
    const status = killed ? exit.signal | (exit.core ? CORE_FLAG : 0) : 0;
    return [String(killed ? RUNIT_KILLED : exit.code), String(status)];
  }
  const code = killed ? S6_KILLED : exit.code;
  const signal = killed ? exit.signal : 0;
  return [String(code), String(signal), order.spec.name, String(order.exitPid ?? 0)];
}

/** The environment of a process: what all inherit, then its own on top, in a fixed order. */
export function resolveEnvironment(
  base: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ...base, ...own }).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
}

/** What `role` of a service is; of an errand, `run` says which. Null: it has none. */
export function programOf(spec: Spec, role: Role | ErrandRole, run = ''): Command | null {
  switch (role) {
    case 'start':
      return spec.start;
    case 'finish':
      return spec.finish;
    case 'down':
      return spec.down;
    case 'reload':
      return spec.reload ?? null;
    case 'control':
      return { path: `${spec.directory}/control/${run}`, argv: [`control/${run}`] };
  }
}

/** What the programs of a oneshot are told beside what all are told (s6-rc-oneshot-run(8)). */
export const ownVariables = ({ type, name }: Spec): Readonly<Record<string, string>> =>
  type === 'oneshot' ? { RC_NAME: name } : {};
