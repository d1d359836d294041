/**
 * The block devices of the machine and what is on them, and the one that root= or fstab(5) means.
 * For programs of their own, never for PID 1: it waits for devices, if no longer than it says.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type BlockNames, isMeant, parseBlockSpec } from '../core/block-spec.ts';
import type { Usage } from '../core/superblock.ts';
import { openSystem } from '../sys/open.ts';
import { type Content, PROBE_MS, type Probed, type Prober, Probes, type Target } from './probe.ts';

/** A device as the kernel lists it. */
export type BlockDevice = Target & {
  /** As below /sys/class/block: `sda1`. */
  readonly name: string;
  /** The disk it is part of, by that name; its own for a whole disk. */
  readonly disk: string;
  /** Null for a whole disk. */
  readonly partition: number | null;
  /** Where a partition begins on its disk, bytes. */
  readonly start: number;
  /** `8:1`. */
  readonly number: string;
};

/** What there is to know of one. All names are null where it has none or could not be read. */
export type Block = BlockDevice &
  BlockNames & {
    /** Of what is on it: `ext4`, `swap`, `crypto_LUKS`; null for nothing that is known. */
    readonly type: string | null;
    readonly usage: Usage | null;
    /** Why it could not be read. */
    readonly problem: string | null;
  };

/** `twins` are paths of others of the same name: which of them was meant nobody can tell. */
export type BlockFound = Block & { readonly twins: readonly string[] };

/** Who reads, and for how long a device may stay silent, milliseconds. */
export type BlockOptions = { readonly kernel?: Prober; readonly withinMs?: number };

/**
 * The device that `spec` means, as a value of root=: see `parseBlockSpec`. Null when there is none
 * now, or `spec` is no name of a device. Members of arrays are not meant by UUID= and LABEL=: the
 * array is. Of several the first by name.
 */
export function findBlock(spec: string, options: BlockOptions = {}): BlockFound | null {
  const wanted = parseBlockSpec(spec);
  if (wanted === null) return null;
  const devices = blockDevices();
  if (wanted.by === 'path' || wanted.by === 'number') {
    const number =
      wanted.by === 'path' ? numberOf(wanted.value) : `${wanted.major}:${wanted.minor}`;
    const device = devices.find((one) => one.number === number);
    if (device === undefined) return null;
    const family = devices.filter(({ name }) => name === device.name || name === device.disk);
    const all = readBlocks(family, options);
    const block = all.find(({ name }) => name === device.name);
    return block === undefined ? null : { ...block, twins: [] };
  }
  const { by, value, offset } = wanted;
  const all = readBlocks(devices, options);
  const [first, ...others] = all.filter((block) => isMeant(named(block), by, value));
  if (first === undefined) return null;
  const found = offset === 0 ? first : all.find((one) => isBehind(one, first, offset));
  return found === undefined ? null : { ...found, twins: others.map(({ path }) => path) };
}

/** All of them with what is on them, those that cannot be read included; in the order of names. */
export function blocks(options: BlockOptions = {}): readonly Block[] {
  return readBlocks(blockDevices(), options);
}

/**
 * Those that can be read: memory disks, floppies and the guarded areas of flash are left alone, as
 * are devices with nothing in them.
 */
export function blockDevices(): readonly BlockDevice[] {
  const names = list('/sys/class/block');
  return names.flatMap((name) => blockDevice(name) ?? []).sort(byName);
}

/** One of them by its name, or null. */
export function blockDevice(name: string): BlockDevice | null {
  if (name === '' || LEFT_ALONE.test(name)) return null;
  const home = `/sys/class/block/${name}`;
  const size = numberIn(`${home}/size`) * SECTOR;
  const number = textIn(`${home}/dev`);
  if (size <= 0 || number === '') return null;
  const partition = numberIn(`${home}/partition`);
  const disk = partition === 0 ? name : parentOf(home);
  return {
    name,
    // The kernel has no slash in the names of its devices, and writes `!` for it.
    path: `/dev/${name.replaceAll('!', '/')}`,
    number,
    disk,
    size,
    partition: partition === 0 ? null : partition,
    start: numberIn(`${home}/start`) * SECTOR,
    sector: numberIn(`/sys/class/block/${disk}/queue/logical_block_size`) || SECTOR,
    isDisk: partition === 0,
  };
}

/** `device` with what was read of it, and of its disk. */
export function blockOf(
  device: BlockDevice,
  own: Pick<Probed, 'content' | 'problem'>,
  disk: Content | null,
): Block {
  const { superblock = null } = own.content ?? {};
  const slot = disk?.table?.partitions.find(({ number, start }) => {
    return number === device.partition && start === device.start;
  });
  return {
    ...device,
    type: superblock?.type ?? null,
    usage: superblock?.usage ?? null,
    uuid: superblock?.uuid ?? null,
    label: superblock?.label ?? null,
    partuuid: slot?.uuid ?? null,
    partlabel: slot?.label ?? null,
    problem: own.problem,
  };
}

/** The names by which it may be meant: those of an array's member are the array's. */
export function named(block: Block): BlockNames {
  const { partuuid, partlabel, uuid, label } = block;
  const isMember = block.usage === 'member';
  return { partuuid, partlabel, uuid: isMember ? null : uuid, label: isMember ? null : label };
}

/** The kernel counts in these in /sys, whatever the device does. Documentation/ABI/stable. */
const SECTOR = 512;
const LEFT_ALONE = /^(?:ram|zram|fd)\d|^mmcblk\d+rpmb/;

/** Bound once: who waits for a device asks again and again. */
let bound: Prober | undefined;

function system(): Prober {
  bound ??= openSystem();
  return bound;
}

function readBlocks(devices: readonly BlockDevice[], options: BlockOptions): readonly Block[] {
  const probes = new Probes(options.kernel ?? system(), options.withinMs ?? PROBE_MS);
  const results = new Map<string, Probed>();
  try {
    for (const device of devices) probes.begin(device);
    while (probes.busy) {
      for (const probed of probes.wait(-1).probed) results.set(probed.path, probed);
    }
  } finally {
    probes.close();
  }
  const contents = new Map(devices.map(({ name, path }) => [name, results.get(path)]));
  return devices.map((device) => {
    const own = contents.get(device.name) ?? { content: null, problem: null };
    return blockOf(device, own, contents.get(device.disk)?.content ?? null);
  });
}

function isBehind(one: Block, first: Block, offset: number): boolean {
  if (one.partition === null || first.partition === null) return false;
  return one.disk === first.disk && one.partition === first.partition + offset;
}

/** The number of the device behind a path, links followed; null when there is none. */
function numberOf(path: string): string | null {
  try {
    const { rdev } = statSync(path);
    // gnu_dev_major and gnu_dev_minor of sys/sysmacros.h.
    const high = Math.floor(rdev / 2 ** 32);
    const low = rdev % 2 ** 32;
    const major = (Math.floor(low / 0x100) % 0x1000) | (high & 0xfffff000);
    const minor = (low % 0x100) + Math.floor(low / 0x100000) * 0x100;
    return `${major}:${minor}`;
  } catch {
    return null;
  }
}

/** The directory of a partition lies in that of its disk. */
function parentOf(home: string): string {
  try {
    return basename(dirname(readlinkSync(home)));
  } catch {
    return basename(home);
  }
}

function byName({ name: a }: BlockDevice, { name: b }: BlockDevice): number {
  return ordered(a) < ordered(b) ? -1 : 1;
}

/** So that `sda10` comes after `sda9`. */
function ordered(name: string): string {
  return name.replace(/\d+/g, (digits) => digits.padStart(10, '0'));
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function numberIn(file: string): number {
  return Number(textIn(file)) || 0;
}

/** A device may go while we look. */
function textIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
