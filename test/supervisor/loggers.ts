/**
 * The loggers of s6 and runit, as Debian has them, inside an instance: their programs are put there
 * while it runs, since an image has none of them.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Instance } from './instance.ts';

const PROGRAMS = ['s6-log', 'svlogd'];

/** False, or why the loggers cannot be run: a tap `skip`. */
export const SKIP: false | string = missing();

function missing(): false | string {
  const absent = PROGRAMS.filter((name) => pathOf(name) === null);
  return absent.length > 0 && `not there: ${absent.join(', ')} (scripts/need.sh s6-log svlogd)`;
}

function pathOf(name: string): string | null {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** Where they are inside, with what they need beside the C library. */
const PLACE = '/run/loggers';

/** A script that becomes the logger `command` as soon as it is there. */
export function logger(command: string): string {
  return [
    '#!/bin/sh',
    `while ! test -e ${PLACE}/ready; do sleep 0.05; done`,
    `export LD_LIBRARY_PATH=${PLACE}`,
    `exec ${PLACE}/${command}`,
    '',
  ].join('\n');
}

/** Puts the programs into `svinit`, and with them files by their absolute paths. */
export function provide(svinit: Instance, files: Readonly<Record<string, string>> = {}): void {
  const place = svinit.path(PLACE);
  mkdirSync(place);
  for (const name of PROGRAMS) {
    const path = pathOf(name);
    if (path === null) throw new Error(`There is no ${name}`);
    const libraries = execFileSync('ldd', [path], { encoding: 'utf8' });
    const own = [...libraries.matchAll(/=> (\S*skarnet\S*)/g)].map((found) => found[1] ?? '');
    for (const file of [path, ...own]) copyFileSync(file, join(place, basename(file)));
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(svinit.path(join(path, '..')), { recursive: true });
    writeFileSync(svinit.path(path), text);
  }
  writeFileSync(join(place, 'unfinished'), '');
  renameSync(join(place, 'unfinished'), join(place, 'ready'));
}
