/**
 * The links below /dev/disk: which names a block device has, and which device a name leads to when
 * several have it. It knows nothing of what is on a disk beyond its names.
 */
import { type BlockNames, encodedName } from './block-spec.ts';

/** A device that has names. */
export type Named = BlockNames & {
  /** Its node: `/dev/sda1`. */
  readonly path: string;
  readonly partition: number | null;
  /** Of the disk it is or is part of: names by the hardware, and by the way to it. */
  readonly ids: readonly string[];
  readonly ways: readonly string[];
};

/** A link by its path below /dev/disk, `by-label/data`, and the node that it leads to. */
export type LinkTable = ReadonlyMap<string, string>;

/**
 * The links that there shall be for `devices`. A name that several have leads to the one it leads
 * to in `held`, if that is one of them, else to the first: what is plugged in later takes no name
 * away.
 */
export function linkTable(devices: readonly Named[], held: LinkTable): LinkTable {
  const table = new Map<string, string>();
  for (const device of devices) {
    for (const link of linksOf(device)) {
      if (!table.has(link) || held.get(link) === device.path) table.set(link, device.path);
    }
  }
  return table;
}

/** What is to be removed from the links `before`, and what to be made, to have `after`. */
export function linkChanges(
  before: LinkTable,
  after: LinkTable,
): { readonly gone: readonly string[]; readonly made: readonly (readonly [string, string])[] } {
  return {
    gone: [...before.keys()].filter((link) => !after.has(link)),
    made: [...after].filter(([link, path]) => before.get(link) !== path),
  };
}

/** The links of one device, as the rules of udev name them (60-persistent-storage.rules). */
export function linksOf(device: Named): readonly string[] {
  const part = device.partition === null ? '' : `-part${device.partition}`;
  const own = KEYS.flatMap((key) => {
    const name = device[key];
    return name === null ? [] : [[key, name] as const];
  });
  return [
    ...own.map(([key, name]) => [`by-${key}`, encodedName(name)] as const),
    ...device.ids.map((id) => ['by-id', encodedName(id) + part] as const),
    ...device.ways.map((way) => ['by-path', encodedName(way) + part] as const),
  ].flatMap(([directory, name]) => {
    // Names that are directories, or too long for a file, are no names of links.
    return name === '.' || name === '..' || name.length > NAME_MAX ? [] : [`${directory}/${name}`];
  });
}

const KEYS = ['uuid', 'label', 'partuuid', 'partlabel'] as const;
/** linux/limits.h, bytes; what is encoded counts as such, the rest may be two or more. */
const NAME_MAX = 120;
