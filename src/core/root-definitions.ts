/**
 * Definitions of a root on their way to PID 1, which never reads a file of a root itself: as text,
 * as values again, and as specs that say which root they are from. What a definition means is
 * decided in spec-files.ts, for these as for all others.
 */
import * as v from 'valibot';
import { loggedBy, quoted } from './names.ts';
import { ROOT_SERVICE } from './root-places.ts';
import type { DirectoryTexts, Problem, Spec } from './spec.ts';

/** What was read in a root. */
export type RootScan = {
  readonly found: readonly DirectoryTexts[];
  readonly problems: readonly Problem[];
};

/** Of the text; a thousand definitions are about half a megabyte. */
export const ROOT_DEFINITIONS_BYTES_MAX: number = 4 * 1024 * 1024;

const VERSION = 1;

const Text = v.string();
const MaybeText = v.nullable(Text);
const Schema = v.strictObject({
  version: v.literal(VERSION),
  found: v.array(
    v.strictObject({
      name: Text,
      directory: Text,
      files: v.array(v.tuple([Text, Text, v.boolean()])),
    }),
  ),
  problems: v.array(
    v.strictObject({
      name: Text,
      directory: Text,
      file: MaybeText,
      line: v.nullable(v.number()),
      reason: Text,
    }),
  ),
});

/** The scan as one line. */
export function encodeRootScan({ found, problems }: RootScan): string {
  const texts = found.map(({ name, directory, files }) => ({
    name,
    directory,
    files: [...files].map(([path, { text, executable }]) => [path, text, executable]),
  }));
  return JSON.stringify({ version: VERSION, found: texts, problems });
}

/** Reads it back; a text that is not one gives the reason. */
export function decodeRootScan(
  text: string,
): { ok: true; scan: RootScan } | { ok: false; reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'it is not JSON' };
  }
  const result = v.safeParse(Schema, value);
  if (!result.success) return { ok: false, reason: 'it is not what svroot writes' };
  const found = result.output.found.map(({ name, directory, files }): DirectoryTexts => {
    const texts = files.map(([path, text, executable]) => [path, { text, executable }] as const);
    return { name, directory, dialect: 'svinit', files: new Map(texts) };
  });
  return { ok: true, scan: { found, problems: result.output.problems } };
}

/** The bundle in the root that stands for what is started at boot. */
const DEFAULT = 'default';

/**
 * `scan` with a bundle `name` for all that is to be started once the root is there: what the root's
 * own `default` holds, which has no other use here, or everything. One that is called `name`
 * already is taken as it is.
 */
export function withBundle({ found, problems }: RootScan, name: string): RootScan {
  if (found.some((texts) => texts.name === name)) return { found, problems };
  const usual = found.find((texts) => texts.name === DEFAULT);
  if (usual !== undefined) {
    const others = found.filter((texts) => texts !== usual);
    return { found: [...others, { ...usual, name }], problems };
  }
  // Loggers come with their services.
  const services = found.filter((texts) => loggedBy(texts.name) === null);
  const members = services.map((texts): [string, { text: string; executable: boolean }] => [
    `contents.d/${texts.name}`,
    { text: '', executable: false },
  ]);
  const bundle: DirectoryTexts = {
    name,
    directory: '',
    dialect: 'svinit',
    files: new Map([
      ['type', { text: 'bundle\n', executable: false }],
      ['contents.d/', { text: '', executable: false }],
      ...members,
    ]),
  };
  return { found: [...found, bundle], problems };
}

/**
 * What is left of `scan` beside definitions with the names `taken`: those stand, and one sentence
 * for each tells so.
 */
export function withoutTaken(
  scan: RootScan,
  taken: ReadonlySet<string>,
  root: string,
): RootScan & { readonly notices: readonly string[] } {
  // With a service goes its logger, which is not that of another of the same name.
  const isTaken = ({ name }: { readonly name: string }): boolean =>
    taken.has(name) || taken.has(loggedBy(name) ?? name);
  return {
    found: scan.found.filter((texts) => !isTaken(texts)),
    problems: scan.problems.filter((problem) => !isTaken(problem)),
    notices: scan.found
      .filter(({ name }) => taken.has(name))
      .map(({ name }) => `${name}: the root ${quoted(root)} has one too, which is not used`),
  };
}

/** `spec` as a service of `root`: it runs there, and not before the root is there. */
export function ofRoot(spec: Spec, root: string): Spec {
  if (spec.type === 'bundle') return { ...spec, root };
  const needs = [...new Set([...spec.needs, ROOT_SERVICE])].sort();
  return { ...spec, root, needs };
}

/** 111 as for the chain of a service; shells set these variables, and nobody asked for them. */
const ENTER = 'cd "$0" || exit 111; unset PWD OLDPWD SHLVL; exec "$@"';

/**
 * The command line that runs `argv` in the directory `cwd` of a root, whose mount namespace is held
 * at `pin`. `shell` is a shell in that root; all else is of the initramfs.
 */
export function enterArguments(
  pin: string,
  shell: string,
  cwd: string,
  argv: readonly string[],
): string[] {
  return ['nsenter', `--mount=${pin}`, shell, '-c', ENTER, cwd, ...argv];
}
