/**
 * The variables by which an image made for s6-overlay v3 is configured (its README, "Customizing
 * s6-overlay behaviour"), as settings, and a notice for each that is set and has no effect here.
 * Nothing is read or set.
 */
import type { Environment } from './environment.ts';
import { quoted } from './names.ts';
import { type Millis, ms } from './units.ts';

export type OverlaySettings = {
  /** Of services, of the command, and of scripts. */
  readonly path: string;
  /** Everything keeps the environment of the container, not only what asks for it. */
  readonly keepEnv: boolean;
  /** Whether what services print also goes to the standard output of the container. */
  readonly echo: boolean;
  /** 0: nothing is said; 1: what is wrong; 2 and more: also what goes well. */
  readonly verbosity: number;
  /** What a failing start means: nothing, a warning, or the end of the container. */
  readonly onFailure: 'ignore' | 'warn' | 'stop';
  /** For each script of cont-finish.d; null: for ever. */
  readonly finishWithin: Millis | null;
  /** From the stop signal of a service of services.d until it is killed. */
  readonly servicesWithin: Millis;
  /** From TERM to KILL for what still runs when all services are down. */
  readonly killWithin: Millis;
  /** Words in front of the command. */
  readonly prefix: readonly string[];
  /** Signals go to the command; its end is the end of the container all the same. */
  readonly signalsToCommand: boolean;
  /** The command waits for services of services.d to be ready. */
  readonly awaitLegacy: boolean;
  /** For how long the command waits for services; null: for ever. */
  readonly waitWithin: Millis | null;
  /** A command that is run before definitions are read. */
  readonly hook: readonly string[];
  readonly notices: readonly string[];
};

/** What is always in the PATH of a service, in front of what was asked for. */
const BASE_PATH: readonly string[] = ['/command', '/usr/bin', '/bin'];

/** What s6-overlay does with them has another shape here, or none is needed. */
// biome-ignore format: read it as a table
const NOT_HONOURED: readonly (readonly [name: string, why: string])[] = [
  ['S6_SERVICES_READYTIME', 'nothing is slept: services are waited for by name'],
  ['S6_CMD_USE_TERMINAL', 'the command has the terminal of the container anyway'],
  ['S6_SYNC_DISKS', 'a container has no filesystem of its own to sync'],
  ['S6_READ_ONLY_ROOT', 'a root that cannot be written is recognised'],
  ['S6_CATCHALL_USER', 'svlog runs as the user that svinit runs as'],
  ['S6_WAIT_FOR_CLOSING_FD', 'svinit closes all descriptors but 0, 1 and 2 at once'],
  ['S6_RUNTIME_PROFILE', '/etc/cont-profile.d is not read'],
  ['S6_RUNTIME_BUNDLEDIR', 'bundles are read from /etc/s6-overlay/user-bundles.d'],
  ['S6_YES_I_WANT_A_WORLD_WRITABLE_RUN_BECAUSE_KUBERNETES', 'svinit claims a directory of its own'],
];

/** Numbers that cannot be read count as not set, and are told of. */
export function overlaySettings(env: Environment): OverlaySettings {
  const notices = NOT_HONOURED.flatMap(([name, why]) =>
    env[name] === undefined ? [] : [`${name} has no effect: ${why}`],
  );
  const number = (name: string, usually: number): number => {
    const text = env[name];
    if (text === undefined || text === '') return usually;
    if (/^[0-9]{1,9}$/.test(text)) return Number(text);
    notices.push(`Cannot use ${name}: it says ${quoted(text)}, expected a number from 0 on`);
    return usually;
  };
  const flag = (name: string): boolean => number(name, 0) > 0;
  const failing = number('S6_BEHAVIOUR_IF_STAGE2_FAILS', 0);
  const finish = number('S6_KILL_FINISH_MAXTIME', 5000);
  const wait = number('S6_CMD_WAIT_FOR_SERVICES_MAXTIME', 0);
  return {
    path: overlayPath(env['PATH']),
    keepEnv: flag('S6_KEEP_ENV'),
    echo: number('S6_LOGGING', 0) < 2,
    verbosity: number('S6_VERBOSITY', 2),
    onFailure: failing === 0 ? 'ignore' : failing === 1 ? 'warn' : 'stop',
    finishWithin: finish === 0 ? null : ms(finish),
    servicesWithin: ms(number('S6_SERVICES_GRACETIME', 3000)),
    killWithin: ms(number('S6_KILL_GRACETIME', 3000)),
    prefix: wordsOf(env['S6_CMD_ARG0']),
    signalsToCommand: flag('S6_CMD_RECEIVE_SIGNALS'),
    awaitLegacy: flag('S6_CMD_WAIT_FOR_SERVICES'),
    waitWithin: wait === 0 ? null : ms(wait),
    hook: wordsOf(env['S6_STAGE2_HOOK']),
    notices,
  };
}

/**
 * How long all services have to go down: what a legacy service and a script of cont-finish.d may
 * take, one after the other; a minute where the latter has no limit.
 */
export function downWithin({ finishWithin, servicesWithin }: OverlaySettings): Millis {
  return ms(servicesWithin + (finishWithin ?? 60_000));
}

/** The PATH that was asked for, behind what is always in it and was not. */
export function overlayPath(asked: string | undefined): string {
  const given = asked === undefined || asked === '' ? [] : asked.split(':');
  return [...BASE_PATH.filter((directory) => !given.includes(directory)), ...given].join(':');
}

/** What a shell makes of `$X`: words between blanks, and no quotes (rc.init of s6-overlay). */
function wordsOf(text: string | undefined): readonly string[] {
  return (text ?? '').split(/[ \t\n]+/).filter((word) => word !== '');
}
