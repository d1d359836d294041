/**
 * Who reads what others print: the logger beside a service (s6-svscan(8), runsv(8)), and the
 * pipelines and funnels of s6-rc (s6-rc-compile(8)). Both ends of each pipe are looked at here, and
 * the specs that are given say which pipes they read and write. It knows definitions alone.
 */
import { plainSpec } from './builtins.ts';
import { findCycle } from './edges.ts';
import { loggedBy, loggerOf, quoted } from './names.ts';
import type { DirectoryTexts, Problem, Spec } from './spec.ts';
import { type ParsedSpec, parseSpec } from './spec-files.ts';

export type Joined = {
  readonly specs: readonly Spec[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
};

/** Parses each; a logger speaks the dialect of its service. */
export function parseAll(found: readonly DirectoryTexts[]): ParsedSpec[] {
  const dialects = new Map<string, Spec['dialect']>();
  return found.map((texts) => {
    const dialect = dialects.get(loggedBy(texts.name) ?? '') ?? texts.dialect;
    const parsed = parseSpec(dialect === texts.dialect ? texts : { ...texts, dialect });
    if (parsed.spec !== null) dialects.set(texts.name, parsed.spec.dialect);
    return parsed;
  });
}

/**
 * `specs` with their pipes. A producer whose consumer is not there, or does not name it, is left
 * out; a consumer goes on with those of its producers that are good; whoever is in a circle is out.
 * @param refused Names of definitions that there are, and that are refused.
 */
export function joinPipes(specs: readonly Spec[], refused: ReadonlySet<string>): Joined {
  // Most have none: then there is nothing to look at.
  if (!specs.some(hasPipes)) return { specs, problems: [], notices: [] };
  const work: Work = { all: byName(specs), refused, problems: [], notices: [], out: new Set() };
  const connected = withPipelines(work, withLoggers(work, specs));
  return {
    specs: [...connected, ...pipelineBundles(work, connected)],
    problems: work.problems,
    notices: work.notices,
  };
}

type Work = {
  readonly all: ReadonlyMap<string, Spec>;
  readonly refused: ReadonlySet<string>;
  readonly problems: Problem[];
  readonly notices: string[];
  /** Producers and consumers that cannot stand. */
  readonly out: Set<string>;
};

const hasPipes = ({ name, pipeline }: Spec): boolean =>
  pipeline !== undefined || loggedBy(name) !== null;

const byName = (specs: readonly Spec[]): Map<string, Spec> =>
  new Map(specs.map((spec) => [spec.name, spec]));

function withLoggers(work: Work, specs: readonly Spec[]): Spec[] {
  return specs.flatMap((spec) => {
    const service = loggedBy(spec.name);
    if (service !== null) return asLogger(work, spec, service);
    const logger = work.all.get(loggerOf(spec.name));
    if (logger === undefined || whyUnlogged(spec) !== null) return [spec];
    // It comes along, and first; but whether it could be started does not matter to the service.
    const list = logger.initially === 'down' ? 'after' : 'wants';
    return [{ ...spec, output: logger.name, [list]: added(spec[list], logger.name) }];
  });
}

function asLogger({ all, notices }: Work, spec: Spec, service: string): Spec[] {
  const of = all.get(service);
  const why = of === undefined ? null : whyUnlogged(of);
  if (why !== null) {
    notices.push(`${service}: 'log/' is not used: ${why}`);
    return [];
  }
  const isTarget = of?.initially === 'target' && spec.initially === 'up';
  return [
    {
      ...spec,
      input: spec.name,
      early: of?.early ?? spec.early,
      initially: isTarget ? 'target' : spec.initially,
      // runsv(8) says otherwise, but runs `finish` of the service alone.
      finish: spec.dialect === 'runit' ? null : spec.finish,
    },
  ];
}

/** Why nothing that a service prints can go to a logger of its own; null: it can. */
function whyUnlogged({ type, tty, pipeline, outlet }: Spec): string | null {
  if (type !== 'longrun') return `a ${type} has no logger of its own`;
  if (tty !== null) return 'it prints on a terminal';
  if (outlet === 'given') return 'it prints where svinit was told to';
  const { producerFor } = pipeline ?? {};
  return producerFor === undefined ? null : `its output goes to ${quoted(producerFor)}`;
}

function withPipelines(work: Work, specs: readonly Spec[]): Spec[] {
  for (const spec of specs) if (spec.pipeline !== undefined) judge(work, spec, spec.pipeline);
  refuseCycles(work);
  refuseStranded(work);
  return specs.flatMap((spec) => {
    const { name, pipeline } = spec;
    if (pipeline === undefined) return [spec];
    if (work.out.has(name)) return [];
    const { producerFor, consumerFor } = pipeline;
    return [
      {
        ...spec,
        ...(consumerFor === undefined ? {} : { input: name }),
        ...(producerFor === undefined
          ? {}
          : { output: producerFor, needs: added(spec.needs, producerFor) }),
      },
    ];
  });
}

/** Whether those whom `spec` names agree. */
function judge(work: Work, spec: Spec, { producerFor, consumerFor = [] }: PipelineOf): void {
  const { name, tty } = spec;
  if (tty !== null) {
    const file = producerFor === undefined ? 'consumer-for' : 'producer-for';
    return refuse(work, spec, file, "it has a 'tty', so it is in no pipeline");
  }
  if (producerFor !== undefined) {
    const why = disagreement(work, producerFor, 'consumer-for', ({ consumerFor: names }) =>
      names?.includes(name),
    );
    if (why !== null) refuse(work, spec, 'producer-for', why);
  }
  for (const producer of consumerFor) {
    const why = disagreement(work, producer, 'producer-for', (other) => other.producerFor === name);
    // It stands, as a bundle does of which one member is bad.
    if (why !== null) tell(work, spec, 'consumer-for', why);
  }
}

type PipelineOf = NonNullable<Spec['pipeline']>;

function disagreement(
  { all, refused }: Work,
  name: string,
  file: string,
  agrees: (pipeline: PipelineOf) => boolean | undefined,
): string | null {
  const other = all.get(name);
  if (other === undefined) {
    const why = refused.has(name) ? 'which is itself refused' : 'which is not defined anywhere';
    return `names ${quoted(name)}, ${why}`;
  }
  if (other.type !== 'longrun') return `names ${quoted(name)}, which is no longrun`;
  if (agrees(other.pipeline ?? {}) === true) return null;
  return `names ${quoted(name)}, whose ${file} does not say so`;
}

function refuseCycles(work: Work): void {
  const edges = new Map(
    [...work.all.values()].flatMap(({ name, pipeline }): [string, string[]][] => {
      const to = pipeline?.producerFor;
      return to === undefined || work.out.has(name) ? [] : [[name, [to]]];
    }),
  );
  for (let cycle = findCycle(edges); cycle !== null; cycle = findCycle(edges)) {
    const path = cycle.join(' -> ');
    for (const name of cycle.slice(1)) {
      edges.delete(name);
      const spec = work.all.get(name);
      if (spec !== undefined) refuse(work, spec, 'producer-for', `pipeline cycle: ${path}`);
    }
  }
}

/** Refuses, again and again, whoever prints for one that is refused. */
function refuseStranded(work: Work): void {
  for (let more = true; more; ) {
    more = false;
    for (const spec of work.all.values()) {
      const to = spec.pipeline?.producerFor;
      if (to === undefined || !work.out.has(to) || work.out.has(spec.name)) continue;
      refuse(work, spec, 'producer-for', `names ${quoted(to)}, which is itself refused`);
      more = true;
    }
  }
}

/** One bundle for each pipeline that has a name: the last consumer and all who print for it. */
function pipelineBundles(work: Work, specs: readonly Spec[]): Spec[] {
  const taken = new Map([...work.all.keys(), ...work.refused].map((name) => [name, name]));
  return specs.flatMap((spec) => {
    const name = spec.pipeline?.name;
    if (name === undefined) return [];
    const other = taken.get(name);
    if (other !== undefined) {
      const whose = other === name ? '' : `, of that of ${quoted(other)}`;
      tell(work, spec, 'pipeline-name', `the name ${quoted(name)} is taken already${whose}`);
      return [];
    }
    taken.set(name, spec.name);
    const { directory, root } = spec;
    const bundle = plainSpec({
      ...{ name, start: null, description: `the pipeline that ends in ${spec.name}` },
      ...{ type: 'bundle', directory, initially: 'target', contents: upstream(spec.name, specs) },
    });
    return [root === undefined ? bundle : { ...bundle, root }];
  });
}

function upstream(last: string, specs: readonly Spec[]): string[] {
  const members = new Set([last]);
  for (const member of members) {
    for (const { name, output, pipeline } of specs) {
      if (pipeline !== undefined && output === member) members.add(name);
    }
  }
  return [...members].sort();
}

const added = (names: readonly string[], name: string): readonly string[] =>
  [...new Set([...names, name])].sort();

function refuse(work: Work, spec: Spec, file: string, reason: string): void {
  work.out.add(spec.name);
  tell(work, spec, file, reason);
}

function tell({ problems }: Work, { name, directory }: Spec, file: string, reason: string): void {
  problems.push({ name, directory, file, line: null, reason });
}
