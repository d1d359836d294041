/**
 * What is made of devices below /dev: links, each in one step, modes and owners, and firmware for a
 * kernel that asks for it. A tree of files stands for /dev and /sys.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type DevicePlaces,
  groupsNow,
  linksThere,
  nodeNames,
  permit,
  relink,
} from '../../src/boot/device-nodes.ts';
import { answerFirmware, firmwarePlaces } from '../../src/boot/firmware.ts';
import type { Uevent } from '../../src/core/uevent.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { fakeLibc } from '../../src/sys/fake.ts';
import { openKernel } from '../../src/sys/kernel.ts';

function places(dev: string): DevicePlaces {
  return { dev, groups: join(dev, 'group') };
}

t.test('links', async (t) => {
  const at = places(t.testdir({ sda: '', sdb: '' }));
  const disk = join(at.dev, 'disk');
  const [sda, sdb] = [join(at.dev, 'sda'), join(at.dev, 'sdb')];
  const first = new Map([
    ['by-label/a', sda],
    ['by-uuid/1', sda],
  ]);
  t.same(relink(at, new Map(), first), []);
  t.equal(readlinkSync(join(disk, 'by-label/a')), '../../sda', 'as udev writes them');
  t.same(linksThere(at), first, 'whoever comes next finds them');
  const second = new Map([['by-label/a', sdb]]);
  t.same(relink(at, first, second), []);
  t.equal(readlinkSync(join(disk, 'by-label/a')), '../../sdb');
  t.same(readdirSync(join(disk, 'by-uuid')), [], 'what is not wanted has gone');
  t.same(readdirSync(join(disk, 'by-label')), ['a'], 'and nothing half-done is there');
  t.same(relink(at, new Map([['by-label/never', sda]]), new Map()), [], 'nor was ever');
});

t.test('links that cannot be made', async (t) => {
  const at = places(t.testdir({ disk: { 'by-label': 'a file' } }));
  const problems = relink(
    at,
    new Map(),
    new Map([
      ['by-label/a', '/dev/sda'],
      ['by-uuid/1', '/dev/sda'],
    ]),
  );
  t.match(problems, [/^Cannot change the link by-label\/a: EEXIST/], 'are told');
  t.ok(lstatSync(join(at.dev, 'disk/by-uuid/1')).isSymbolicLink(), 'and keep no other');
  t.same(linksThere(places('/nowhere')), new Map());
});

t.test('nodes', async (t) => {
  const at = places(t.testdir({ null: 'not a device', pts: {}, net: {}, group: 'disk:x:6:\n' }));
  permit(at, groupsNow(at), 'null');
  t.equal(lstatSync(join(at.dev, 'null')).mode & 0o777, 0o644, 'a file is left alone');
  permit(at, groupsNow(at), 'gone');
  t.same([...groupsNow(places('/nowhere'))], []);
  const made = ['c 1 3', 'b 7 9'].map((numbers, i) => {
    const path = join(at.dev, ['net/tun', 'loop9'][i] ?? '');
    return spawnSync('mknod', ['-m', '600', path, ...numbers.split(' ')]).status === 0;
  });
  if (!made.every(Boolean)) {
    t.comment('no device nodes can be made here: modes of nodes are tested in test/boot alone');
    return;
  }
  symlinkSync('tun', join(at.dev, 'net/link'));
  chmodSync(join(at.dev, 'pts'), 0o700);
  t.same(nodeNames(at).toSorted(), ['loop9', 'net/tun']);
  for (const name of nodeNames(at)) permit(at, groupsNow(at), name);
  t.equal(lstatSync(join(at.dev, 'net/tun')).mode & 0o777, 0o666);
  t.match(lstatSync(join(at.dev, 'loop9')), { gid: 6, uid: 0 });
});

t.test('firmware', async (t) => {
  const root = t.testdir({ sys: { dev: {} }, updates: {}, base: { 'a.bin': 'one', sub: {} } });
  const at = {
    sys: join(root, 'sys'),
    directories: [join(root, 'updates'), join(root, 'base')],
  };
  const asked = (name: string, more: Partial<Uevent> = {}): Uevent => {
    const values = new Map([['FIRMWARE', name]]);
    return { action: 'add', devpath: '/dev', subsystem: 'firmware', values, ...more };
  };
  const said = (file: string): string => {
    const path = join(root, 'sys/dev', file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  t.equal(answerFirmware(at, asked('a.bin')), 'firmware a.bin');
  t.same([said('loading'), said('data')], ['0', 'one']);
  writeFileSync(join(root, 'updates/a.bin'), 'newer');
  answerFirmware(at, asked('a.bin'));
  t.equal(said('data'), 'newer', 'an update comes first');
  for (const name of ['none', '../base/a.bin', '/etc/passwd']) {
    t.equal(answerFirmware(at, asked(name)), `There is no firmware ${name}`);
    t.equal(said('loading'), '-1', 'which the driver has to know');
  }
  mkdirSync(join(root, 'base/directory'));
  t.match(
    answerFirmware(at, asked('directory')),
    /^Cannot hand over the firmware directory: EISDIR/,
  );
  t.match(answerFirmware(at, asked('a.bin', { devpath: '/gone' })), /^Cannot hand over/);
  t.equal(answerFirmware(at, asked('a.bin', { action: 'remove' })), null);
  t.equal(answerFirmware(at, asked('a.bin', { subsystem: 'block' })), null);
  t.match(firmwarePlaces('6.1'), { directories: ['/lib/firmware/updates/6.1', /./, /./, /./] });
});

t.test('announcements of the kernel alone are listened to', async (t) => {
  const text = new TextEncoder();
  const from = [7, 0];
  const libc = fakeLibc({
    recvfrom: ([, buffer, , , address], k) => {
      if (k === 3) return { errno: errnoNumber('ENOBUFS') };
      if (k > 3 || !(buffer instanceof Uint8Array) || !(address instanceof Uint8Array)) return null;
      new DataView(address.buffer).setUint32(4, from[k - 1] ?? 0, true);
      buffer.set(text.encode(`message ${k}`));
      return 9;
    },
  });
  const kernel = openKernel(libc);
  const fd = kernel.listenUevents();
  const buffer = new Uint8Array(new ArrayBuffer(64));
  const first = kernel.receiveUevent(fd, buffer);
  t.same(first, text.encode('message 2'), 'what another process sent is left out');
  t.equal(kernel.receiveUevent(fd, buffer), 'lost', 'and what was lost is told');
  t.equal(kernel.receiveUevent(fd, buffer), null);
  t.match(libc.calls.find(({ name }) => name === 'bind')?.args[1], { 0: 16, 8: 1 });
});

t.test('where the socket cannot be had', async (t) => {
  for (const [name, code] of [
    ['socket', 'EPROTONOSUPPORT'],
    ['bind', 'EPERM'],
    ['setsockopt', 'ENOMEM'],
  ] as const) {
    const libc = fakeLibc({ [name]: () => ({ errno: errnoNumber(code) }) });
    const message = `Cannot listen to the kernel for devices: ${name} failed with ${code}`;
    t.throws(() => openKernel(libc).listenUevents(), { message });
    t.equal(libc.open.size, 0, 'nothing is left open');
  }
  const libc = fakeLibc({ setsockopt: () => ({ errno: errnoNumber('EPERM') }) });
  t.ok(openKernel(libc).listenUevents() > 0, 'the usual room will do');
});
