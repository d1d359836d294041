/**
 * The last resort: something failed without which nothing can be supervised. On a machine svrescue
 * asks at the console what is to be done, and where it cannot there is a shell for as long as
 * someone wants it; a container ends with a reason.
 */
import { constants } from 'node:fs';
import type { BootOptions } from '../core/boot-options.ts';
import type { Pid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { wordsOf } from './let-go.ts';

export type RescuePorts = {
  readonly console: string | null;
  readonly machine: boolean;
  readonly say: (line: string) => void;
  /** What failed; without it, it was told before. */
  readonly why?: string;
  /** What the kernel command line says of a boot that has failed. */
  readonly wishes?: Pick<BootOptions, 'shell' | 'emergency'>;
  /** Begins the boot anew, and comes back only when that cannot be; without it, it never can. */
  readonly again?: () => void;
};

const RESCUE = '/usr/sbin/svrescue';
const SHELL = '/bin/sh';
const LOOK_MS = 100;
const REBOOT_AGAIN_MS = 1000;
/** svrescue's exit code for "try again". */
const RETRY = 0;

/** Gives the exit code of a container; on a machine it ends in a restart, or as was asked for. */
export async function rescue(kernel: Kernel, ports: RescuePorts): Promise<number> {
  const { machine, say, why = 'see the step above', again } = ports;
  const { shell, emergency } = ports.wishes ?? { shell: true, emergency: 'shell' };
  say(`svinit: the boot has failed: ${why}`);
  if (!machine) return 1;
  const tty = ports.console ?? '/dev/console';
  const words = [RESCUE, '--first', ...(again === undefined ? ['--last'] : []), 'svinit', why];
  if ((await run(kernel, ports, '/dev/console', words)) === RETRY) again?.();
  if (emergency === 'shell' && shell) {
    say(`svinit: a shell on ${tty}; leave it to restart`);
    await run(kernel, ports, tty, [SHELL, '-l']);
  }
  kernel.sync();
  // Refused or not, PID 1 may not end here.
  for (;;) {
    try {
      kernel.reboot(emergency === 'poweroff' || emergency === 'halt' ? emergency : 'restart');
      return 1;
    } catch (error) {
      say(`svinit: ${wordsOf(error)}`);
      await new Promise((resolve) => setTimeout(resolve, REBOOT_AGAIN_MS));
    }
  }
}

/** The exit status of a program on `tty` (wait(2)); null when it could not be started. */
async function run(
  kernel: Kernel,
  { say }: RescuePorts,
  tty: string,
  argv: readonly string[],
): Promise<number | null> {
  try {
    const pid = kernel.spawn({
      path: argv[0] ?? '',
      argv,
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/', 'TERM=linux'],
      cwd: '/',
      files: [0, 1, 2].map((fd) => ({ fd, open: tty, flags: constants.O_RDWR, mode: 0 })),
      session: true,
      nofile: null,
    });
    return await statusOf(kernel, pid);
  } catch (error) {
    say(`svinit: ${wordsOf(error)}`);
    return null;
  }
}

async function statusOf(kernel: Kernel, pid: Pid): Promise<number> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    for (let waited = kernel.waitAny(); waited !== null; waited = kernel.waitAny()) {
      if (waited.pid === pid) return waited.status;
    }
  }
}
