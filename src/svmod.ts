/**
 * svmod loads modules of the kernel: those that are named, those that people configured, and those
 * that the devices of the machine ask for. It runs once and ends; devices that come later are for
 * whoever listens to the kernel.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  announce,
  coldplug,
  configTexts,
  loadAll,
  loadedModules,
  modaliases,
  type Outcome,
  type Places,
  placesOf,
  readIndex,
} from './boot/modules.ts';
import { type KernelWord, splitKernelWords } from './core/kernel-words.ts';
import { type ModuleIndex, type Resolution, resolve } from './core/modules.ts';
import { modulesOfWords, parseModulesLoad } from './core/modules-config.ts';
import { SysError } from './sys/libc.ts';
import { openSystem } from './sys/open.ts';

const USAGE = `Usage: svmod [--configured] [--coldplug] [--trigger] [--list] [NAME...]

Loads each NAME, a module or an alias, after the modules it needs.
  --configured  what modules-load.d and modules-load= of the kernel command line name
  --coldplug    what the devices of this machine ask for
  --trigger     then has the kernel announce every device, for a device manager
  --list        shows what would be loaded, and loads nothing`;

type Wishes = {
  readonly names: readonly string[];
  readonly configured: boolean;
  readonly coldplug: boolean;
  readonly trigger: boolean;
  readonly list: boolean;
};

/**
 * @param argv Arguments after the program's name.
 * @returns The exit code: 0 all that was named or configured is there or left out on purpose, 1
 * something is not, 2 wrong usage. A driver that refuses a device is told and is no failure.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const wishes = parse(argv);
  if (typeof wishes === 'string') {
    process.stderr.write(`${wishes}\n`);
    return 2;
  }
  try {
    return run(wishes);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    complain(error.message);
    return 1;
  }
}

function parse(argv: readonly string[]): Wishes | string {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { configured: flag, coldplug: flag, trigger: flag, list: flag },
      allowPositionals: true,
    });
    const { configured, coldplug, trigger } = values;
    if (positionals.length > 0 || configured || coldplug || trigger) {
      return { ...values, names: positionals };
    }
    return USAGE;
  } catch (error) {
    return `svmod: ${error instanceof Error ? error.message : error}\n\n${USAGE}`;
  }
}

function run(wishes: Wishes): number {
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const places = placesOf(release);
  const { words } = splitKernelWords(readFileSync('/proc/cmdline', 'utf8'));
  const index = readIndex(places, words);
  index.config.problems.forEach(complain);
  const names = [...(wishes.configured ? configured(places, words) : []), ...wishes.names];
  if (wishes.list) {
    list(index, [...names, ...(wishes.coldplug ? modaliases(places) : [])]);
    return names.every((name) => resolve(index, name).known) ? 0 : 1;
  }
  const kernel = openSystem();
  const missing = names.filter((name) => !isLoaded(name, index, places, kernel));
  if (wishes.coldplug) coldplug(kernel, places, index, tell);
  const refused = wishes.trigger ? announce(places) : 0;
  if (refused > 0) complain(`${refused} devices could not be announced`);
  return missing.length > 0 ? 1 : 0;
}

function configured(places: Places, words: readonly KernelWord[]): readonly string[] {
  const texts = configTexts(places.config, 'modules-load.d');
  return [...texts.flatMap(({ text }) => parseModulesLoad(text)), ...modulesOfWords(words)];
}

/** Loads what `name` stands for; whether all of it is there now. */
function isLoaded(
  name: string,
  index: ModuleIndex,
  places: Places,
  kernel: ReturnType<typeof openSystem>,
): boolean {
  const resolution = resolve(index, name);
  explain(name, resolution);
  const outcomes = loadAll(kernel, places, resolution.loads, loadedModules(places));
  outcomes.forEach(tell);
  const failed = outcomes.some(({ load, result }) => result instanceof SysError && !load.soft);
  return resolution.known && !failed;
}

/** As `modprobe --show-depends`, for all names together. */
function list(index: ModuleIndex, names: readonly string[]): void {
  const shown = new Set<string>();
  for (const name of names) {
    for (const { module, path, options } of resolve(index, name).loads) {
      if (shown.has(module)) continue;
      shown.add(module);
      process.stdout.write(`${`${module} ${path} ${options}`.trimEnd()}\n`);
    }
  }
}

/** Why nothing came of a name. */
function explain(name: string, { known, skipped }: Resolution): void {
  if (!known) complain(`there is no module ${name}`);
  for (const { module, why } of skipped) complain(`${module} is left out: ${why}`);
}

function tell({ load, result }: Outcome): void {
  if (result === 'loaded') process.stdout.write(`${`${load.module} ${load.options}`.trimEnd()}\n`);
  else if (result instanceof SysError) complain(result.message);
}

function complain(message: string): void {
  process.stderr.write(`svmod: ${message}\n`);
}
