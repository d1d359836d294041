/**
 * What kernel modules say of themselves: the section `.modinfo` of a .ko file, and the files of
 * /lib/modules/VERSION that are made from it. Knows nothing of which modules are wanted.
 */
import { moduleName } from '../src/core/modules-text.ts';

export type ModuleInfo = {
  readonly name: string;
  /** Relative to /lib/modules/VERSION. */
  readonly path: string;
  readonly aliases: readonly string[];
  /** Modules whose symbols it uses. */
  readonly depends: readonly string[];
  readonly softdeps: readonly string[];
};

/** @throws {Error} when `elf` is no module for a 64-bit machine. */
export function moduleInfo(path: string, elf: Buffer): ModuleInfo {
  const section = sectionOf(elf, '.modinfo');
  if (section === null) throw new Error(`${path} is no kernel module: it has no .modinfo`);
  const entries = section.toString('utf8').split('\0');
  const valuesOf = (key: string): readonly string[] =>
    entries.filter((entry) => entry.startsWith(`${key}=`)).map((e) => e.slice(key.length + 1));
  return {
    name: moduleName(path),
    path,
    aliases: valuesOf('alias'),
    depends: valuesOf('depends').flatMap((list) => list.split(',').filter((name) => name !== '')),
    softdeps: valuesOf('softdep'),
  };
}

/** What `name` needs and itself, in the order to load them in. */
export function loadOrder(
  modules: ReadonlyMap<string, ModuleInfo>,
  name: string,
  order: Set<string> = new Set(),
): ReadonlySet<string> {
  const module = modules.get(name);
  if (module === undefined) throw new Error(`There is no module ${name}`);
  for (const need of module.depends) if (!order.has(need)) loadOrder(modules, need, order);
  return order.add(name);
}

/** The files that depmod(8) would write for `modules`, by name. Earlier modules come first. */
export function depmod(modules: ReadonlyMap<string, ModuleInfo>): Readonly<Record<string, string>> {
  const pathOf = (name: string): string => modules.get(name)?.path ?? '';
  const all = [...modules.values()];
  const needs = all.map(({ name }) => [...loadOrder(modules, name)].slice(0, -1).reverse());
  return {
    'modules.dep': lines(all.map(({ path }, i) => [`${path}:`, ...(needs[i] ?? []).map(pathOf)])),
    'modules.alias': lines(all.flatMap((m) => m.aliases.map((alias) => ['alias', alias, m.name]))),
    'modules.softdep': lines(
      all.flatMap((m) => m.softdeps.map((softdep) => ['softdep', m.name, softdep])),
    ),
  };
}

function lines(words: readonly (readonly string[])[]): string {
  return words.map((line) => `${line.join(' ')}\n`).join('');
}

/** Offsets in the header and in each section header of a 64-bit ELF file (elf(5)). */
const HEADER = { shoff: 0x28, shentsize: 0x3a, shnum: 0x3c, shstrndx: 0x3e } as const;
const SECTION = { name: 0, offset: 0x18, size: 0x20 } as const;
const ELF64_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);

function sectionOf(elf: Buffer, name: string): Buffer | null {
  if (!elf.subarray(0, 6).equals(ELF64_LITTLE_ENDIAN)) return null;
  const first = Number(elf.readBigUInt64LE(HEADER.shoff));
  const size = elf.readUInt16LE(HEADER.shentsize);
  const contentOf = (index: number): Buffer => {
    const at = first + index * size;
    const from = Number(elf.readBigUInt64LE(at + SECTION.offset));
    return elf.subarray(from, from + Number(elf.readBigUInt64LE(at + SECTION.size)));
  };
  const names = contentOf(elf.readUInt16LE(HEADER.shstrndx));
  for (let i = 0; i < elf.readUInt16LE(HEADER.shnum); i++) {
    const start = elf.readUInt32LE(first + i * size + SECTION.name);
    if (names.toString('latin1', start, names.indexOf(0, start)) === name) return contentOf(i);
  }
  return null;
}
