/**
 * svkexec keeps another kernel in memory, for `svctl kexec` to start without the firmware. What is
 * in memory already is replaced, and kept until the machine ends.
 */
import { constants, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Fd } from './core/units.ts';
import { openSystem } from './sys/open.ts';

const USAGE = `Usage: svkexec --kernel=FILE [--initrd=FILE] [--append=TEXT | --reuse-cmdline]
       svkexec --unload

Loads a kernel that svctl kexec starts.
  --initrd=FILE    with this initramfs; otherwise with none
  --append=TEXT    with this command line
  --reuse-cmdline  with the command line of the kernel that runs
  --unload         forgets the kernel that was loaded`;

type Wishes =
  | { readonly act: 'help' }
  | { readonly act: 'unload' }
  | {
      readonly act: 'load';
      readonly kernel: string;
      readonly initrd: string | null;
      readonly commandLine: string;
    };

/**
 * @param argv Arguments after the program's name.
 * @returns The exit code: 0 it is done, 1 it failed, 2 wrong usage.
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const wishes = parse(argv);
    if (typeof wishes === 'string') return complain(`${wishes}\n\n${USAGE}`, 2);
    perform(wishes);
    return 0;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return complain(error.message, 1);
  }
}

function perform(wishes: Wishes): void {
  if (wishes.act === 'help') {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const system = openSystem();
  if (wishes.act === 'unload') return system.unloadKernel();
  const open = (path: string): Fd => system.open(path, constants.O_RDONLY);
  const initrd = wishes.initrd === null ? null : open(wishes.initrd);
  system.loadKernel(open(wishes.kernel), initrd, wishes.commandLine);
}

/** What is asked for; text says why it is not understood. */
function parse(argv: readonly string[]): Wishes | string {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...{ kernel: text, initrd: text, append: text },
        ...{ 'reuse-cmdline': flag, unload: flag, help: flag },
      },
    });
    const { kernel, initrd = null, append } = values;
    if (values.help) return { act: 'help' };
    if (values.unload && kernel === undefined) return { act: 'unload' };
    if (kernel === undefined || values.unload) return 'svkexec: name a kernel, or --unload';
    if (append !== undefined && values['reuse-cmdline']) {
      return 'svkexec: both --append and --reuse-cmdline are given';
    }
    const commandLine = values['reuse-cmdline'] ? ownCommandLine() : (append ?? '');
    return { act: 'load', kernel, initrd, commandLine };
  } catch (error) {
    return `svkexec: ${error instanceof Error ? error.message : error}`;
  }
}

function ownCommandLine(): string {
  return readFileSync('/proc/cmdline', 'utf8').trim();
}

function complain(message: string, code: number): number {
  process.stderr.write(`${message.startsWith('svkexec') ? '' : 'svkexec: '}${message}\n`);
  return code;
}
