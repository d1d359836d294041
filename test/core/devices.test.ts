/**
 * Announcements of devices, and what they are called: names of root= and links, nodes and their
 * modes, and disks by their hardware. That udevd finds the same names is in test/boot.
 */
import t from 'tap';
import { decodedName, encodedName, isMeant, parseBlockSpec } from '../../src/core/block-spec.ts';
import { type DiskFacts, idsOf, waysOf } from '../../src/core/device-ids.ts';
import { linkChanges, linksOf, linkTable, type Named } from '../../src/core/device-links.ts';
import { parseGroups, permissionOf } from '../../src/core/device-modes.ts';
import { parseUevent } from '../../src/core/uevent.ts';
import { randomFrom } from './support/random.ts';

t.test('what root= may say', async (t) => {
  const by = (key: string, value: string, offset = 0) => ({ by: key, value, offset });
  const cases = {
    'UUID=1A2B-3C4D': by('uuid', '1A2B-3C4D'),
    'UUID="x y"': by('uuid', 'x y'),
    "LABEL='it is'": by('label', 'it is'),
    'LABEL="': by('label', '"'),
    'LABEL=a=b': by('label', 'a=b'),
    'PARTLABEL=root': by('partlabel', 'root'),
    'PARTUUID=1a2b3c4d-01': by('partuuid', '1a2b3c4d-01'),
    'PARTUUID=x/PARTNROFF=2': by('partuuid', 'x', 2),
    'PARTUUID=x/PARTNROFF=-1': by('partuuid', 'x', -1),
    '/dev/sda1': { by: 'path', value: '/dev/sda1' },
    '/dev/disk/by-label/a\\x20b': by('label', 'a b'),
    '/dev/disk/by-id/x': { by: 'path', value: '/dev/disk/by-id/x' },
    '8:1': { by: 'number', major: 8, minor: 1 },
  };
  for (const [text, spec] of Object.entries(cases)) t.same(parseBlockSpec(text), spec, text);
  for (const text of [
    '',
    'UUID=',
    'uuid=x',
    '/dev/',
    'sda1',
    'nfs',
    '8:',
    '1234567:1',
    'LABEL=""',
  ]) {
    t.equal(parseBlockSpec(text), null, JSON.stringify(text));
  }
});

t.test('which device is meant', async (t) => {
  const names = { uuid: 'Ab-1', label: 'a b', partuuid: null, partlabel: 'Root' };
  t.ok(isMeant(names, 'uuid', 'aB-1'), 'a UUID in any case');
  t.ok(isMeant(names, 'label', 'a b'));
  t.ok(isMeant(names, 'label', 'a\\x20b'), 'a label as its link is called');
  t.notOk(isMeant(names, 'label', 'A b'), 'a label in this case');
  t.notOk(isMeant(names, 'partlabel', 'root'));
  t.notOk(isMeant(names, 'partuuid', 'null'), 'none is not the word');
});

t.test('names of links', async (t) => {
  t.equal(encodedName('a b/ü"\\\u001b.,#+-:=@_'), 'a\\x20b\\x2fü\\x22\\x5c\\x1b.\\x2c#+-:=@_');
  const random = randomFrom(1);
  for (let i = 0; i < 500; i++) {
    const text = String.fromCharCode(...Array.from({ length: 8 }, () => random.below(0x250)));
    if (decodedName(encodedName(text)) !== text) t.fail(JSON.stringify(text));
    if (/[\s/"'\u0000-\u001f]/.test(encodedName(text).replace(/[\u0080-\u024f]/g, ''))) {
      t.fail(`${JSON.stringify(text)} is not one plain word`);
    }
  }
});

const NONE = { uuid: null, label: null, partuuid: null, partlabel: null, partition: null };
const NAMED: Named = { path: '/dev/sda', ...NONE, ids: [], ways: [] };

t.test('links of devices', async (t) => {
  const full = {
    path: '/dev/sda2',
    uuid: 'U',
    label: '../x',
    partuuid: 'P',
    partlabel: 'a b',
    partition: 2,
    ids: ['ata-X'],
    ways: ['pci-0-ata-1'],
  };
  t.same(linksOf(full), [
    'by-uuid/U',
    'by-label/..\\x2fx',
    'by-partuuid/P',
    'by-partlabel/a\\x20b',
    'by-id/ata-X-part2',
    'by-path/pci-0-ata-1-part2',
  ]);
  t.same(linksOf({ ...NAMED, label: '..', uuid: '.' }), [], 'none of these is a file');
  t.same(linksOf({ ...NAMED, label: 'x'.repeat(300) }), [], 'nor is this');
});

t.test('a name that several have', async (t) => {
  const one = { ...NAMED, label: 'x', uuid: '1' };
  const two = { ...NAMED, path: '/dev/sdb', label: 'x', uuid: '2' };
  const first = linkTable([one, two], new Map());
  t.equal(first.get('by-label/x'), '/dev/sda', 'leads to the first');
  const held = new Map([['by-label/x', '/dev/sdb']]);
  t.equal(linkTable([one, two], held).get('by-label/x'), '/dev/sdb', 'or to who had it');
  t.equal(linkTable([one], held).get('by-label/x'), '/dev/sda', 'as long as that is there');
  t.same(linkChanges(first, linkTable([two], first)), {
    gone: ['by-uuid/1'],
    made: [['by-label/x', '/dev/sdb']],
  });
});

t.test('announcements', async (t) => {
  const message = (...lines: string[]) => Buffer.from(`${lines.join('\0')}\0`);
  const lines = ['ACTION=add', 'DEVPATH=/devices/x', 'SUBSYSTEM=block', 'DEVNAME=sda', 'A=b=c'];
  const event = parseUevent(message('add@/devices/x', ...lines));
  t.match(event, { action: 'add', devpath: '/devices/x', subsystem: 'block' });
  t.equal(event?.values.get('A'), 'b=c');
  t.equal(parseUevent(message('libudev\0\xfe\xed', ...lines)), null, 'of udevd');
  t.equal(parseUevent(message('remove@/devices/x', ...lines)), null, 'says two things');
  t.equal(parseUevent(message('add@/devices/x', 'ACTION=add')), null, 'cut short');
  const up = ['ACTION=add', 'DEVPATH=/../etc', 'SUBSYSTEM=firmware'];
  t.equal(parseUevent(message('add@/../etc', ...up)), null, 'leads out of /sys');
  const random = randomFrom(2);
  const whole = message('add@/devices/x', ...lines);
  for (let i = 0; i < 1000; i++) {
    const bytes = whole.subarray(0, random.below(whole.length + 1));
    for (let n = random.below(4); n > 0 && bytes.length > 0; n--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    parseUevent(bytes);
  }
});

t.test('who may use a node', async (t) => {
  const of = (kind: 'block' | 'char', name: string) => permissionOf(kind, name);
  t.same(of('char', 'null'), { mode: 0o666, group: null });
  t.same(of('char', 'net/tun'), { mode: 0o666, group: null });
  t.same(of('char', 'tty'), { mode: 0o666, group: 'tty' });
  t.same(of('char', 'ttyS0'), { mode: 0o660, group: 'dialout' });
  t.same(of('block', 'sda1'), { mode: 0o660, group: 'disk' });
  t.same(of('block', 'null'), { mode: 0o660, group: 'disk' }, 'by what it is, not its name');
  t.same(of('block', 'sr0'), { mode: 0o660, group: 'cdrom' });
  for (const name of ['nullx', 'xnull', 'x/null', 'kmsg', 'watchdog', 'mem2', 'console']) {
    t.equal(of('char', name), null, name);
  }
  const groups = parseGroups('root:x:0:\n\ndisk:x:6:a,b\nbad:x:-1:\n:x:7:\nno\n');
  t.same(
    [...groups],
    [
      ['root', 0],
      ['disk', 6],
    ],
  );
});

const FACTS: DiskFacts = {
  ...{ home: '', serial: '', model: '', vendor: '', wwid: '', vpd83: new Uint8Array() },
  ...{ namespace: '', port: '', hosts: [], dmName: '', dmUuid: '' },
};
const PCI = '/sys/devices/pci0000:00/0000:00:1f.2';

/** A page of SPC-5, 7.7.6 with designators of code set, type, and content. */
function page83(...all: readonly (readonly [number, number, string | Uint8Array])[]): Uint8Array {
  const parts = all.map(([codes, kind, content]) => {
    return Buffer.concat([Buffer.from([codes, kind, 0, content.length]), Buffer.from(content)]);
  });
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([0, 0x83, body.length >> 8, body.length & 255]), body]);
}

t.test('disks by their hardware', async (t) => {
  const scsi = `${PCI}/host2/target2:0:1/2:0:1:3/block/sda`;
  const virtio = '/sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda';
  t.same(idsOf({ ...FACTS, home: virtio, serial: 'a b' }), ['virtio-a_b']);
  t.same(idsOf({ ...FACTS, home: virtio }), []);
  const nvme = `${PCI}/nvme/nvme0/nvme0n1`;
  const said = { model: 'Fast  Disk ', serial: 'S1', wwid: 'eui.00' };
  t.same(idsOf({ ...FACTS, home: nvme, ...said }), ['nvme-Fast_Disk_S1', 'nvme-eui.00']);
  const naa = Uint8Array.from(Buffer.from('5000c500a1b2c3d4', 'hex'));
  const ata = `ATA     ${'QEMU HARDDISK'.padEnd(40)}${'QM00001'.padEnd(20)}`;
  const vpd83 = page83([2, 0, 'QM00001'], [2, 1, ata], [1, 3, naa]);
  t.same(idsOf({ ...FACTS, home: scsi, vpd83 }), [
    'ata-QEMU_HARDDISK_QM00001',
    'wwn-0x5000c500a1b2c3d4',
  ]);
  const sas = page83([2, 0, 'x'], [1, 0x13, naa.slice(0, 4)], [1, 3, naa]);
  const both = ['scsi-35000c500a1b2c3d4', 'wwn-0x5000c500a1b2c3d4'];
  t.same(idsOf({ ...FACTS, home: scsi, vpd83: sas }), both, 'not by the number of its port');
  const named = { ...FACTS, home: scsi, vendor: 'QEMU', model: 'QEMU HARDDISK' };
  t.same(idsOf({ ...named, vpd83: page83([2, 0, 'drive1']) }), ['scsi-0QEMU_QEMU_HARDDISK_drive1']);
  const dm = { dmName: 'vg-root', dmUuid: 'LVM-x' };
  t.same(idsOf({ ...FACTS, ...dm }), ['dm-name-vg-root', 'dm-uuid-LVM-x']);
  const random = randomFrom(3);
  for (let i = 0; i < 1000; i++) {
    const bytes = vpd83.slice(0, random.below(vpd83.length + 1));
    if (bytes.length > 8) bytes[4 + random.below(bytes.length - 4)] = random.below(256);
    idsOf({ ...FACTS, home: scsi, vpd83: bytes });
  }
});

t.test('disks by the way to them', async (t) => {
  const ways = (home: string, more: Partial<DiskFacts> = {}) => waysOf({ ...FACTS, home, ...more });
  const pci = '/sys/devices/pci0000:00/0000:00:04.0';
  t.same(ways(`${pci}/virtio1/block/vda`), ['pci-0000:00:04.0', 'virtio-pci-0000:00:04.0']);
  const bridge = '/sys/devices/pci0000:00/0000:00:1c.0/0000:03:00.0/nvme/nvme0/nvme0n1';
  t.same(ways(bridge, { namespace: '1' }), ['pci-0000:03:00.0-nvme-1']);
  const host = `${pci}/virtio1/host5/target5:0:1/5:0:1:3/block/sda`;
  t.same(ways(host, { hosts: [5] }), ['pci-0000:00:04.0-scsi-0:0:1:3']);
  const ata = `${PCI}/ata3/host2/target2:0:1/2:0:1:0/block/sda`;
  const both = ['pci-0000:00:1f.2-ata-1.1', 'pci-0000:00:1f.2-ata-1'];
  t.same(ways(ata, { port: '1', hosts: [2] }), both);
  const second = `${PCI}/host3/target3:0:0/3:0:0:0/block/sdb`;
  t.same(ways(second, { hosts: [2, 3] }), ['pci-0000:00:1f.2-scsi-1:0:0:0']);
  const usb = `${PCI}/usb1/1-2/1-2.4/1-2.4:1.0/host6/target6:0:0/6:0:0:0/block/sdb`;
  t.same(ways(usb, { hosts: [6] }), ['pci-0000:00:1f.2-usb-0:2.4:1.0-scsi-0:0:0:0']);
  const mmio = '/sys/devices/platform/a003e00.virtio_mmio/virtio0/block/vda';
  t.same(ways(mmio), ['platform-a003e00.virtio_mmio']);
  t.same(ways('/sys/devices/virtual/block/loop0'), []);
  t.same(ways(''), []);
});
