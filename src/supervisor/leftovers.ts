/**
 * What an image finds open when the state of the one before is lost: nobody says what is what, but
 * /proc/PID/fd does. Connections nobody serves are closed, for whoever waits on them would wait for
 * ever; FIFOs of services are kept.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { type Fd, fd as toFd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { type Fifos, fifoAt } from './fifos.ts';
import { letGo } from './let-go.ts';

/** 0, 1 and 2 are ours whatever they are. */
const FIRST = 3;

/** To be called before this image opens sockets of its own. */
export function takeLeftovers(kernel: Kernel, fifos: Fifos): void {
  for (const [fd, target] of descriptors(`/proc/${kernel.getpid()}/fd`)) {
    const name = fifoAt(fifos.places, target);
    if (name !== null && !fifos.held().has(name)) fifos.adopt(name, fd);
    else if (name !== null && fifos.held().get(name) === fd) continue;
    else if (name !== null || target.startsWith('socket:') || target.startsWith(OUR_MEMORY)) {
      letGo(kernel, fd);
    }
  }
}

/** How /proc shows the files in which images leave each other their state. */
const OUR_MEMORY = '/memfd:svinit-';

/**
 * Marks everything that was inherited close-on-exec: what the image before had open and had not
 * noted yet when it died is nobody's now. What is taken over is unmarked where that is done. Bun
 * does the same when it starts, Node does not.
 */
export function markInherited(kernel: Kernel): void {
  for (const [fd] of descriptors(`/proc/${kernel.getpid()}/fd`)) {
    try {
      kernel.setCloexec(fd, true);
    } catch {
      // It was the one with which the directory was read.
    }
  }
}

function descriptors(own: string): readonly (readonly [Fd, string])[] {
  return readdirSync(own)
    .map((entry) => toFd(Number(entry)))
    .filter((fd) => fd >= FIRST)
    .flatMap((fd) => {
      try {
        return [[fd, readlinkSync(`${own}/${fd}`)] as const];
      } catch {
        // It was the one with which the directory was read.
        return [];
      }
    });
}
