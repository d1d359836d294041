/**
 * Definitions for tests, said in as few words as possible: what is not given is the plainest.
 */
import type { Exit } from '../../../src/core/exit.ts';
import { signalNumber } from '../../../src/core/signals.ts';
import type { Command, Problem, Spec } from '../../../src/core/spec.ts';
import type { SystemOptions } from '../../../src/core/system.ts';
import { ms, pid } from '../../../src/core/units.ts';

export const command = (path: string): Command => ({ path, argv: [path] });

/** Ready as soon as it runs, stopped by TERM with five seconds of patience, always restarted. */
export function longrun(name: string, given: Partial<Spec> = {}): Spec {
  return {
    name,
    type: 'longrun',
    dialect: 'svinit',
    directory: `/services/${name}`,
    description: '',
    start: command(`/services/${name}/run`),
    finish: null,
    down: null,
    cwd: '/',
    env: {},
    needs: [],
    wants: [],
    after: [],
    before: [],
    contents: [],
    ready: { by: 'spawn' },
    initially: 'target',
    early: false,
    essential: false,
    tty: null,
    stopSignal: 15,
    stopWithin: ms(5000),
    upWithin: null,
    downWithin: null,
    finishWithin: null,
    restart: { when: 'always', limit: null, window: ms(60_000) },
    ...given,
  };
}

/** A longrun that is ready when it says so on descriptor 3. */
export function telling(name: string, given: Partial<Spec> = {}): Spec {
  return longrun(name, { ready: { by: 'fd', fd: 3 }, ...given });
}

export function oneshot(name: string, given: Partial<Spec> = {}): Spec {
  return longrun(name, { type: 'oneshot', start: command(`/services/${name}/up`), ...given });
}

export function bundle(name: string, contents: readonly string[]): Spec {
  return longrun(name, { type: 'bundle', start: null, contents });
}

/** What a scan says of a definition that it cannot read. */
export function problem(name: string, reason = 'is not executable'): Problem {
  return { name, directory: `/services/${name}`, file: 'run', line: 1, reason };
}

/** `exitOf(1)` is an exit code, `exitOf('KILL')` a death by signal. */
export function exitOf(how: number | string): Exit {
  if (typeof how === 'number') return { kind: 'code', code: how };
  return { kind: 'signal', signal: signalNumber(how) ?? 0, core: false };
}

export function optionsOf(given: Partial<SystemOptions> = {}): SystemOptions {
  return {
    target: 'default',
    parallel: Infinity,
    main: null,
    haltWithin: ms(60_000),
    safe: false,
    testing: false,
    stopKind: 'poweroff',
    version: '0.0.0',
    runtime: 'test',
    pid: pid(1),
    ...given,
  };
}
