/**
 * A service directory becomes a Spec: what each file means, which defaults its dialect has, and
 * what service.json adds. Every malformed value refuses the whole definition and is named with
 * file, line and what was expected; nothing is guessed. It knows texts, not the disk.
 */
import { quoted } from './names.ts';
import { asTheySay, NO_JSON } from './service-json.ts';
import type {
  Dialect,
  DirectoryTexts,
  Problem,
  Readiness,
  RestartPolicy,
  ServiceType,
  Spec,
} from './spec.ts';
import { conduct } from './spec-conduct.ts';
import {
  agree,
  type Draft,
  firstLine,
  namesFiles,
  notice,
  refuse,
  uintFile,
} from './spec-draft.ts';
import { environment } from './spec-environment.ts';
import { readServiceJson } from './spec-json.ts';
import { noteFiles, refuseKeys } from './spec-known.ts';
import { pipelineOf } from './spec-pipeline.ts';
import { readinessOf } from './spec-probe.ts';
import { programs } from './spec-programs.ts';
import { refuseClash, socketsOf } from './spec-sockets.ts';
import { stopping } from './spec-stopping.ts';
import { closest, didYouMean } from './suggest.ts';
import { ms } from './units.ts';

export type ParsedSpec = {
  /** Null when there is any problem. */
  readonly spec: Spec | null;
  readonly problems: readonly Problem[];
  /** What is in the directory and has no effect yet, or another one than expected. */
  readonly notices: readonly string[];
};

/** Reads the texts of one service directory. */
export function parseSpec(found: DirectoryTexts): ParsedSpec {
  const draft = draftOf(found);
  const type = typeOf(draft);
  noteFiles(draft, type);
  refuseKeys(draft, type);
  const dialect = draft.json.dialect ?? found.dialect;
  const { start, finish, down } = programs(draft, type, dialect);
  const { cwd, description, early, tty } = draft.json;
  const env = environment(draft, dialect);
  const { needs, wants, after, before, contents } = relations(draft, type);
  const said = readiness(draft, type);
  const first = initially(draft, type);
  const kept = essential(draft);
  const { stopSignal, stopWithin, upWithin, downWithin, finishWithin } = stopping(
    draft,
    type,
    dialect,
  );
  // One literal: objects that are spread into another cost as much as all the rest.
  const plain: Spec = {
    name: found.name,
    type,
    dialect,
    directory: found.directory,
    description: description ?? '',
    start,
    finish,
    down,
    cwd: cwd ?? found.directory,
    env,
    needs,
    wants,
    after,
    before,
    contents,
    ready: said,
    initially: first,
    early: early ?? false,
    essential: kept,
    tty: tty ?? null,
    stopSignal,
    stopWithin,
    upWithin,
    downWithin,
    finishWithin,
    restart: restart(draft, type),
  };
  const spec = withRest(plain, draft, dialect);
  refuseClash(draft, spec);
  const { problems, notices } = draft;
  return { spec: problems.length === 0 ? spec : null, problems, notices };
}

/** What most definitions do not say: keys that are absent where it is not said. */
function withRest(plain: Spec, draft: Draft, dialect: Dialect): Spec {
  const { type } = plain;
  const ways = conduct(draft, type, dialect);
  const more = draft.json === NO_JSON ? {} : asTheySay(draft.json);
  const pipes = pipelineOf(draft, type);
  const sockets = draft.json === NO_JSON ? {} : socketsOf(draft);
  const rest = [ways, more, pipes, sockets].filter((some) => Object.keys(some).length > 0);
  return rest.length === 0 ? plain : Object.assign({}, plain, ...rest);
}

function draftOf(found: DirectoryTexts): Draft {
  const draft = { found, json: NO_JSON, lineOf: noLine, problems: [], notices: [] };
  const text = found.files.get('service.json')?.text;
  if (text === undefined) return draft;
  const read = readServiceJson(text);
  if (read.ok) return { ...draft, json: read.value, lineOf: read.lineOf };
  for (const { line, reason } of read.problems) refuse(draft, 'service.json', line, reason);
  return draft;
}

const noLine = (): null => null;

const TYPES: readonly ServiceType[] = ['longrun', 'oneshot', 'bundle'];

function typeOf(draft: Draft): ServiceType {
  const text = firstLine(draft, 'type');
  if (text === undefined) return draft.json.type ?? 'longrun';
  const type = TYPES.find((known) => known === text);
  if (type === undefined) {
    const hint = didYouMean(text, TYPES);
    const reason = `expected longrun, oneshot or bundle, found ${quoted(text)}${hint}`;
    refuse(draft, 'type', 1, reason);
  }
  const near = closest(text, TYPES);
  // A type that is nearly right saves the reader the problems that would follow from another.
  const assumed = TYPES.find((known) => known === near) ?? 'longrun';
  return agree(draft, 'type', type, 'type', draft.json.type) ?? assumed;
}

type Relations = Pick<Spec, 'needs' | 'wants' | 'after' | 'before' | 'contents'>;

function relations(draft: Draft, type: ServiceType): Relations {
  const { json } = draft;
  const listed = (directory: string, list: string): readonly string[] | undefined =>
    sorted(namesFiles(draft, directory, list));
  const needs =
    type === 'bundle'
      ? undefined
      : agree(
          draft,
          'dependencies.d',
          listed('dependencies.d', 'dependencies'),
          'needs',
          sorted(json.needs),
        );
  const contents =
    type === 'bundle'
      ? agree(
          draft,
          'contents.d',
          listed('contents.d', 'contents'),
          'contents',
          sorted(json.contents),
        )
      : undefined;
  return {
    needs: needs ?? [],
    wants: sorted(json.wants) ?? [],
    after: sorted(json.after) ?? [],
    before: sorted(json.before) ?? [],
    contents: contents ?? [],
  };
}

/** The order of names says nothing, so that it may not make a difference either. */
function sorted(names: readonly string[] | undefined): readonly string[] | undefined {
  return names === undefined ? undefined : [...new Set(names)].sort();
}

/** The largest descriptor that every service may have, whatever its limit (RLIMIT_NOFILE, 1024). */
const FD_MAX = 1023;

function readiness(draft: Draft, type: ServiceType): Readiness {
  const what = `a descriptor from 1 to ${FD_MAX}`;
  const fd = type === 'longrun' ? uintFile(draft, 'notification-fd', what, 1, FD_MAX) : undefined;
  if (fd !== undefined && fd < 3) {
    notice(draft, `notification-fd ${fd} takes the place of its output, which is not logged`);
  }
  const fromFile = fd === undefined ? undefined : { fd };
  const ready = agree(draft, 'notification-fd', fromFile, 'ready', draft.json.ready) ?? 'spawn';
  return readinessOf(ready);
}

/**
 * A directory that says its type is part of a set and wanted when the set is (s6-rc); one that
 * does not is wanted because it is there (s6-svscan, runsvdir). `down` keeps it down.
 */
function initially(draft: Draft, type: ServiceType): Spec['initially'] {
  const { found, json } = draft;
  const down = type === 'longrun' && found.files.has('down') ? 'down' : undefined;
  const typed = found.files.has('type') || json.type !== undefined;
  return agree(draft, 'down', down, 'initially', json.initially) ?? (typed ? 'target' : 'up');
}

function essential(draft: Draft): boolean {
  const file = 'flag-essential';
  const fromFile = draft.found.files.has(file) ? true : undefined;
  return agree(draft, file, fromFile, 'essential', draft.json.essential) ?? false;
}

function restart({ json }: Draft, type: ServiceType): RestartPolicy {
  const { when, limit, window } = json.restart ?? {};
  return {
    when: type === 'longrun' ? (when ?? 'always') : 'never',
    limit: limit ?? null,
    window: window ?? ms(60_000),
  };
}
