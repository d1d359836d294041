/**
 * The chain of programs by which a service comes to run as whom and with what it shall: a shell
 * that does one thing after the other to itself, and then becomes the program. Pure, so that every
 * start is the same. When something cannot be done the chain says which key that was and ends, and
 * the service does not run: never with more than was asked for.
 */
import { checkSteps, lastWords, lookUpSteps } from './chain-accounts.ts';
import { mountSteps, namespaceWords } from './chain-confinement.ts';
import { BASICS, ENVFILE, marked, shell } from './chain-words.ts';
import type { Spec } from './spec.ts';
import type { Privileges } from './spec-privileges.ts';

/** What of a definition makes a chain. */
export type Chained = Pick<Spec, 'privileges' | 'confinement' | 'envFiles' | 'root'>;

type Environment = Readonly<Record<string, string>>;

/** Where Debian and our image have them; a root must have those that it uses there too. */
const PRLIMIT = '/usr/bin/prlimit';
const RENICE = '/usr/bin/renice';
const IONICE = '/usr/bin/ionice';
const CHRT = '/usr/bin/chrt';
const TASKSET = '/usr/bin/taskset';
const ENV = '/usr/bin/env';

/**
 * What is put in front of the path and arguments of a program; empty: nothing is needed.
 * @param environment What the program gets; of that the shell in between takes nothing away.
 * @param isHanded It gets descriptors, and looks whether they are for its pid (sd_listen_fds(3)).
 */
export function chainOf(
  chained: Chained,
  environment: Environment = {},
  isHanded: boolean = false,
): string[] {
  const { privileges = {}, confinement = {}, envFiles = [] } = chained;
  const steps = [
    ...fileSteps(envFiles),
    // Nobody knows it before it is there, and all that follows is the same process.
    ...(isHanded ? ['export LISTEN_PID=$$'] : []),
    ...lookUpSteps(privileges, confinement),
    ...selfSteps(privileges),
    ...mountSteps(confinement),
    ...checkSteps(privileges, confinement),
    // Last, for what is done before must not be held back by them.
    ...limitSteps(privileges),
  ];
  const last = lastWords(privileges, confinement);
  const again = unspeakable(environment);
  // Who enters a root comes by a shell there.
  if (steps.length === 0 && last.length === 0) return chained.root === undefined ? [] : again;
  const script = [
    ...BASICS,
    ...forgetting(environment),
    ...steps,
    `exec ${[...last, '"$@"'].join(' ')}`,
  ];
  return [...namespaceWords(confinement), ...shell(script), ...again];
}

/** A shell that runs `script` and becomes what comes behind it, with this environment unchanged. */
export function behindShell(script: readonly string[], environment: Environment): string[] {
  const whole = [...forgetting(environment), ...script, 'exec "$@"'];
  return [...shell(whole), ...unspeakable(environment)];
}

/** Variables that shells set for themselves, and so for their programs. */
const SHELL_SETS = ['PWD', 'OLDPWD', 'SHLVL'];

function forgetting(environment: Environment): string[] {
  const names = SHELL_SETS.filter((name) => environment[name] === undefined);
  return names.length === 0 ? [] : [`unset ${names.join(' ')}`];
}

/** Variables that a shell has no name for, and so forgets, are set again behind it. */
function unspeakable(environment: Environment): string[] {
  const names = Object.keys(environment).filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return names.length === 0 ? [] : [ENV, ...names.map((name) => `${name}=${environment[name]}`)];
}

function fileSteps(files: readonly string[]): string[] {
  if (files.length === 0) return [];
  return [ENVFILE, ...files.map((file) => marked(file, (path) => `envfile ${path}`))];
}

/** What the shell asks for itself keeps over an exec. */
function selfSteps(privileges: Privileges): string[] {
  const { oomScoreAdjust, nice, scheduling, cpus } = privileges;
  const oom = `oomScoreAdjust: cannot write ${oomScoreAdjust} to /proc/self/oom_score_adj`;
  return [
    ...(oomScoreAdjust === undefined
      ? []
      : [`{ echo ${oomScoreAdjust} > /proc/self/oom_score_adj; } 2> /dev/null || fail '${oom}'`]),
    // Without -n it is the value itself, whatever svinit has, for all who make this program.
    ...(nice === undefined ? [] : [`try nice ${RENICE} ${nice} -p $$`]),
    ...(scheduling === undefined
      ? []
      : [`try scheduling ${CHRT} --${scheduling.policy} -p ${scheduling.priority} $$`]),
    ...ioSteps(privileges),
    ...(cpus === undefined ? [] : [`try cpus ${TASKSET} -c -p ${cpus} $$`]),
  ];
}

/** ioprio_set(2); the class idle has no priorities, and what has no class is in the second. */
const IO_CLASSES = { realtime: 1, 'best-effort': 2, idle: 3 } as const;

function ioSteps({ ioClass, ioPriority }: Privileges): string[] {
  if (ioClass === undefined && ioPriority === undefined) return [];
  const number = IO_CLASSES[ioClass ?? 'best-effort'];
  const level = ioPriority === undefined || ioClass === 'idle' ? '' : ` -n ${ioPriority}`;
  const key = ioClass === undefined ? 'ioPriority' : 'ioClass';
  return [`try ${key} ${IONICE} -c ${number}${level} -p $$`];
}

function limitSteps({ limits = {} }: Privileges): string[] {
  const options = Object.entries(limits).map(([name, value]) => `--${name}=${value}`);
  return options.length === 0 ? [] : [`try limits ${PRLIMIT} --pid $$ ${options.join(' ')}`];
}
