/**
 * Reads what is known of the modules of the kernel that runs, finds devices that wait for one, and
 * loads. It does not know what to load or in which order: core/modules.ts does.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import type { KernelWord } from '../core/kernel-words.ts';
import { type Load, type ModuleIndex, moduleIndex, resolve } from '../core/modules.ts';
import { type ConfigText, parseModulesConfig } from '../core/modules-config.ts';
import {
  parseAliases,
  parseBuiltin,
  parseBuiltinAliases,
  parseDep,
  parseSoftdeps,
} from '../core/modules-text.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { SysError } from '../sys/libc.ts';

/** Where things are; tests have a tree of their own. */
export type Places = {
  /** /lib/modules/VERSION of the kernel that runs. */
  readonly modules: string;
  /** Directories that modprobe.d and modules-load.d are in, the most important first. */
  readonly config: readonly string[];
  readonly devices: string;
  /** The modules that are loaded: /proc/modules. */
  readonly loaded: string;
};

/** What can be asked to load modules: a Kernel. */
export type Loader = Pick<Kernel, 'open' | 'close' | 'loadModule'>;

/** What became of one module; `present` is one that was loaded before. */
export type Outcome = {
  readonly load: Load;
  readonly result: 'loaded' | 'present' | SysError;
};

/** The places of a machine whose kernel says it is `release`. */
export function placesOf(release: string): Places {
  return {
    modules: `/lib/modules/${release}`,
    config: ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'],
    devices: '/sys/devices',
    loaded: '/proc/modules',
  };
}

/**
 * All that is known of the modules in `places`.
 * @param words Those of the kernel command line.
 * @throws {Error} when there is no modules.dep: without it nothing can be found.
 */
export function readIndex(places: Places, words: readonly KernelWord[]): ModuleIndex {
  const text = (name: string): string => textOf(join(places.modules, name));
  const config = parseModulesConfig(configTexts(places.config, 'modprobe.d'), words);
  return moduleIndex(
    {
      files: parseDep(readFileSync(join(places.modules, 'modules.dep'), 'utf8')),
      builtin: parseBuiltin(text('modules.builtin')),
      aliases: [
        ...parseAliases(text('modules.alias')),
        ...parseBuiltinAliases(text('modules.builtin.modinfo')),
      ],
      softdeps: parseSoftdeps(text('modules.softdep')),
    },
    config,
  );
}

/**
 * The `.conf` files of the directory `folder` in all of `directories`, sorted by name. Of two with
 * the same name the one in the more important directory holds.
 */
export function configTexts(directories: readonly string[], folder: string): readonly ConfigText[] {
  const files = new Map<string, string>();
  for (const directory of directories) {
    for (const name of namesIn(join(directory, folder))) {
      if (name.endsWith('.conf') && !files.has(name))
        files.set(name, join(directory, folder, name));
    }
  }
  const sorted = [...files.values()].sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
  return sorted.map((file) => ({ file, text: textOf(file) }));
}

/** The modules that are there now, by name. */
export function loadedModules(places: Places): Set<string> {
  const lines = textOf(places.loaded).split('\n');
  return new Set(lines.map((line) => line.split(' ', 1)[0] ?? '').filter((name) => name !== ''));
}

/** What the devices of the machine say they are, each text once: the contents of modalias files. */
export function modaliases(places: Places): readonly string[] {
  const texts = filesNamed(places.devices, 'modalias').map((file) => textOf(file).trim());
  return [...new Set(texts)].filter((text) => text !== '').sort();
}

/**
 * Loads one after the other, those that are there already left out.
 * @param loaded What is there; what is loaded is added.
 */
export function loadAll(
  loader: Loader,
  places: Places,
  loads: readonly Load[],
  loaded: Set<string>,
): readonly Outcome[] {
  return loads.flatMap((load): readonly Outcome[] => {
    if (loaded.has(load.module)) return [];
    const result = loadOne(loader, places, load);
    if (!(result instanceof SysError)) loaded.add(load.module);
    return [{ load, result }];
  });
}

/**
 * Loads what the devices of the machine ask for, and then what the devices ask for that appeared
 * thereby, until there are no new ones. A module is asked for once, whatever became of it.
 */
export function coldplug(
  loader: Loader,
  places: Places,
  index: ModuleIndex,
  tell: (outcome: Outcome) => void,
): void {
  const loaded = loadedModules(places);
  const asked = new Set<string>();
  const tried = new Set<string>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const fresh = modaliases(places).filter((name) => !asked.has(name));
    if (fresh.length === 0) return;
    for (const name of fresh) {
      asked.add(name);
      const loads = resolve(index, name).loads.filter(({ module }) => !tried.has(module));
      for (const { module } of loads) tried.add(module);
      loadAll(loader, places, loads, loaded).forEach(tell);
    }
  }
}

/** Has the kernel say of every device that it was added; how many could not be asked. */
export function announce(places: Places): number {
  let refused = 0;
  for (const file of filesNamed(places.devices, 'uevent')) {
    try {
      writeFileSync(file, 'add');
    } catch {
      refused += 1;
    }
  }
  return refused;
}

/** A bus behind a bus behind a bus: more rounds than that are no machine that was switched on. */
const ROUNDS_MAX = 32;

function loadOne(loader: Loader, places: Places, load: Load): Outcome['result'] {
  const path = isAbsolute(load.path) ? load.path : join(places.modules, load.path);
  try {
    const fd = loader.open(path, O.RDONLY);
    try {
      const isNew = loader.loadModule(fd, load.module, load.options, !path.endsWith('.ko'));
      return isNew ? 'loaded' : 'present';
    } finally {
      loader.close(fd);
    }
  } catch (error) {
    if (error instanceof SysError) return error;
    throw error;
  }
}

/** Files of that name below `directory`, links not followed. A device may go while we look. */
function filesNamed(directory: string, name: string): readonly string[] {
  const found: string[] = [];
  const open = [directory];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of entriesIn(next)) {
      const path = `${next}/${entry.name}`;
      if (entry.isDirectory()) open.push(path);
      else if (entry.name === name && entry.isFile()) found.push(path);
    }
  }
  return found.sort();
}

function entriesIn(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

function namesIn(directory: string): readonly string[] {
  return entriesIn(directory).map(({ name }) => name);
}

/** What cannot be read says nothing: it is optional, or a device that has just gone. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
