/**
 * What might be in a scan path: random definitions, and random edits of them, some of which make
 * a cycle, name what is not there, or cannot be read at all.
 */
import type { AliveProbe } from '../../../src/core/probe.ts';
import type { Problem, Spec } from '../../../src/core/spec.ts';
import { ms } from '../../../src/core/units.ts';
import { bundle, command, longrun, problem } from './builder.ts';
import type { Random } from './random.ts';

export type Disk = { readonly specs: readonly Spec[]; readonly problems: readonly Problem[] };

export const NAMES: readonly string[] = ['log', 'tty', 'a', 'b', 'c', 'd', 'e', 'f'];
/** These are early, and lean on nothing that is not. */
const EARLY = 2;

export function randomDisk(random: Random): Disk {
  const count = EARLY + 1 + random.below(NAMES.length - EARLY);
  const specs = NAMES.slice(0, count).map((_, index) => randomSpec(random, index));
  const early = random.below(EARLY + 1);
  const target = random.chance(0.5) ? [randomBundle(random, 'default', 0.6)] : [];
  const group = random.chance(0.3) ? [randomBundle(random, 'group', 0.3)] : [];
  return { specs: [...specs.slice(EARLY - early), ...target, ...group], problems: [] };
}

/** One or a few things are changed, added, removed or broken. */
export function edited(random: Random, disk: Disk): Disk {
  const specs = new Map(disk.specs.map((spec) => [spec.name, spec]));
  const problems: Problem[] = [];
  for (let edits = 1 + random.below(3); edits > 0; edits -= 1) {
    const index = random.below(NAMES.length);
    const name = NAMES[index] ?? '';
    const dice = random.next();
    if (dice < 0.5) specs.set(name, randomSpec(random, index));
    else if (dice < 0.7) specs.delete(name);
    else if (dice < 0.8) specs.set('default', randomBundle(random, 'default', 0.6));
    else if (dice < 0.85) specs.delete('default');
    else if (dice < 0.9) specs.set('f', bundle('f', ['a', 'b']));
    else if (specs.delete(name)) problems.push(problem(name));
  }
  return { specs: [...specs.values()], problems };
}

function randomBundle(random: Random, name: string, share: number): Spec {
  return bundle(name, random.some(NAMES, share));
}

/** Nobody asks in a model world: clients say what they like of it. */
const ALIVE: AliveProbe = {
  ...{ file: '/x', interval: ms(1000), timeout: ms(1000), retries: 3 },
  ...{ startPeriod: ms(0), action: 'restart' },
};

/** What it listens on is nobody's business here: connections are made up. */
const SOCKETS: Spec['sockets'] & {} = [
  {
    ...{ listen: '80', type: 'stream', name: 'web', mode: 0o666, backlog: 1 },
    ...{ reusePort: false, freeBind: false, v6only: false },
  },
];

function randomSpec(random: Random, index: number): Spec {
  const name = NAMES[index] ?? '';
  const early = index < EARLY;
  const isOneshot = !early && random.chance(0.3);
  const maybe = (durations: readonly number[]) =>
    random.chance(0.3) ? null : ms(random.pick(durations));
  return longrun(name, {
    type: isOneshot ? 'oneshot' : 'longrun',
    dialect: random.pick(['svinit', 's6', 'runit']),
    description: `version ${random.below(3)}`,
    start: isOneshot && random.chance(0.1) ? null : command(name),
    finish: !isOneshot && random.chance(0.4) ? command('finish') : null,
    down: isOneshot && random.chance(0.6) ? command('down') : null,
    ...randomEdges(random, index),
    ready: !isOneshot && random.chance(0.5) ? { by: 'fd', fd: 3 } : { by: 'spawn' },
    initially: random.pick(['up', 'target', 'target', 'down']),
    early,
    essential: random.chance(0.1),
    stopWithin: maybe([200, 5000]),
    upWithin: maybe([1000, 8000]),
    downWithin: maybe([300, 3000]),
    finishWithin: maybe([300, 5000]),
    restart: {
      when: random.pick(['always', 'always', 'on-failure', 'never']),
      limit: random.chance(0.3) ? random.below(4) : null,
      window: ms(60_000),
    },
    ...(!early && !isOneshot && random.chance(0.1) ? { lazy: true, sockets: SOCKETS } : {}),
    ...(!isOneshot && random.chance(0.3) ? { alive: ALIVE } : {}),
    ...randomErrands(random),
  });
}

/** Mostly to names before this one, so that most worlds have no cycle, and some have. */
function randomEdges(
  random: Random,
  index: number,
): Pick<Spec, 'needs' | 'wants' | 'after' | 'before'> {
  const before = NAMES.slice(0, index);
  if (index < EARLY) {
    return { needs: random.some(before, 0.3), wants: [], after: [], before: [] };
  }
  const later = NAMES.slice(Math.max(index + 1, EARLY));
  const stray = random.chance(0.05) ? [random.pick([...later, 'nobody'])] : [];
  return {
    needs: [...random.some(before, 0.25), ...stray],
    wants: random.some([...before, 'nobody'], 0.08),
    after: random.some(before, 0.08),
    before: random.some(later, 0.05),
  };
}

/** Programs beside its own: those that are asked first, and what reloads it. */
function randomErrands(random: Random): Pick<Spec, 'control' | 'reload' | 'reloadWithin'> {
  const letters = random.some(['u', 'd', 't', 'h', 'k'], 0.5).join('');
  return {
    ...(random.chance(0.3) ? { reload: command('reload') } : {}),
    ...(random.chance(0.2) ? { reloadWithin: random.chance(0.5) ? null : ms(500) } : {}),
    ...(random.chance(0.3) && letters !== '' ? { control: letters } : {}),
  };
}
