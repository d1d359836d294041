/**
 * The lock that a service finds at its descriptor `lock-fd` (s6-supervise(8)): an fcntl lock of the
 * open file, so that it stays with the service and with whatever it leaves behind, and nobody else
 * can start it meanwhile. s6 keeps the file in the service directory; that may be read-only here.
 */
import { constants, ftruncateSync, mkdirSync } from 'node:fs';
import { fileNameOf } from '../core/names.ts';
import type { Spec } from '../core/spec.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { FileAction } from '../sys/spawn.ts';
import { letGo } from './let-go.ts';

/** Somebody else has the lock: it may be free later. */
export class Locked extends Error {
  override readonly name = 'Locked';
  readonly code = 'EAGAIN';
}

/** The lock that what is started is to hold, if any; ours goes once it has its own. */
export function lockFor(
  ports: { readonly kernel: Locking; readonly locks: string },
  { spec, role }: { readonly spec: Spec; readonly role: string },
): { readonly fd: Fd | null; readonly files: readonly FileAction[] } {
  if (role !== 'start' || spec.lockFd === undefined) return { fd: null, files: [] };
  const fd = takeLock(ports.kernel, ports.locks, spec.name);
  return { fd, files: [{ fd: spec.lockFd, dup: fd }] };
}

type Locking = Pick<Kernel, 'open' | 'close' | 'lockOpenFile'>;

/**
 * Opens and locks the file of `name` in `directory`, which is made where it is missing.
 * @throws {Locked} when what an earlier run left behind still holds it.
 * @throws {SysError} when it cannot be opened.
 */
function takeLock(kernel: Locking, directory: string, name: string): Fd {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = `${directory}/${fileNameOf(name)}`;
  const fd = kernel.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (!kernel.lockOpenFile(fd)) {
      throw new Locked(`Cannot start ${name}: what an earlier run left holds its lock ${path}`);
    }
    // What a service has written there is not for the next one (s6-setlock(8)).
    ftruncateSync(fd, 0);
    return fd;
  } catch (error) {
    letGo(kernel, fd);
    throw error;
  }
}
