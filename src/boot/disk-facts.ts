/**
 * Asks /sys what a disk is and where it sits. It does not know what names come of it.
 */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DiskFacts } from '../core/device-ids.ts';

/** Of the disk `name` below /sys/class/block; empty where there is nothing to say. */
export function diskFacts(name: string): DiskFacts {
  const home = orNull(() => realpathSync(`/sys/class/block/${name}`)) ?? '';
  const text = (file: string): string => {
    return (orNull(() => readFileSync(join(home, file), 'utf8')) ?? '').trim();
  };
  const ata = /^(.*\/ata\d+)\/host/.exec(home)?.[1] ?? null;
  return {
    home,
    serial: text('serial') || text('device/serial'),
    model: text('device/model'),
    vendor: text('device/vendor'),
    wwid: text('wwid'),
    vpd83: orNull(() => readFileSync(join(home, 'device/vpd_pg83'))) ?? new Uint8Array(),
    namespace: text('nsid'),
    port: ata === null ? '' : portOf(ata),
    hosts: hostsBeside(home),
    dmName: text('dm/name'),
    dmUuid: text('dm/uuid'),
  };
}

function portOf(ata: string): string {
  const [port] = orNull(() => readdirSync(join(ata, 'ata_port'))) ?? [];
  const file = join(ata, 'ata_port', port ?? '', 'port_no');
  return (orNull(() => readFileSync(file, 'utf8')) ?? '').trim();
}

/** The SCSI hosts of the controller that has the disk. */
function hostsBeside(home: string): readonly number[] {
  const host = /^(.*\/host\d+)\//.exec(home)?.[1];
  const names = host === undefined ? [] : (orNull(() => readdirSync(dirname(host))) ?? []);
  return names.flatMap((name) => /^host(\d+)$/.exec(name)?.[1] ?? []).map(Number);
}

/** What is not there says nothing: no disk has all of it, and any may go while we look. */
function orNull<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}
