/**
 * Performs a boot plan, step after step. What is there already is kept, what cannot be done is
 * noted with its reason, and whether that ends the boot is for the caller: no step throws.
 */
import { type BootAct, type BootStep, describeStep, RUN_MODE } from '../core/boot-step.ts';
import { unreachable } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { BootFiles } from './files.ts';

export type StepResult = {
  readonly step: BootStep;
  /** `kept`: it was there already. */
  readonly outcome: 'done' | 'kept' | 'failed';
  /** Why it failed, or what is not quite as planned; null: nothing to say. */
  readonly reason: string | null;
};

export type BootReport = {
  readonly results: readonly StepResult[];
  /** The first step that failed and may not; null: the boot can go on. */
  readonly fatal: StepResult | null;
};

export type BootPorts = {
  readonly kernel: Pick<Kernel, 'geteuid' | 'mknod' | 'mount'>;
  readonly files: BootFiles;
  /** Hears of each step as it ends; must not throw. */
  readonly report: (result: StepResult) => void;
};

/** All of `steps`, in order, also after a fatal one: a rescue shell is better off with a /dev. */
export function performBoot(steps: readonly BootStep[], ports: BootPorts): BootReport {
  const results = steps.map((step) => {
    const result = attempt(step, ports);
    ports.report(result);
    return result;
  });
  const fatal = results.find(({ step, outcome }) => step.fatal && outcome === 'failed') ?? null;
  return { results, fatal };
}

/** One line for the console: the step as a command, and why it failed. */
export function describeResult({ step, outcome, reason }: StepResult): string {
  return `${outcome}: ${describeStep(step)}${reason === null ? '' : ` (${reason})`}`;
}

type Ended = { readonly outcome: 'done' | 'kept'; readonly reason: string | null };

const DONE: Ended = { outcome: 'done', reason: null };
const KEPT: Ended = { outcome: 'kept', reason: null };

function attempt(step: BootStep, ports: BootPorts): StepResult {
  try {
    return { step, ...perform(step, ports) };
  } catch (error) {
    return { step, outcome: 'failed', reason: reasonOf(error) };
  }
}

function perform(step: BootStep, { kernel, files }: BootPorts): Ended {
  switch (step.do) {
    case 'mkdir':
      return mkdir(step, files);
    case 'claim':
      return claim(step.path, kernel.geteuid(), files);
    case 'private':
      return makePrivate(step, kernel);
    case 'mount':
      return mount(step, kernel);
    case 'symlink':
      return symlink(step, files);
    case 'mknod':
      return mknod(step, kernel, files);
    case 'write':
      files.write(step.path, step.text);
      return DONE;
    default:
      return unreachable(step);
  }
}

type Act<K extends BootAct['do']> = Extract<BootAct, { readonly do: K }>;

function mkdir({ path, mode }: Act<'mkdir'>, files: BootFiles): Ended {
  try {
    files.mkdir(path, mode);
  } catch (error) {
    if (files.look(path)?.kind === 'directory') return KEPT;
    throw error;
  }
  // PID 1 has a umask of 077, which mkdir(2) went through.
  files.chmod(path, mode);
  return DONE;
}

/** In a directory where everybody may make entries, somebody may have been here first. */
function claim(path: string, uid: number, files: BootFiles): Ended {
  let outcome: Ended = DONE;
  try {
    files.mkdir(path, RUN_MODE);
  } catch (error) {
    if (files.lookAt(path) === null) throw error;
    outcome = KEPT;
  }
  const found = files.lookAt(path);
  if (found?.kind !== 'directory') throw new Error(`Cannot claim ${path}: it is no directory`);
  if (found.uid !== uid) throw new Error(`Cannot claim ${path}: it belongs to uid ${found.uid}`);
  if (found.mode !== RUN_MODE) files.chmod(path, RUN_MODE);
  return outcome;
}

function mount({ type, target, flags, data }: Act<'mount'>, kernel: BootPorts['kernel']): Ended {
  let refused: unknown = null;
  for (const options of data) {
    try {
      kernel.mount({ source: type, target, type, flags, data: options });
      return options === data[0] ? DONE : { outcome: 'done', reason: `with '${options}'` };
    } catch (error) {
      if (codeOf(error) === 'EBUSY') return KEPT;
      refused = error;
      // EINVAL is what a kernel says to an option that it does not know.
      if (codeOf(error) !== 'EINVAL') break;
    }
  }
  throw refused;
}

function makePrivate({ path, recursive }: Act<'private'>, kernel: BootPorts['kernel']): Ended {
  const flags = recursive ? (['rec', 'private'] as const) : (['private'] as const);
  kernel.mount({ source: 'none', target: path, type: '', flags, data: '' });
  return DONE;
}

function symlink({ path, target }: Act<'symlink'>, files: BootFiles): Ended {
  try {
    files.symlink(target, path);
    return DONE;
  } catch (error) {
    if (files.lookAt(path) !== null) return KEPT;
    throw error;
  }
}

function mknod(act: Act<'mknod'>, kernel: BootPorts['kernel'], files: BootFiles): Ended {
  const { path, mode, major, minor } = act;
  try {
    kernel.mknod(path, 'char', mode, major, minor);
  } catch (error) {
    const found = files.look(path);
    if (found?.kind !== 'char' || found.major !== major || found.minor !== minor) throw error;
    return (found.mode & 0o777) === mode ? KEPT : keptWith(path, mode, files);
  }
  files.chmod(path, mode);
  return DONE;
}

/** The device itself is right: one whose mode cannot be changed is kept and told about. */
function keptWith(path: string, mode: number, files: BootFiles): Ended {
  try {
    files.chmod(path, mode);
    return KEPT;
  } catch (error) {
    return { outcome: 'kept', reason: reasonOf(error) };
  }
}

/** SysError says it all; an error of node:fs is told in the same words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  if (error.name === 'SysError' || code === undefined) return error.message;
  return `Cannot ${syscall} ${dest ?? path}: ${syscall} failed with ${code}`;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
