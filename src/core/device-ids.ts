/**
 * What a disk is called by its hardware and by the way to it, as udev would call it: path_id,
 * scsi_id and ata_id of systemd, for the buses a machine boots from. A bus that is not known here
 * gives no name. It reads nothing: /sys is handed in as texts.
 */
import { asciiAt, hexAt } from './device-bytes.ts';

/** What /sys says of a disk; all may be empty. */
export type DiskFacts = {
  /** Its directory: `/sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda`. */
  readonly home: string;
  /** `serial` of virtio; `device/model` and `device/serial` of NVMe; `device/vendor` of SCSI. */
  readonly serial: string;
  readonly model: string;
  readonly vendor: string;
  /** `wwid` of NVMe. */
  readonly wwid: string;
  /** `device/vpd_pg83` of SCSI: the designators of SPC-5, 7.7.6. */
  readonly vpd83: Uint8Array;
  /** `nsid` of NVMe. */
  readonly namespace: string;
  /** `port_no` of the ATA port it is on. */
  readonly port: string;
  /** Numbers of the SCSI hosts that its controller has. */
  readonly hosts: readonly number[];
  /** `dm/name` and `dm/uuid` of what device-mapper made. */
  readonly dmName: string;
  readonly dmUuid: string;
};

/** Names for /dev/disk/by-id, without the number of a partition. */
export function idsOf(facts: DiskFacts): readonly string[] {
  const { home, serial, model, wwid, dmName, dmUuid } = facts;
  if (dmName !== '' || dmUuid !== '') {
    return [
      ...(dmName === '' ? [] : [`dm-name-${dmName}`]),
      ...(dmUuid === '' ? [] : [`dm-uuid-${dmUuid}`]),
    ];
  }
  if (/\/virtio\d+\/block\//.test(home)) return serial === '' ? [] : [`virtio-${joined(serial)}`];
  if (/\/nvme\d+n\d+$/.test(home)) {
    return [
      ...(model === '' || serial === '' ? [] : [`nvme-${joined(model)}_${joined(serial)}`]),
      ...(wwid === '' ? [] : [`nvme-${joined(wwid)}`]),
    ];
  }
  // On USB a stick is named by USB's own descriptors, which are not read here.
  if (/\/usb\d+\//.test(home)) return [];
  const all = designators(facts.vpd83);
  const ata = all.map(({ bytes }) => asciiAt(bytes, 0, bytes.length)).find(isAta);
  const wwn = all.find(({ codes, kind }) => codes === BINARY && kind === NAA);
  return [
    ...(ata === undefined ? scsiId(all, facts) : [`ata-${ataName(ata)}`]),
    ...(wwn === undefined ? [] : [`wwn-0x${hexAt(wwn.bytes, 0, wwn.bytes.length)}`]),
  ];
}

/** Names for /dev/disk/by-path, without the number of a partition. */
export function waysOf(facts: DiskFacts): readonly string[] {
  const { home, namespace, port, hosts } = facts;
  const base = baseOf(home);
  if (base === null) return [];
  const scsi = /\/host(\d+)\/target[^/]*\/(?:\d+):(\d+):(\d+):(\d+)\/block\//.exec(home);
  const [host = 0, channel = 0, target = 0, lun = 0] = scsi?.slice(1).map(Number) ?? [];
  const lowest = hosts.length === 0 ? host : Math.min(...hosts);
  const address = scsi === null ? '' : `-scsi-${host - lowest}:${channel}:${target}:${lun}`;
  if (/\/virtio\d+\//.test(home)) {
    const old = base.startsWith('pci-') && scsi === null ? [`virtio-${base}`] : [];
    return [`${base}${address}`, ...old];
  }
  if (/\/ata\d+\/host/.test(home)) {
    return port === '' ? [] : [`${base}-ata-${port}.${target}`, `${base}-ata-${port}`];
  }
  if (/\/nvme\d+n\d+$/.test(home)) return namespace === '' ? [] : [`${base}-nvme-${namespace}`];
  const usb = /\/\d+-([\d.]+:\d+\.\d+)\/host/.exec(home);
  if (usb !== null) return [`${base}-usb-0:${usb[1]}-scsi-0:${channel}:${target}:${lun}`];
  return scsi === null ? [] : [base + address];
}

type Designator = { readonly codes: number; readonly kind: number; readonly bytes: Uint8Array };

/** The last bus before the disk that has numbers of its own. */
function baseOf(home: string): string | null {
  const pci = home.match(/\/[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=\/)/g)?.at(-1);
  if (pci !== undefined) return `pci-${pci.slice(1)}`;
  const platform = /^\/sys\/devices\/platform\/(?:.*?\/)??([^/]+)\/(?:virtio|ata|host)\d/.exec(
    home,
  );
  return platform === null ? null : `platform-${platform[1]}`;
}

/** Those of the unit itself (association 0), each of its length. */
function designators(page: Uint8Array): readonly Designator[] {
  const found: Designator[] = [];
  if (page[1] !== 0x83) return found;
  for (let at = 4; at + 4 <= page.length; at += 4 + (page[at + 3] ?? 0)) {
    const kind = page[at + 1] ?? 0;
    const bytes = page.subarray(at + 4, at + 4 + (page[at + 3] ?? 0));
    if ((kind & 0x30) === 0) found.push({ codes: (page[at] ?? 0) & 0xf, kind: kind & 0xf, bytes });
  }
  return found;
}

/** The best there is, as scsi_id chooses: NAA, EUI-64, of a vendor's own, and a mere name. */
function scsiId(all: readonly Designator[], facts: DiskFacts): readonly string[] {
  for (const kind of [NAA, EUI64, T10, VENDOR]) {
    const isText = kind === T10 || kind === VENDOR;
    const best = all.find((one) => one.kind === kind && (one.codes === BINARY) !== isText);
    if (best === undefined) continue;
    const { bytes } = best;
    if (!isText) return [`scsi-${kind}${hexAt(bytes, 0, bytes.length)}`];
    const text = joined(asciiAt(bytes, 0, bytes.length));
    const maker = kind === T10 ? '' : `${joined(facts.vendor)}_${joined(facts.model)}_`;
    return [`scsi-${kind}${maker}${text}`];
  }
  return [];
}

/** What libata says of a disk: maker, 40 bytes of model, 20 of serial number. */
function isAta(text: string): boolean {
  return text.startsWith('ATA     ') && text.length === 68;
}

function ataName(text: string): string {
  return `${joined(text.slice(8, 48))}_${joined(text.slice(48))}`;
}

/** SPC-5, 7.7.6: code set, and designator types. */
const BINARY = 1;
const VENDOR = 0;
const T10 = 1;
const EUI64 = 2;
const NAA = 3;

/** As udev writes them: no blanks at the ends, `_` for those between. */
function joined(text: string): string {
  return text.replace(/\0.*$/s, '').trim().replace(/\s+/g, '_');
}
