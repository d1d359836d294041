/**
 * Drives a virtual machine over its serial console, for tests of a whole boot.
 *
 * `boot()` starts QEMU; the `VirtualMachine` it gives answers `expect`, `send` and `run`. Timeouts
 * bound a hang on a slow, shared machine; they are no assertions. What the console said stays in a
 * log file under build/test. Knows nothing of svinit: any image with a shell on the console will
 * do.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Runtime } from '../../scripts/compile.ts';
import { cpio, joined } from '../../scripts/cpio.ts';
import type { Entry } from '../../scripts/entries.ts';
import { KERNEL, modulesArchive } from '../../scripts/modules.ts';
import { accelerator, type DiskImage, qemuCommand } from '../../scripts/qemu.ts';
import { Console } from './console.ts';
import { incoming, Monitor } from './monitor.ts';
import { type CommandResult, shellOn } from './shell.ts';

export type BootOptions = {
  /** Whose image to boot; `initrd` names another file instead. */
  readonly runtime?: Runtime;
  readonly initrd?: string;
  /** Added to the kernel command line. */
  readonly append?: string;
  /** Of the kernel, instead of the serial line; there need be no such device. */
  readonly console?: string;
  /** Unpacked after the image, so these replace files of the same path; directories must exist. */
  readonly extraFiles?: readonly ExtraFile[];
  readonly memoryMiB?: number;
  readonly cpus?: number;
  /** Whether the archive with the modules of the kernel follows the image. */
  readonly modules?: boolean;
  /** More arguments of QEMU: the machine has nothing by itself. */
  readonly devices?: readonly string[];
  readonly disks?: readonly DiskImage[];
  /** Whether there is a second serial line, ttyS1. */
  readonly secondLine?: boolean;
};

/**
 * A file, a link or a directory by absolute path in the image; mode 0644, 0777 or 0755 by default.
 */
export type ExtraFile = { readonly path: string; readonly mode?: number } & (
  | { readonly content: string | Uint8Array }
  | { readonly link: string }
  | { readonly directory: true }
);

/** A serial line: what comes and what is typed; `run` as that of the machine. */
export type Line = Pick<VirtualMachine, 'console' | 'send' | 'run'>;

export type Ended = { readonly code: number; readonly transcript: string };

export type VirtualMachine = {
  readonly console: Console;
  /** Types `line` and Enter. */
  send(line: string): void;
  /**
   * Runs `command` in the shell on the console, as if typed at its prompt. `output` is what it
   * printed without the last newline, stderr and whatever else wrote to the console meanwhile
   * included.
   */
  run(command: string, timeoutMs?: number): Promise<CommandResult>;
  /** QEMU itself. */
  readonly monitor: Monitor;
  /** ttyS1, where there is one. */
  readonly second: Line | null;
  /** Settles when QEMU is gone: by power-off, reboot, panic or `kill()`. Never rejects. */
  readonly ended: Promise<Ended>;
  /** Ends QEMU at once and waits for it; nothing happens when it has ended. */
  kill(): Promise<void>;
  /** The file that holds what the console said, escape sequences and all. */
  readonly logFile: string;
};

/** What of tap's `t` is needed to end a machine with its test. */
type Test = { teardown(end: () => Promise<void>): void };

const LOG_DIRECTORY = 'build/test';

let machines = 0;

/** Starts a machine. Whoever boots it kills it, or waits for its end. */
export async function boot(options: BootOptions = {}): Promise<VirtualMachine> {
  mkdirSync(LOG_DIRECTORY, { recursive: true });
  machines += 1;
  const name = join(LOG_DIRECTORY, `vm-${process.pid}-${machines}`);
  const directory = mkdtempSync(`${name}-`);
  const monitor = await incoming(join(directory, 'monitor'));
  const second = options.secondLine === true ? await incoming(join(directory, 'ttyS1')) : null;
  const command = [
    ...qemuCommand({
      accelerator: await accelerator(),
      kernel: KERNEL,
      initrd: initrdOf(options, directory),
      append: options.append ?? '',
      serial: 'stdio',
      ...(options.memoryMiB === undefined ? {} : { memoryMiB: options.memoryMiB }),
      ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
      ...(options.console === undefined ? {} : { console: options.console }),
      ...(options.disks === undefined ? {} : { disks: options.disks }),
      devices: [...(options.devices ?? []), '-qmp', `unix:${directory}/monitor`],
    }),
  ];
  // The lines of a machine are numbered in the order of the arguments.
  if (second !== null) command.push('-serial', `unix:${directory}/ttyS1`);
  const cleanUp = (): void => {
    monitor.close();
    second?.close();
    rmSync(directory, { recursive: true, force: true });
  };
  const vm = attach(start(command), `${name}.log`, new Monitor(monitor.socket), cleanUp);
  return second === null ? vm : withSecond(vm, await second.socket, `${name}-ttyS1.log`);
}

const shared = new Map<string, Promise<VirtualMachine>>();

/**
 * The machine for `options`, booted by the first of several subtests of one file and killed after
 * `t`.
 */
export function bootOnce(t: Test, options: BootOptions = {}): Promise<VirtualMachine> {
  const key = JSON.stringify(options);
  const known = shared.get(key);
  if (known !== undefined) return known;
  const machine = boot(options);
  shared.set(key, machine);
  t.teardown(async () => {
    shared.delete(key);
    await (await machine).kill();
  });
  return machine;
}

/** The archive to boot: the image, behind it the modules, and then the extra files. */
function initrdOf(options: BootOptions, directory: string): string {
  const initrd = options.initrd ?? `build/${options.runtime ?? 'bun'}/initramfs.cpio.zst`;
  const { extraFiles, modules } = options;
  if (extraFiles === undefined && modules !== true) return initrd;
  const all = joined(
    readFileSync(initrd),
    ...(modules === true ? [modulesArchive()] : []),
    ...(extraFiles === undefined ? [] : [cpio(extraFiles.map(entryOf), 0)]),
  );
  const file = join(directory, 'initrd');
  writeFileSync(file, all);
  return file;
}

function entryOf(file: ExtraFile): Entry {
  const path = file.path.replace(/^\/+/, '');
  if ('link' in file) return { type: 'link', path, mode: file.mode ?? 0o777, target: file.link };
  if ('directory' in file) return { type: 'directory', path, mode: file.mode ?? 0o755 };
  return { type: 'file', path, mode: file.mode ?? 0o644, content: Buffer.from(file.content) };
}

type Qemu = ChildProcessByStdio<Writable, Readable, Readable>;

/** The command, to be killed by the kernel should this process die without doing so. */
function start(command: readonly string[]): Qemu {
  const args = ['--pdeathsig', 'KILL', '--', ...command];
  return spawn('setpriv', args, { stdio: ['pipe', 'pipe', 'pipe'] });
}

function attach(
  qemu: Qemu,
  logFile: string,
  monitor: Monitor,
  cleanUp: () => void,
): VirtualMachine {
  const { close, ...line } = lineOn([qemu.stdout, qemu.stderr], qemu.stdin, logFile);
  const ended = new Promise<Ended>((resolve) => {
    const end = (code: number | null, why: string): void => {
      cleanUp();
      close(why);
      resolve({ code: code ?? -1, transcript: line.console.transcript });
    };
    qemu.once('error', (error) => end(null, error.message));
    qemu.once('close', (code, signal) => end(code, `QEMU ended with ${code ?? signal}`));
  });
  const kill = async (): Promise<void> => {
    qemu.kill('SIGKILL');
    await ended;
  };
  return { ...line, monitor, second: null, ended, kill, logFile };
}

function withSecond(vm: VirtualMachine, socket: Socket, logFile: string): VirtualMachine {
  const { close, ...second } = lineOn([socket], socket, logFile);
  void vm.ended.then(({ code }) => close(`QEMU ended with ${code}`));
  return { ...vm, second };
}

/** A line whose other end says `said` and reads `typed`; `close` when nothing more comes. */
function lineOn(
  said: readonly Readable[],
  typed: Writable,
  logFile: string,
): Line & { close(why: string): void } {
  const screen = new Console(logFile);
  const log = createWriteStream(logFile);
  for (const stream of said) {
    stream.on('data', (chunk: Uint8Array) => {
      log.write(chunk);
      screen.feed(chunk);
    });
  }
  // A line typed at a machine that has just ended is lost, as on any console.
  typed.on('error', () => {});
  const send = (line: string): void => {
    typed.write(`${line}\n`);
  };
  const close = (why: string): void => {
    log.end();
    screen.close(why);
  };
  return { console: screen, send, run: shellOn(screen, send), close };
}
