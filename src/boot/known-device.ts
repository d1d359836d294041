/**
 * A block device as it is known while the devices are followed: what it is called, and the words
 * for it in the log.
 */
import type { Named } from '../core/device-links.ts';
import { type BlockDevice, blockOf, named } from './blocks.ts';
import type { Content, Probed } from './probe.ts';

export type Known = {
  readonly device: BlockDevice;
  /** Of its disk: see core/device-ids.ts. */
  readonly ids: readonly string[];
  readonly ways: readonly string[];
  /** Null until it has been read for the first time. */
  probed: Probed | null;
  /** What was said of it last. */
  told: string;
};

/** @param disk What is on the disk that it is, or is part of. */
export function namesOf(known: Known, disk: Content | null): Named {
  const { device, ids, ways, probed } = known;
  const block = blockOf(device, probed ?? { content: null, problem: null }, disk);
  return { path: device.path, partition: device.partition, ids, ways, ...named(block) };
}

/**
 * `sda1: ext4 UUID="..." LABEL="data"`, or why it cannot be said; nothing before it was read. The
 * names of a partition are in the table of its disk.
 */
export function wordsOf({ device, probed }: Known, disk: Content | null): string {
  if (probed === null) return '';
  if (probed.problem !== null) return `Cannot read ${device.path}: ${probed.problem}`;
  const block = blockOf(device, probed, disk);
  const table = probed.content?.table ?? null;
  const kind = table === null ? 'nothing known' : `a table of partitions (${table.kind})`;
  const names = Object.entries(named(block)).flatMap(([key, value]) => {
    return value === null ? [] : [`${key.toUpperCase()}=${JSON.stringify(value)}`];
  });
  return [`${device.name}:`, block.type ?? kind, ...names].join(' ');
}
