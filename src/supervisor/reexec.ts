/**
 * PID 1 may not die, but it may exec: the state goes into a sealed memfd, the descriptors that
 * matter stay open, and a fresh image with the same pid, children and pipes goes on with them.
 */
import * as v from 'valibot';
import type { RequestId } from '../core/protocol.ts';
import { type Fd, type Pid, fd as toFd, pid as toPid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

/** What one image leaves to the next: state as text, and descriptors by what they are for. */
export type Legacy = {
  /** See core/checkpoint.ts. */
  readonly system: string;
  readonly fifos: readonly (readonly [name: string, fd: Fd])[];
  readonly notifications: readonly (readonly [pid: Pid, fd: Fd])[];
  readonly listeners: readonly { readonly path: string; readonly fd: Fd }[];
  /** The client that asked for the re-exec and is still waiting for its answer. */
  readonly asker: { readonly fd: Fd; readonly id: RequestId } | null;
};

/** How svinit is started again: the program, its name, and the environment of stage 0. */
export type Self = {
  readonly path: string;
  /** What comes before the state among its arguments, its name first. */
  readonly program: readonly string[];
  /** What comes after: the arguments this image was given. */
  readonly given: readonly string[];
  readonly env: readonly string[];
};

/** The argument that tells an image that it goes on, and where its state is. */
export const STATE_OPTION = '--state=';
/** asm-generic/signal.h. */
const SIGIO = 29;
/** A state larger than this is not ours. */
const STATE_BYTES_MAX: number = 64 * 1024 * 1024;

/**
 * Replaces this image. Does not return.
 * @throws {SysError} when the exec failed; descriptors are as they were before.
 */
export function replaceSelf(kernel: Kernel, self: Self, legacy: Legacy): never {
  const state = kernel.memfd('svinit-state', new TextEncoder().encode(JSON.stringify(legacy)));
  const kept = [state, ...descriptorsOf(legacy)];
  // 0 to 2 as well: Node marks inherited ones close-on-exec when it starts.
  const all = [toFd(0), toFd(1), toFd(2), ...kept];
  for (const fd of all) kernel.setCloexec(fd, false);
  // Descriptors go on raising SIGIO while nobody listens yet, and its default is to kill.
  kernel.sigIgnore([SIGIO]);
  try {
    const argv = [...self.program, `${STATE_OPTION}${state}`, ...self.given];
    return kernel.execve(self.path, argv, self.env);
  } catch (error) {
    for (const fd of kept) kernel.setCloexec(fd, true);
    kernel.close(state);
    throw error;
  }
}

/**
 * Reads what the image before left in descriptor `fd`, and closes it.
 * @throws {SysError} when it cannot be read; {TypeError} when it is not a legacy.
 */
export function readLegacy(kernel: Kernel, fd: Fd): Legacy {
  const bytes = kernel.memfdRead(fd, STATE_BYTES_MAX);
  kernel.close(fd);
  const result = v.safeParse(LegacySchema, JSON.parse(new TextDecoder().decode(bytes)));
  if (!result.success) {
    const [issue] = result.issues;
    throw new TypeError(`The state left by the image before is not ours: ${issue.message}`);
  }
  const { system, fifos, notifications, listeners, asker } = result.output;
  return {
    system,
    fifos: fifos.map(([name, fifo]) => [name, toFd(fifo)]),
    notifications: notifications.map(([pid, pipe]) => [toPid(pid), toFd(pipe)]),
    listeners: listeners.map((listener) => ({ path: listener.path, fd: toFd(listener.fd) })),
    asker: asker === null ? null : { fd: toFd(asker.fd), id: asker.id },
  };
}

function descriptorsOf(legacy: Legacy): Fd[] {
  return [
    ...legacy.fifos.map(([, fd]) => fd),
    ...legacy.notifications.map(([, fd]) => fd),
    ...legacy.listeners.map(({ fd }) => fd),
    ...(legacy.asker === null ? [] : [legacy.asker.fd]),
  ];
}

const Descriptor = v.pipe(v.number(), v.integer(), v.minValue(0));
const LegacySchema = v.strictObject({
  system: v.string(),
  fifos: v.array(v.tuple([v.string(), Descriptor])),
  notifications: v.array(v.tuple([v.pipe(v.number(), v.integer(), v.minValue(1)), Descriptor])),
  listeners: v.array(v.strictObject({ path: v.string(), fd: Descriptor })),
  asker: v.nullable(
    v.strictObject({ fd: Descriptor, id: v.union([v.string(), v.number(), v.null()]) }),
  ),
});
