/**
 * svdev follows the devices of the machine: it has modules loaded for what appears, gives nodes
 * their modes and block devices their names below /dev/disk. It stands in for udevd where there is
 * none; and shows what is known of the disks.
 */
import { readFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Block, blocks, findBlock } from './boot/blocks.ts';
import { Devices } from './boot/devices.ts';
import { realFiles } from './boot/files.ts';
import { inFirstNamespace } from './boot/observe.ts';
import { openSystem } from './sys/open.ts';

const USAGE = `Usage: svdev --follow [--ready-fd=N] | --list | --find SPEC

  --follow      keeps modules, nodes and links below /dev as the devices need them, for ever
  --ready-fd=N  writes a line to descriptor N when what is there at the start has been dealt with
  --list        shows the block devices and what is on them
  --find SPEC   shows the device that SPEC means: UUID=, LABEL=, PARTUUID=, PARTLABEL= or /dev/X`;

/**
 * @param argv Arguments after the program's name.
 * @returns The exit code: 0 done, or devices are not for us here; 1 there is no such device, or the
 * kernel cannot be listened to; 2 wrong usage. `--follow` ends with a signal only.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const wishes = parse(argv);
  if (typeof wishes === 'string') {
    process.stderr.write(`${wishes}\n`);
    return 2;
  }
  if (wishes.help) process.stdout.write(`${USAGE}\n`);
  else if (wishes.follow) return follow(wishes.readyFd);
  else if (wishes.find !== null) return find(wishes.find);
  else if (wishes.list) process.stdout.write(table(blocks()));
  return 0;
}

type Wishes = {
  readonly help: boolean;
  readonly follow: boolean;
  readonly list: boolean;
  readonly find: string | null;
  readonly readyFd: number | null;
};

function parse(argv: readonly string[]): Wishes | string {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { help: flag, follow: flag, list: flag, find: text, 'ready-fd': text },
    });
    const { help, follow, list, find = null, 'ready-fd': fd } = values;
    if (fd !== undefined && !/^\d{1,6}$/.test(fd))
      throw new Error(`--ready-fd is no number: ${fd}`);
    const acts = [help, follow, list, find !== null].filter(Boolean).length;
    if (acts !== 1) return USAGE;
    return { help, follow, list, find, readyFd: fd === undefined ? null : Number(fd) };
  } catch (error) {
    return `svdev: ${error instanceof Error ? error.message : error}\n\n${USAGE}`;
  }
}

/** There is no event loop of the runtime in this: one thing is waited for at a time. */
function follow(readyFd: number | null): number {
  const ready = (): void => {
    if (readyFd !== null) writeSync(readyFd, '\n');
  };
  if (!inFirstNamespace(realFiles)) {
    tell('the devices here are those of the machine outside, and its affair');
    ready();
    return 0;
  }
  try {
    const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
    const devices = new Devices(openSystem(), release, tell);
    devices.survey();
    for (let isTold = false; ; ) {
      devices.turn();
      if (devices.settled && !isTold) ready();
      isTold = devices.settled;
    }
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    process.stderr.write(`svdev: ${error.message}\n`);
    return 1;
  }
}

function find(spec: string): number {
  const found = findBlock(spec);
  if (found === null) {
    process.stderr.write(`svdev: there is no device ${spec}\n`);
    return 1;
  }
  process.stdout.write(table([found]));
  for (const twin of found.twins) process.stderr.write(`svdev: ${twin} has the same name\n`);
  return found.problem === null ? 0 : 1;
}

/** A line a device: path, size, type, and its names, as blkid(8) writes them. */
function table(all: readonly Block[]): string {
  const rows = all.map((block) => {
    const { path, size, type, uuid, label, partuuid, partlabel, problem } = block;
    const names = Object.entries({ uuid, label, partuuid, partlabel }).flatMap(([key, value]) => {
      return value === null ? [] : [`${key.toUpperCase()}=${JSON.stringify(value)}`];
    });
    const rest = problem === null ? names : [`cannot be read: ${problem}`];
    return [path, `${Math.ceil(size / 2 ** 20)}M`, type ?? '-', ...rest].join('  ');
  });
  return rows.map((row) => `${row}\n`).join('');
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}
