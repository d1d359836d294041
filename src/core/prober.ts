/**
 * The service that asks the others whether they are well: it is there when one of them is to be
 * asked, and runs when one of those is wanted. Also how a service with a probe of its lines begins,
 * so that those of this run can be told from those before.
 */
import { plainSpec } from './builtins.ts';
import { behindShell } from './privileges.ts';
import type { Command, Spec } from './spec.ts';
import { ms } from './units.ts';

export const PROBER = 'svprobe';

/** `specs`, and the prober when one of them has a probe; `program` is svinit's own. */
export function withProber(
  specs: readonly Spec[],
  program: { readonly path: string; readonly env: Readonly<Record<string, string>> },
): readonly Spec[] {
  if (!specs.some(hasProbe)) return specs;
  const all = specs.map((spec) =>
    hasProbe(spec) && spec.name !== PROBER ? { ...spec, wants: [...spec.wants, PROBER] } : spec,
  );
  // A directory of that name takes its place.
  return specs.some(({ name }) => name === PROBER) ? all : [...all, proberSpec(program)];
}

/** What the shell says before a service begins; the start is that of proc_pid_stat(5), 22. */
export function beginning(pid: number | string, start: string, bootId: string): string {
  return `svinit: begins as ${pid} at ${start} of ${bootId}`;
}

/**
 * `command`, behind the one line that says which process is about to print. It goes the same way as
 * what is printed, so nothing of another run comes behind it unless it still runs.
 */
export function withBeginning(
  { ready }: Spec,
  role: string,
  { path, argv }: Command,
  environment: Readonly<Record<string, string>>,
): Command {
  const isRead = ready.by === 'probe' && ready.probe.line !== undefined;
  if (!isRead || role !== 'start') return { path, argv };
  const [first = '', ...rest] = behindShell(ANNOUNCE, environment);
  return { path: first, argv: [first, ...rest, path, ...argv.slice(1)] };
}

/** Names that nobody has in an environment, which is the service's. */
const ANNOUNCE = [
  `read -r ${'svinit_x '.repeat(21)}svinit_start svinit_x < /proc/$$/stat`,
  'read -r svinit_boot < /proc/sys/kernel/random/boot_id',
  `echo "${beginning('$$', '$svinit_start', '$svinit_boot')}" >&2`,
];

function hasProbe({ ready, alive }: Spec): boolean {
  return ready.by === 'probe' || alive !== undefined;
}

function proberSpec({ path, env }: Parameters<typeof withProber>[1]): Spec {
  return plainSpec({
    name: PROBER,
    description: 'asks services whether they are ready, and alive',
    start: { path, argv: [PROBER] },
    env,
    initially: 'down',
    early: true,
    stopWithin: ms(2000),
  });
}
