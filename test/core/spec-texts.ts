/** Service directories as values, the way the scan hands them to the parser. */
import type { Dialect, DirectoryTexts, FoundFile, Problem, Spec } from '../../src/core/spec.ts';
import { type ParsedSpec, parseSpec } from '../../src/core/spec-files.ts';

/** `run` and `finish` are executable; `*` before a name makes any other file so, or these not. */
export function texts(
  files: Readonly<Record<string, string>>,
  dialect: Dialect = 'svinit',
  name = 'web',
): DirectoryTexts {
  const entries = Object.entries(files).map(([path, text]): [string, FoundFile] => {
    const plain = path.replace(/^\*/, '');
    const program = plain === 'run' || plain === 'finish';
    return [plain, { text, executable: program !== path.startsWith('*') }];
  });
  return { name, directory: `/services/${name}`, dialect, files: new Map(entries) };
}

/** Parses a directory of the native dialect. */
export const parse = (files: Readonly<Record<string, string>>, dialect?: Dialect): ParsedSpec =>
  parseSpec(texts(files, dialect));

/** The Spec of a directory that must be good. */
export function good(files: Readonly<Record<string, string>>, dialect?: Dialect): Spec {
  const { spec, problems } = parse(files, dialect);
  if (spec === null) throw new Error(`Refused: ${problems.map(told).join('; ')}`);
  return spec;
}

/** What is wrong with a directory that must be refused, one `file:line: reason` each. */
export function refusals(files: Readonly<Record<string, string>>, dialect?: Dialect): string[] {
  const { spec, problems } = parse(files, dialect);
  if (spec !== null) throw new Error('Accepted, but ought to be refused');
  return problems.map(told);
}

/** A longrun with this service.json. */
export const withJson = (json: string): Readonly<Record<string, string>> => ({
  run: '#!/bin/sh',
  'service.json': json,
});

export function told({ file, line, reason }: Problem): string {
  return `${file ?? ''}${line === null ? '' : `:${line}`}: ${reason}`;
}
