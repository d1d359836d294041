/**
 * The scan as the system wants it: service directories become specs, problems and notices, and
 * what svinit brings along itself is added.
 */

import { joinPipes, parseAll } from '../core/pipelines.ts';
import { withProber } from '../core/prober.ts';
import { ofRoot, withoutTaken } from '../core/root-definitions.ts';
import { OS, rootPlaces } from '../core/root-places.ts';
import type { Problem, Spec } from '../core/spec.ts';
import type { ParsedSpec } from '../core/spec-files.ts';
import { expandTerminals, type Terminals } from '../core/terminals.ts';
import { ms } from '../core/units.ts';
import type { SupervisorOptions } from './options.ts';
import { overlaid } from './overlay-definitions.ts';
import { readRootDefinitions } from './root-definitions.ts';
import { type ScanLimits, scanPath } from './scan.ts';

export type Definitions = {
  readonly specs: readonly Spec[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
};

export type Reading = Pick<
  SupervisorOptions,
  'builtins' | 'console' | 'consoles' | 'overlay' | 'paths' | 'roots' | 'self'
> & {
  readonly limits: ScanLimits;
  /** The service whose end is the container's: it is not started again. */
  readonly main: string | null;
};

export function readDefinitions(reading: Reading): Definitions {
  const { roots, paths, limits, builtins, main } = reading;
  const { found, problems } = scanPath(roots, limits);
  const parsed = parseAll(found);
  const overlay = overlaid(reading.overlay ?? null, specsOf(parsed), limits);
  const own = overlay.specs;
  const names = new Set(own.map(({ name }) => name));
  const beside = [...found, ...problems, ...builtins].map(({ name }) => name);
  const read = readRootDefinitions(rootPlaces(paths.run).definitions);
  const root = withoutTaken(read, new Set(beside), OS);
  const rooted = parseAll(root.found);
  const specs = [...own, ...specsOf(rooted).map((spec) => ofRoot(spec, OS))];
  const all = [...builtins.filter(({ name }) => !names.has(name)), ...specs].map((spec) =>
    spec.name === main ? startedOnce(spec) : spec,
  );
  const results = [...parsed, ...overlay.parsed, ...rooted];
  const told = [...root.problems, ...results.flatMap((result) => result.problems)];
  const joined = joinPipes(all, new Set([...problems, ...told].map(({ name }) => name)));
  const expanded = expandTerminals(joined.specs, terminalsFor(reading));
  const rest = [...told, ...joined.problems, ...expanded.problems];
  return {
    specs: orderEarly(withProber(expanded.specs, terminalsFor(reading).program)),
    problems: [...problems, ...overlay.problems, ...rest],
    notices: [
      ...root.notices,
      ...joined.notices,
      ...overlay.notices,
      ...results.flatMap((result) => result.notices),
    ],
  };
}

function specsOf(parsed: readonly ParsedSpec[]): Spec[] {
  return parsed.flatMap(({ spec }) => (spec === null ? [] : [spec]));
}

/** What services with terminals need; svpty is a name of the same program as the logger. */
function terminalsFor({ builtins, console, consoles, paths, self }: Reading): Terminals {
  const env = builtins.find(({ name }) => name === LOGGER)?.env ?? {};
  return { console, consoles, folder: paths.terminals, program: { path: self.path, env } };
}

function startedOnce(spec: Spec): Spec {
  return { ...spec, restart: { ...spec.restart, when: 'never' } };
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
