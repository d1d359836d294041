/**
 * Follows the devices of the machine: what the kernel announces, what is written to disks, what
 * modules devices ask for; and keeps nodes and links below /dev as they shall be. One thing at a
 * time, and nothing that may hang is done here: reading and loading are other processes' work.
 */

import { idsOf, waysOf } from '../core/device-ids.ts';
import type { LinkTable } from '../core/device-links.ts';
import { linkTable } from '../core/device-links.ts';
import { parseUevent, type Uevent } from '../core/uevent.ts';
import type { Fd } from '../core/units.ts';
import { IN } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Received } from '../sys/netlink.ts';
import { type BlockDevice, blockDevice, blockDevices } from './blocks.ts';
import { DEVICE_PLACES, groupsNow, linksThere, nodeNames, permit, relink } from './device-nodes.ts';
import { diskFacts } from './disk-facts.ts';
import { answerFirmware, type FirmwarePlaces, firmwarePlaces } from './firmware.ts';
import { type Known, namesOf, wordsOf } from './known-device.ts';
import { ModuleWishes } from './module-wishes.ts';
import { type Content, type Probed, Probes } from './probe.ts';
import { watchesOf } from './watched.ts';

export class Devices {
  readonly #kernel: Kernel;
  readonly #tell: (text: string) => void;
  readonly #probes: Probes;
  readonly #modules: ModuleWishes;
  readonly #firmware: FirmwarePlaces;
  readonly #uevents: Fd;
  readonly #writes: Fd;
  readonly #known = new Map<string, Known>();
  readonly #watches = new Map<number, string>();
  #modulesEnd: Fd | null = null;
  #links: LinkTable;
  /** A driver that never comes to an end of its start shall not hold the boot. */
  readonly #settleBy: number;
  /** Links of whoever was here before stay until all is known that is there. */
  #isSettled = false;

  /** @throws {SysError} when the kernel cannot be listened to. */
  constructor(kernel: Kernel, release: string, tell: (text: string) => void) {
    this.#kernel = kernel;
    this.#tell = tell;
    this.#probes = new Probes(kernel);
    this.#modules = new ModuleWishes(kernel, release, tell);
    this.#firmware = firmwarePlaces(release);
    this.#uevents = kernel.listenUevents();
    this.#writes = kernel.inotifyInit();
    this.#probes.watch(this.#uevents);
    this.#probes.watch(this.#writes);
    this.#links = linksThere(DEVICE_PLACES);
    this.#settleBy = kernel.monotonic() + SETTLE_MS;
  }

  /** Whether all is done for what is there. */
  get settled(): boolean {
    return this.#isSettled;
  }

  /** Looks at everything, as if it had just come. */
  survey(): void {
    const groups = groupsNow(DEVICE_PLACES);
    for (const name of nodeNames(DEVICE_PLACES)) permit(DEVICE_PLACES, groups, name);
    const devices = blockDevices();
    const names = new Set(devices.map(({ name }) => name));
    for (const name of [...this.#known.keys()]) if (!names.has(name)) this.#drop(name);
    for (const device of devices) this.#adopt(device);
    this.#modules.wantAll();
  }

  /** Waits for the next thing to happen, and deals with it. */
  turn(): void {
    this.#load();
    const left = this.#settleBy - this.#kernel.monotonic();
    const idle = !this.#probes.busy && (!this.#modules.busy || left <= 0);
    const { probed, ready } = this.#probes.wait(
      this.#isSettled ? -1 : idle ? 0 : Math.max(left, 1),
    );
    for (const fd of ready) {
      if (fd === this.#uevents) this.#listen();
      else if (fd === this.#writes) this.#readWrites();
      else if (fd === this.#modulesEnd) this.#loaded();
    }
    this.#modules.bury();
    for (const one of probed) this.#learn(one);
    if (probed.length > 0) {
      this.#relink();
      this.#report();
    }
    if (idle && probed.length === 0 && ready.length === 0 && !this.#isSettled) {
      this.#isSettled = true;
      this.#relink();
    }
  }

  #listen(): void {
    const buffer = new Uint8Array(new ArrayBuffer(MESSAGE_BYTES));
    const groups = groupsNow(DEVICE_PLACES);
    // The rest waits for the next turn: those who read devices want to be heard as well.
    for (let count = 0; count < MESSAGES_MAX; count++) {
      const message = this.#kernel.receiveUevent(this.#uevents, buffer);
      if (message === null) return;
      if (message === 'lost') return this.#listenAnew(buffer);
      const event = parseUevent(message);
      if (event !== null) this.#handle(event, groups);
    }
  }

  /**
   * The kernel drops whatever comes until all that was kept has been taken, and does not say so a
   * second time (netlink_overrun of net/netlink/af_netlink.c). So that goes first.
   */
  #listenAnew(buffer: Uint8Array): void {
    this.#tell('Announcements of the kernel were lost: looking at everything again');
    for (let message: Received = 'lost'; message !== null; ) {
      message = this.#kernel.receiveUevent(this.#uevents, buffer);
      const event = message === null || message === 'lost' ? null : parseUevent(message);
      // All else is still to be seen in /sys.
      if (event?.subsystem === 'firmware') this.#handle(event, new Map());
    }
    this.survey();
    this.#relink();
  }

  #handle(event: Uevent, groups: ReadonlyMap<string, number>): void {
    const { action, subsystem, values } = event;
    const modalias = values.get('MODALIAS');
    const node = values.get('DEVNAME');
    if (action === 'add' && node !== undefined) permit(DEVICE_PLACES, groups, node);
    if (action === 'add' && modalias !== undefined) this.#modules.want(modalias);
    if (action === 'remove' && modalias !== undefined) this.#modules.forget(modalias);
    const answer = answerFirmware(this.#firmware, event);
    if (answer !== null) this.#tell(answer);
    if (subsystem === 'block') this.#handleBlock(event);
  }

  #handleBlock({ action, devpath, values }: Uevent): void {
    const name = lastOf(devpath);
    if (action === 'remove') return this.#lose(name);
    if (action === 'move') this.#lose(lastOf(values.get('DEVPATH_OLD') ?? ''));
    const device = blockDevice(name);
    // A drive that is empty now, or that has gone before we looked, has nothing to be named by.
    if (device === null) this.#lose(name);
    else if (action === 'add' || action === 'change' || action === 'move') this.#adopt(device);
  }

  #adopt(device: BlockDevice): void {
    const { name, path } = device;
    const facts = diskFacts(device.disk);
    const { probed = null, told = '' } = this.#known.get(name) ?? {};
    this.#known.set(name, { device, ids: idsOf(facts), ways: waysOf(facts), probed, told });
    try {
      this.#watches.set(this.#kernel.inotifyAdd(this.#writes, path, IN.CLOSE_WRITE), name);
    } catch {
      // Then what is written to it is seen when the kernel announces it the next time.
    }
    this.#probes.begin(device);
  }

  #lose(name: string): void {
    if (!this.#known.has(name)) return;
    this.#drop(name);
    this.#tell(`${name} is gone`);
    this.#relink();
  }

  #drop(name: string): void {
    const known = this.#known.get(name);
    this.#known.delete(name);
    if (known !== undefined) this.#probes.forget(known.device.path);
    for (const [watch, of] of this.#watches) if (of === name) this.#watches.delete(watch);
  }

  #learn(probed: Probed): void {
    const known = [...this.#known.values()].find(({ device }) => device.path === probed.path);
    if (known === undefined) return;
    const content = probed.content ?? (probed.isSilent ? (known.probed?.content ?? null) : null);
    known.probed = { ...probed, content };
  }

  /** Says what is new, of a partition once its disk is known too. */
  #report(): void {
    for (const known of this.#known.values()) {
      const { device } = known;
      if (!device.isDisk && this.#known.get(device.disk)?.probed === null) continue;
      const words = wordsOf(known, this.#diskOf(known));
      if (words !== '' && words !== known.told) this.#tell(words);
      known.told = words;
    }
  }

  #relink(): void {
    const devices = [...this.#known.values()].filter(({ probed }) => probed !== null);
    devices.sort((a, b) => (a.device.path < b.device.path ? -1 : 1));
    const wanted = linkTable(
      devices.map((known) => namesOf(known, this.#diskOf(known))),
      this.#links,
    );
    const present = new Set([...this.#known.values()].map(({ device }) => device.path));
    const kept = this.#isSettled
      ? []
      : [...this.#links].filter(([link, path]) => !wanted.has(link) && present.has(path));
    const table = new Map([...wanted, ...kept]);
    for (const problem of relink(DEVICE_PLACES, this.#links, table)) this.#tell(problem);
    this.#links = table;
  }

  #diskOf({ device }: Known): Content | null {
    return this.#known.get(device.disk)?.probed?.content ?? null;
  }

  /** Somebody has written to a disk and closed it: what is on it may be something else now. */
  #readWrites(): void {
    for (const watch of watchesOf(this.#kernel, this.#writes)) {
      const device = blockDevice(this.#watches.get(watch) ?? '');
      if (device !== null) this.#adopt(device);
    }
  }

  #load(): void {
    try {
      const end = this.#modules.start();
      if (end === null) return;
      this.#modulesEnd = end;
      this.#probes.watch(end);
    } catch (error) {
      this.#tell(`Cannot load modules: ${error instanceof Error ? error.message : error}`);
    }
  }

  #loaded(): void {
    this.#modules.finished();
    this.#modulesEnd = null;
  }
}

/** How long drivers are waited for before what is there counts as dealt with. */
const SETTLE_MS = 30_000;
const MESSAGES_MAX = 256;
/** A message of the kernel is a line and 2 KiB. */
const MESSAGE_BYTES = 16384;

const lastOf = (devpath: string): string => devpath.slice(devpath.lastIndexOf('/') + 1);
