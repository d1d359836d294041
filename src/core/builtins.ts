/**
 * Services that svinit brings along: the logger, without which no service could print for long,
 * and in a container the command that it was given.
 */
import type { Spec } from './spec.ts';
import { ms } from './units.ts';

const PLAIN: Omit<Spec, 'name' | 'start' | 'description'> = {
  type: 'longrun',
  dialect: 'svinit',
  directory: '',
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
  initially: 'up',
  early: false,
  essential: false,
  tty: null,
  stopSignal: 15,
  stopWithin: ms(10_000),
  upWithin: null,
  downWithin: null,
  finishWithin: null,
  restart: { when: 'always', limit: null, window: ms(60_000) },
};

/** A service with everything as it usually is, but for what `own` says. */
export function plainSpec(own: Pick<Spec, 'name' | 'start' | 'description'> & Partial<Spec>): Spec {
  return { ...PLAIN, ...own };
}

/**
 * svlog, which is a name of the program at `path`.
 * @param echoes Whether what is printed also goes to the standard output that svinit was given.
 */
export function loggerSpec(
  name: string,
  path: string,
  env: Readonly<Record<string, string>>,
  echoes = false,
): Spec {
  return {
    ...PLAIN,
    name,
    description: 'writes down what every service prints',
    start: { path, argv: echoes ? ['svlog', '--echo-fd=3'] : ['svlog'] },
    ...(echoes ? { outlet: 'beside' } : {}),
    env,
    early: true,
    essential: true,
  };
}

/** The command of a container: started once, and its end is the container's. */
export function mainSpec(command: readonly string[], cwd: string): Spec {
  return {
    ...PLAIN,
    name: 'main',
    description: command.join(' ').slice(0, 200),
    start: { path: command[0] ?? '', argv: command },
    cwd,
    restart: { ...PLAIN.restart, when: 'never' },
  };
}
