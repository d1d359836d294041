/**
 * The files that depmod(8) leaves in /lib/modules/VERSION, as values. They are made by programs: a
 * line that says nothing we understand is passed over, as kmod does.
 */
import { type Alias, plainName } from './modules-match.ts';

/** A module that is a file. */
export type ModuleFile = {
  /** As in modules.dep: relative to /lib/modules/VERSION, or absolute. */
  readonly path: string;
  /** Names of the modules that must be loaded before it, in that order. */
  readonly needs: readonly string[];
};

/** What is to be loaded around a module where it exists; its absence is no failure. */
export type Softdep = {
  readonly module: string;
  readonly pre: readonly string[];
  readonly post: readonly string[];
};

/**
 * modules.dep(5): `PATH: PATH...`, the needs in the reverse of the order they are loaded in. By
 * the name of the module.
 */
export function parseDep(text: string): ReadonlyMap<string, ModuleFile> {
  const files = new Map<string, ModuleFile>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const path = line.slice(0, Math.max(colon, 0)).trim();
    if (path === '') continue;
    const needs = wordsOf(line.slice(colon + 1)).map(moduleName);
    files.set(moduleName(path), { path, needs: needs.reverse() });
  }
  return files;
}

/** modules.alias: `alias PATTERN MODULE`. */
export function parseAliases(text: string): readonly Alias[] {
  return text.split('\n').flatMap((line) => {
    const [keyword, pattern, module] = wordsOf(line);
    if (keyword !== 'alias' || pattern === undefined || module === undefined) return [];
    return [{ pattern, module: plainName(module) }];
  });
}

/** modules.softdep: `softdep MODULE pre: NAME... post: NAME...`. */
export function parseSoftdeps(text: string): readonly Softdep[] {
  return text.split('\n').flatMap((line) => {
    const [keyword, ...words] = wordsOf(line);
    return keyword === 'softdep' && words[0] !== undefined ? [softdepOf(words)] : [];
  });
}

/** The words of a softdep, the module first. What stands before `pre:` and `post:` says nothing. */
export function softdepOf([module = '', ...words]: readonly string[]): Softdep {
  const lists: Record<'none' | 'pre' | 'post', string[]> = { none: [], pre: [], post: [] };
  let list = lists.none;
  for (const word of words) {
    if (word === 'pre:' || word === 'post:') list = lists[word === 'pre:' ? 'pre' : 'post'];
    else list.push(word);
  }
  return { module: plainName(module), pre: lists.pre, post: lists.post };
}

/** modules.builtin: a path for each module that is part of the kernel. Their names. */
export function parseBuiltin(text: string): ReadonlySet<string> {
  return new Set(wordsOf(text).map(moduleName));
}

/**
 * modules.builtin.modinfo: `MODULE.KEY=VALUE`, each with a NUL behind it. The aliases of modules
 * that are part of the kernel.
 */
export function parseBuiltinAliases(text: string): readonly Alias[] {
  return text.split('\0').flatMap((entry) => {
    const [, module, pattern] = /^([^.=]+)\.alias=(.*)$/s.exec(entry) ?? [];
    if (module === undefined || pattern === undefined) return [];
    return [{ pattern, module: plainName(module) }];
  });
}

/** `virtio_rng` for `kernel/drivers/char/hw_random/virtio-rng.ko.xz`. */
export function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return plainName(file.replace(/\.ko(\.\w+)?$/, ''));
}

export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
