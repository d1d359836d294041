/**
 * What a directory says of pipes: the files of a pipeline (s6-rc-compile(8)), and what the logger
 * of a service may not say. Whether both ends of a pipe say the same is decided in pipelines.ts.
 */
import { loggedBy, plainNameProblem, quoted } from './names.ts';
import type { Pipeline, ServiceType, Spec } from './spec.ts';
import { type Draft, firstLine, namesInLines, notice, refuse } from './spec-draft.ts';

/** The part of a definition in a pipeline; nothing when it has none. */
export function pipelineOf(draft: Draft, type: ServiceType): Pick<Spec, 'pipeline'> {
  const service = loggedBy(draft.found.name);
  if (service !== null) refuseForLogger(draft, service, type);
  if (type !== 'longrun' || service !== null) return {};
  const producerFor = producing(draft);
  const consumerFor = namesInLines(draft, 'consumer-for') ?? [];
  const name = bundleName(draft, producerFor !== undefined, consumerFor.length > 0);
  const pipeline: Pipeline = {
    ...(producerFor === undefined ? {} : { producerFor }),
    ...(consumerFor.length === 0 ? {} : { consumerFor: [...new Set(consumerFor)].sort() }),
    ...(name === undefined ? {} : { name }),
  };
  return Object.keys(pipeline).length === 0 ? {} : { pipeline };
}

function producing(draft: Draft): string | undefined {
  const names = namesInLines(draft, 'producer-for');
  if (names === undefined || names.length === 1) return names?.[0];
  // One that is no name was told already.
  const count = draft.problems.some(({ file }) => file === 'producer-for') ? 1 : names.length;
  if (count !== 1) refuse(draft, 'producer-for', null, `expected exactly one name, found ${count}`);
  return undefined;
}

function bundleName(draft: Draft, produces: boolean, consumes: boolean): string | undefined {
  const name = firstLine(draft, 'pipeline-name');
  if (name === undefined) return undefined;
  if (produces || !consumes) {
    notice(draft, "'pipeline-name' has a meaning only in the last consumer of a pipeline");
    return undefined;
  }
  const problem = plainNameProblem(name);
  if (problem === null) return name;
  refuse(draft, 'pipeline-name', 1, problem);
  return undefined;
}

/** Its stdin is taken, so it is a longrun without a terminal, and in no other pipeline. */
function refuseForLogger(draft: Draft, service: string, type: ServiceType): void {
  const { files } = draft.found;
  if (type !== 'longrun') {
    const file = files.has('type') ? 'type' : 'service.json';
    refuse(draft, file, null, `the logger of ${quoted(service)} must be a longrun, not a ${type}`);
  }
  for (const file of ['producer-for', 'consumer-for', 'pipeline-name']) {
    if (!files.has(file)) continue;
    refuse(draft, file, null, `the logger of ${quoted(service)} cannot be in another pipeline`);
  }
  if (draft.json.tty !== undefined) {
    const reason = `the logger of ${quoted(service)} reads a pipe and cannot have a 'tty'`;
    refuse(draft, 'service.json', draft.lineOf('tty'), reason);
  }
  if (files.has('log/')) notice(draft, "'log/' has no meaning in a logger");
}
