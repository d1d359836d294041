/**
 * How services are asked whether they are well, for svprobe: a program that asks is run as the
 * service itself is. PID 1 only tells; it runs none of them and opens nothing for them.
 */
import type { ProbeProgram, ProbeView } from '../core/probe.ts';
import { resolveEnvironment } from '../core/program.ts';
import type { Asked } from '../core/requests-probe.ts';
import { enterArguments } from '../core/root-definitions.ts';
import type { Spec } from '../core/spec.ts';
import { chained, findProgram } from './chained.ts';
import { wordsOf } from './let-go.ts';
import { SHELL, type SpawnPorts, UMASK } from './spawn.ts';

type Ports = Pick<SpawnPorts, 'environment' | 'pin'>;

export function probeViews(asked: readonly Asked[], ports: Ports): readonly ProbeView[] {
  return asked.map((one) => {
    const { name, pid, startedAt, kind, probe, spec } = one;
    const program = probe.exec === undefined ? null : programOf(one, probe.exec, ports);
    const { chroot, privateTmp } = spec.confinement ?? {};
    const isRooted = spec.root !== undefined || chroot !== undefined || privateTmp === true;
    return { name, pid, startedAt, kind, probe, program, isRooted };
  });
}

function programOf(asked: Asked, argv: readonly string[], ports: Ports): ProbeProgram | string {
  const { spec } = asked;
  const env = resolveEnvironment(ports.environment, spec.env);
  const umask = spec.privileges?.umask ?? UMASK;
  const [path = ''] = argv;
  const entered = enteredOf(asked, ports);
  const command = chained(entered === null ? spec : withoutMounts(spec), { path, argv }, [], env);
  const places = env['PATH'] ?? '';
  try {
    if (entered === null) {
      const { argv: whole } = command;
      return { path: findProgram(command.path, places), argv: whole, cwd: spec.cwd, env, umask };
    }
    const inside = [command.path, ...command.argv.slice(1)];
    const entering = enterArguments(entered, SHELL, spec.cwd, inside);
    const nsenter = findProgram('nsenter', ports.environment['PATH'] ?? '');
    return { path: nsenter, argv: entering, cwd: '/', env, umask };
  } catch (error) {
    return wordsOf(error);
  }
}

/** The mount namespace that is not svinit's, in which the service runs; null: it has none. */
function enteredOf({ spec, pid }: Asked, { pin }: Ports): string | null {
  const { privateTmp, readOnlyPaths } = spec.confinement ?? {};
  if (privateTmp === true || readOnlyPaths !== undefined) return `/proc/${pid}/ns/mnt`;
  return spec.root === undefined ? null : pin;
}

/** Who enters the service's own mount namespace finds there what was mounted for it. */
function withoutMounts(spec: Spec): Spec {
  const { confinement, ...rest } = spec;
  const { privateTmp: _, readOnlyPaths: __, ...kept } = confinement ?? {};
  return { ...rest, confinement: kept };
}
