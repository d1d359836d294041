/**
 * `node scripts/qemu.ts`: boots the image in QEMU with the serial console on this terminal (`make
 * run`).
 *
 * RUNTIME (bun or node) chooses the image, PROFILE=udev has Debian's udevd in it (`make udev`),
 * APPEND adds to the kernel command line, and DISK is the image of a disk, which stays as it is:
 * what the machine writes is gone with it. QEMU's exit code is passed on. Also exports the command
 * line as a pure function for the tests' harness.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { execa } from 'execa';
import { joined } from './cpio.ts';
import { KERNEL, modulesArchive, noModules } from './modules.ts';

export type Accelerator = 'kvm' | 'tcg';

export type Virtual = {
  readonly accelerator: Accelerator;
  readonly kernel: string;
  readonly initrd: string;
  /** Added to the kernel command line after what the console and the exit need. */
  readonly append: string;
  /** Of the kernel, instead of the serial line; there need be no such device. */
  readonly console?: string;
  /** A `-serial` argument: `mon:stdio` for people, `stdio` for programs. */
  readonly serial: 'mon:stdio' | 'stdio';
  readonly memoryMiB?: number;
  readonly cpus?: number;
  /** More arguments of QEMU, as `-device`: the machine has nothing by itself. */
  readonly devices?: readonly string[];
  readonly disks?: readonly DiskImage[];
};

/** IDE is that of an Intel 82371SB, so that Linux drives it by ata_piix. */
export type Bus = 'virtio-blk' | 'virtio-scsi' | 'ide';

/** A disk of the machine, called `disk0`, `disk1` ... in QMP. */
export type DiskImage = {
  readonly file: string;
  readonly bus: Bus;
  /** Whether the file is written to; without, what the machine writes is gone with it. */
  readonly keep?: boolean;
};

/** What scripts/udev.ts makes. */
const UDEV = 'build/udev.cpio.zst';

type Board = {
  readonly program: string;
  readonly machine: string;
  readonly console: string;
  /** The processor where it is emulated. */
  readonly emulated: string;
};

/**
 * What differs between the two architectures we build for, by `process.arch`. QEMU emulates string
 * instructions byte by byte where the kernel has been told that these are fast (ERMS): copying and
 * clearing memory, all that unpacking an archive is, then takes eight times as long.
 */
const BOARDS: Readonly<Record<'x64' | 'arm64', Board>> = {
  x64: {
    program: 'qemu-system-x86_64',
    machine: 'q35',
    console: 'ttyS0',
    emulated: 'max,-erms',
  },
  arm64: {
    program: 'qemu-system-aarch64',
    machine: 'virt',
    console: 'ttyAMA0',
    emulated: 'max',
  },
};

const BOARD = BOARDS[process.arch === 'arm64' ? 'arm64' : 'x64'];

/** Enough for the archive, its unpacked content and a few hundred services. */
const MEMORY_MIB = 1024;

/**
 * The command that boots `virtual`. A power-off and a reboot both end it with 0; so does a panic,
 * because `panic=-1` reboots at once: the console says which it was ("reboot: Power down", "reboot:
 * Restarting system", "Kernel panic"). A halt leaves it running.
 */
export function qemuCommand(virtual: Virtual): readonly string[] {
  const { kernel, initrd, serial } = virtual;
  const append = `console=${virtual.console ?? BOARD.console} panic=-1 ${virtual.append}`.trimEnd();
  return [
    ...board(virtual.accelerator, virtual.memoryMiB ?? MEMORY_MIB, virtual.cpus ?? 1),
    ...diskArguments(virtual.disks ?? []),
    ...(virtual.devices ?? []),
    ...['-no-reboot', '-serial', serial],
    ...['-kernel', kernel, '-initrd', initrd, '-append', append],
  ];
}

/** A machine with nothing but memory and processors. */
function board(accelerator: Accelerator, memoryMiB: number, cpus: number): readonly string[] {
  const processor = accelerator === 'tcg' ? BOARD.emulated : 'max';
  return [
    ...[BOARD.program, '-machine', BOARD.machine, '-accel', accelerator, '-cpu', processor],
    ...['-m', String(memoryMiB), '-smp', String(cpus)],
    ...['-nodefaults', '-display', 'none', '-nic', 'none'],
  ];
}

/** What stands between the machine and its disks on a bus; virtio-blk disks plug in themselves. */
const CONTROLLERS: Readonly<Record<Bus, readonly string[]>> = {
  'virtio-blk': [],
  'virtio-scsi': ['-device', 'virtio-scsi-pci,id=scsi'],
  ide: ['-device', 'piix3-ide,id=piix'],
};

const DISK_DEVICES: Readonly<Record<Bus, string>> = {
  'virtio-blk': 'virtio-blk-pci',
  'virtio-scsi': 'scsi-hd,bus=scsi.0',
  ide: 'ide-hd,bus=piix.0',
};

/** Disks in the order given, each bus once. */
function diskArguments(disks: readonly DiskImage[]): readonly string[] {
  const buses = new Set(disks.map(({ bus }) => bus));
  return [
    ...[...buses].flatMap((bus) => CONTROLLERS[bus]),
    ...disks.flatMap(({ file, bus, keep }, index) => {
      const written = keep === true ? 'off' : 'on';
      const drive = `file=${file},format=raw,if=none,id=drive${index},snapshot=${written}`;
      return [
        '-drive',
        drive,
        '-device',
        `${DISK_DEVICES[bus]},drive=drive${index},id=disk${index}`,
      ];
    }),
  ];
}

/**
 * KVM where QEMU can really start with it, else TCG: a /dev/kvm that may be opened is not enough,
 * nested virtualisation often refuses the CPU. ACCEL=kvm or ACCEL=tcg in the environment decides
 * instead.
 */
export function accelerator(): Promise<Accelerator> {
  probed ??= probe();
  return probed;
}

let probed: Promise<Accelerator> | undefined;

async function probe(): Promise<Accelerator> {
  const asked = process.env['ACCEL'];
  if (asked === 'kvm' || asked === 'tcg') return asked;
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return 'tcg';
  }
  // As much of a machine as it takes to see whether its processor starts: stopped, and told to
  // quit.
  const [program = '', ...args] = [...board('kvm', 64, 1), '-S', '-monitor', 'stdio'];
  const started = await execa(program, args, { input: 'quit\n', reject: false, timeout: 10_000 });
  return started.exitCode === 0 ? 'kvm' : 'tcg';
}

async function main(): Promise<number> {
  const runtime = process.env['RUNTIME'] || 'bun';
  const disk = process.env['DISK'];
  const how = await accelerator();
  const [program = '', ...args] = qemuCommand({
    accelerator: how,
    kernel: KERNEL,
    initrd: archive(runtime, how),
    append: process.env['APPEND'] ?? '',
    serial: 'mon:stdio',
    cpus: 2,
    disks: disk === undefined || disk === '' ? [] : [{ file: disk, bus: 'virtio-blk' }],
  });
  if (how === 'tcg') console.log('No usable KVM here: QEMU emulates the CPU (TCG), slowly.');
  console.log('Leave with `poweroff`, or with Ctrl-A X.');
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}

/**
 * The image and the modules of the kernel in one file, as QEMU takes one; or the image alone. An
 * emulated processor needs a second and more to unpack what this one unpacks in a tenth.
 */
function archive(runtime: string, how: Accelerator): string {
  const shipped = `build/${runtime}/initramfs.cpio.zst`;
  const reason = noModules();
  if (reason !== null) console.log(`No modules: ${reason}.`);
  if (reason !== null && how === 'kvm') return shipped;
  const image = readFileSync(shipped);
  // Which device manager is in the machine: svdev of the image, or udevd of an archive of its own.
  const manager = process.env['PROFILE'] === 'udev' ? [readFileSync(UDEV)] : [];
  const more = reason === null ? [modulesArchive(), ...manager] : [];
  const path = `build/${runtime}/initramfs-run.cpio`;
  writeFileSync(path, joined(how === 'tcg' ? zstdDecompressSync(image) : image, ...more));
  return path;
}

if (import.meta.main) process.exitCode = await main();
