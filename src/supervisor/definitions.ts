/**
 * The scan as the system wants it: service directories become specs, problems and notices, and
 * what svinit brings along itself is added.
 */

import type { Problem, Spec } from '../core/spec.ts';
import { parseSpec } from '../core/spec-files.ts';
import { ms } from '../core/units.ts';
import { type ScanLimits, type ScanRoot, scanPath } from './scan.ts';

export type Definitions = {
  readonly specs: readonly Spec[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
};

export type Reading = {
  readonly roots: readonly ScanRoot[];
  readonly limits: ScanLimits;
  /** A directory with the name of one of these takes its place. */
  readonly builtins: readonly Spec[];
  /** The service whose end is the container's: it is not started again. */
  readonly main: string | null;
  readonly hasConsole: boolean;
};

export function readDefinitions(reading: Reading): Definitions {
  const { roots, limits, builtins, main, hasConsole } = reading;
  const { found, problems } = scanPath(roots, limits);
  const parsed = found.map((texts) => parseSpec(texts));
  const specs = parsed.flatMap(({ spec }) => (spec === null ? [] : [spec]));
  const names = new Set(specs.map(({ name }) => name));
  const all = [...builtins.filter(({ name }) => !names.has(name)), ...specs].map((spec) =>
    spec.name === main ? startedOnce(spec) : spec,
  );
  return {
    specs: orderEarly(hasConsole ? all : all.map(withoutConsole)),
    problems: [...problems, ...parsed.flatMap((result) => result.problems)],
    notices: parsed.flatMap((result) => result.notices),
  };
}

function startedOnce(spec: Spec): Spec {
  return { ...spec, restart: { ...spec.restart, when: 'never' } };
}

/** Where there is no terminal, a console service has nothing to do: it is done at once. */
function withoutConsole(spec: Spec): Spec {
  if (spec.tty !== 'console') return spec;
  return {
    ...spec,
    type: 'oneshot',
    start: null,
    finish: null,
    description: `${spec.description} (no terminal here)`.trim(),
  };
}

/** The others wait for the early ones: one that never says it is ready must not be waited for. */
const EARLY_READY_WITHIN = ms(30_000);

/** The logger is the first of the early services and, on the way down, the last. */
function orderEarly(specs: readonly Spec[]): Spec[] {
  return specs.map((spec) => {
    if (!spec.early || spec.name === LOGGER) return spec;
    const after = spec.after.includes(LOGGER) ? spec.after : [...spec.after, LOGGER];
    return { ...spec, after, upWithin: spec.upWithin ?? EARLY_READY_WITHIN };
  });
}

export const LOGGER = 'svlog';
