/**
 * Decides which modules of the kernel to load for a name or for what a device says of itself, and
 * in which order. It knows neither what is loaded already nor how loading is done.
 */
import type { ModulesConfig } from './modules-config.ts';
import {
  type Alias,
  type AliasFinder,
  aliasFinder,
  matchesPattern,
  plainName,
} from './modules-match.ts';
import type { ModuleFile, Softdep } from './modules-text.ts';

/** All that is known of the modules of one kernel. */
export type ModuleIndex = {
  readonly files: ReadonlyMap<string, ModuleFile>;
  readonly builtin: ReadonlySet<string>;
  readonly find: AliasFinder;
  readonly findConfigured: AliasFinder;
  readonly softdeps: ReadonlyMap<string, Softdep>;
  readonly config: ModulesConfig;
};

export type ModuleTexts = {
  readonly files: ReadonlyMap<string, ModuleFile>;
  readonly builtin: ReadonlySet<string>;
  readonly aliases: readonly Alias[];
  readonly softdeps: readonly Softdep[];
};

/** One module to load. */
export type Load = {
  readonly module: string;
  /** As in modules.dep. */
  readonly path: string;
  /** Its parameters, separated by spaces. */
  readonly options: string;
  /** Whether it is only a soft dependency: when it cannot be loaded, nothing is lost. */
  readonly soft: boolean;
};

export type Resolution = {
  /** In the order to load them in. */
  readonly loads: readonly Load[];
  /** Modules that were found and are not wanted. */
  readonly skipped: readonly { readonly module: string; readonly why: string }[];
  /** Whether there is such a module at all, as a file or in the kernel. */
  readonly known: boolean;
};

export function moduleIndex(texts: ModuleTexts, config: ModulesConfig): ModuleIndex {
  const softdeps = new Map<string, Softdep>();
  // What a person says of a module takes the place of what the module says itself.
  for (const softdep of [...config.softdeps, ...texts.softdeps]) {
    if (!softdeps.has(softdep.module)) softdeps.set(softdep.module, softdep);
  }
  return {
    files: texts.files,
    builtin: texts.builtin,
    find: aliasFinder(texts.aliases),
    findConfigured: aliasFinder(config.aliases),
    softdeps,
    config,
  };
}

/**
 * What modprobe(8) would load for `name`, a module or an alias: what it needs comes first. The
 * blacklist holds for modules found by an alias alone, not for one that is named and not for what
 * another needs. A name that nobody knows is nothing to load.
 */
export function resolve(index: ModuleIndex, name: string): Resolution {
  const walk: Walk = { index, loads: [], skipped: [], seen: new Set() };
  const known = addName(walk, name, false);
  return { loads: walk.loads, skipped: walk.skipped, known };
}

type Walk = {
  readonly index: ModuleIndex;
  readonly loads: Load[];
  readonly skipped: { module: string; why: string }[];
  readonly seen: Set<string>;
};

/** Who answers first holds: a person's alias, a file, a module's own aliases, the kernel. */
function addName(walk: Walk, name: string, soft: boolean): boolean {
  const { files, builtin, find, findConfigured } = walk.index;
  const module = plainName(name);
  const configured = findConfigured(name);
  if (configured.length > 0) return addFound(walk, configured, name, soft);
  if (files.has(module)) {
    addModule(walk, module, [module], soft);
    return true;
  }
  const found = find(name);
  return found.length > 0 ? addFound(walk, found, name, soft) : builtin.has(module);
}

/** Modules found by the alias `name`; whether one of them is there, wanted or not. */
function addFound(walk: Walk, modules: readonly string[], name: string, soft: boolean): boolean {
  let known = false;
  for (const module of modules) {
    const isFile = walk.index.files.has(module);
    known ||= isFile || walk.index.builtin.has(module);
    if (!isFile) continue;
    if (walk.index.config.blacklist.has(module)) walk.skipped.push({ module, why: 'blacklisted' });
    else addModule(walk, module, [module, plainName(name)], soft);
  }
  return known;
}

/** @param calledBy The names that options may have been said for. */
function addModule(walk: Walk, module: string, calledBy: readonly string[], soft: boolean): void {
  const { files, softdeps, config } = walk.index;
  const file = files.get(module);
  if (file === undefined || walk.seen.has(module)) return;
  // Before its needs, so that modules that name each other come to an end.
  walk.seen.add(module);
  const install = config.installs.find(({ pattern }) => matchesPattern(pattern, module));
  if (install !== undefined) {
    walk.skipped.push({ module, why: `instead of it: ${install.module || 'nothing'}` });
    return;
  }
  const softdep = softdeps.get(module);
  // The same walk as kmod's: all that belongs to each need, then the soft ones, then the module.
  for (const need of file.needs) addModule(walk, need, [need], soft);
  for (const name of softdep?.pre ?? []) addName(walk, name, true);
  const options = config.options.filter(({ name }) => calledBy.includes(name));
  const text = options.map((option) => option.text).join(' ');
  walk.loads.push({ module, path: file.path, options: text, soft });
  for (const name of softdep?.post ?? []) addName(walk, name, true);
}
