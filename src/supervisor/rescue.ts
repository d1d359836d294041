/**
 * The last resort: something failed without which nothing can be supervised. On a machine there is
 * a shell on the console for as long as someone wants it; a container ends with a reason.
 */
import { constants } from 'node:fs';
import type { Kernel } from '../sys/kernel.ts';
import { wordsOf } from './let-go.ts';

export type RescuePorts = {
  readonly console: string | null;
  readonly machine: boolean;
  readonly say: (line: string) => void;
};

const SHELL = '/bin/sh';
const LOOK_MS = 100;
const REBOOT_AGAIN_MS = 1000;

/** Gives the exit code of a container; on a machine it ends in a restart. */
export async function rescue(kernel: Kernel, ports: RescuePorts): Promise<number> {
  ports.say('svinit: the boot has failed: see the step above');
  if (!ports.machine) return 1;
  const tty = ports.console ?? '/dev/console';
  ports.say(`svinit: a shell on ${tty}; leave it to restart`);
  try {
    const pid = kernel.spawn({
      path: SHELL,
      argv: ['-sh'],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/', 'TERM=linux'],
      cwd: '/',
      files: [0, 1, 2].map((fd) => ({ fd, open: tty, flags: constants.O_RDWR, mode: 0 })),
      session: true,
      nofile: null,
    });
    for (let over = false; !over; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      for (let waited = kernel.waitAny(); waited !== null; waited = kernel.waitAny()) {
        if (waited.pid === pid) over = true;
      }
    }
  } catch (error) {
    ports.say(`svinit: ${wordsOf(error)}`);
  }
  kernel.sync();
  // Refused or not, PID 1 may not end here.
  for (;;) {
    try {
      kernel.reboot('restart');
      return 1;
    } catch (error) {
      ports.say(`svinit: ${wordsOf(error)}`);
      await new Promise((resolve) => setTimeout(resolve, REBOOT_AGAIN_MS));
    }
  }
}
