/**
 * PID 1 may not die, but it may exec: what one image leaves to the next, and how it is read back.
 * Descriptors that matter are never close-on-exec (every child is started with `closefrom`), so
 * that an exec needs no preparation, whoever does it: this file, or a handler of a dying runtime.
 */
import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { FRAME_BYTES_MAX } from '../core/protocol.ts';
import type { Asker } from '../core/system.ts';
import { type Fd, type Pid, fd as toFd, pid as toPid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Passed } from './clients.ts';
import type { Holding } from './holdings.ts';
import { encodeLedger, readLedger } from './ledger.ts';
import { markInherited } from './leftovers.ts';
import { letGo } from './let-go.ts';
import { STATE_OPTION } from './own-arguments.ts';

/** State as text, what moved since, and descriptors by what they are for. */
export type Legacy = {
  /** See core/checkpoint.ts. */
  readonly system: string;
  /** See core/ledger.ts. */
  readonly turns: readonly unknown[];
  readonly fifos: readonly (readonly [name: string, fd: Fd])[];
  readonly notifications: readonly (readonly [pid: Pid, fd: Fd])[];
  readonly listeners: readonly { readonly path: string; readonly fd: Fd }[];
  readonly clients: readonly Passed[];
  /** Sockets of services, and what they have left. */
  readonly held: readonly Holding[];
  /** Those who asked for the re-exec and still wait for their answer. */
  readonly askers: readonly Asker[];
  /** When images died and were revived, on CLOCK_MONOTONIC in milliseconds. */
  readonly revivals: readonly number[];
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

/** The file that runs, by whatever name, even when it has none any more (proc(5)). */
export const OWN_FILE = '/proc/self/exe';

/** What to exec to become oneself again, or to run another program of the same binary. */
export const programFile = (path: string): string => (existsSync(OWN_FILE) ? OWN_FILE : path);

/** asm-generic/signal.h. */
const SIGIO = 29;
/** A line that is not complete, in base64. */
const HELD_CHARS_MAX: number = Math.ceil(FRAME_BYTES_MAX / 3) * 4;

/**
 * Replaces this image, handing `legacy` over in a sealed file. Does not return.
 * @throws {SysError} when the exec failed; everything is as it was before.
 */
export function replaceSelf(kernel: Kernel, self: Self, legacy: Legacy): never {
  const { turns: _, ...state } = legacy;
  const fd = kernel.memfd('svinit-state', encodeLedger(state));
  let listenAgain = (): void => {};
  try {
    // 0 to 2 as well: Node marks inherited ones close-on-exec when it starts.
    for (const kept of [toFd(0), toFd(1), toFd(2), fd]) kernel.setCloexec(kept, false);
    // Descriptors go on raising SIGIO while nobody listens yet, and its default is to kill.
    listenAgain = kernel.sigIgnore([SIGIO]);
    const argv = [...self.program, `${STATE_OPTION}${fd}`, ...self.given];
    return kernel.execve(self.path, argv, self.env);
  } catch (error) {
    letGo(kernel, fd);
    listenAgain();
    throw error;
  }
}

/**
 * Reads what the image before left in descriptor `fd`, and closes it.
 * @throws {SysError} when it cannot be read; {TypeError} when it is not a legacy.
 */
export function readLegacy(kernel: Kernel, fd: Fd): Legacy {
  const { state, records } = readLedger(kernel, fd);
  letGo(kernel, fd);
  markInherited(kernel);
  const result = v.safeParse(LegacySchema, state);
  if (!result.success) {
    const [issue] = result.issues;
    throw new TypeError(`The state left by the image before is not ours: ${issue.message}`);
  }
  const { system, listeners, askers, revivals } = result.output;
  const fifos = new Map(result.output.fifos);
  const notifications = new Map(result.output.notifications);
  const clients = new Map(result.output.clients.map((client) => [client.number, client]));
  const held = new Map<number, Holding>(result.output.held.map((it) => [it.fd, it]));
  const turns: unknown[] = [];
  for (const record of records) {
    const fitting = v.safeParse(RecordSchema, record);
    if (!fitting.success) break;
    const { output } = fitting;
    if (output.k === 'turn') turns.push(output.turn);
    else if (output.k === 'fifo') put(fifos, output.name, output.fd);
    else if (output.k === 'notify') put(notifications, output.pid, output.fd);
    else if (output.k === 'held') put(held, output.fd, output.holding);
    else put(clients, output.number, output.client);
  }
  return {
    system,
    turns,
    fifos: [...fifos].map(([name, fifo]) => [name, toFd(fifo)]),
    notifications: [...notifications].map(([pid, pipe]) => [toPid(pid), toFd(pipe)]),
    listeners: listeners.map((listener) => ({ path: listener.path, fd: toFd(listener.fd) })),
    clients: [...clients.values()].map((client) => ({ ...client, fd: toFd(client.fd) })),
    held: [...held.values()],
    askers,
    revivals,
  };
}

function put<K, V>(map: Map<K, V>, key: K, value: V | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}

const Descriptor = v.pipe(v.number(), v.integer(), v.minValue(0));
const Process = v.pipe(v.number(), v.integer(), v.minValue(1));
const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const Uid = v.pipe(v.number(), v.integer(), v.minValue(-1));
const ClientSchema = v.strictObject({
  number: Count,
  uid: Uid,
  readOnly: v.boolean(),
  fd: Descriptor,
  held: v.nullable(v.pipe(v.string(), v.maxLength(HELD_CHARS_MAX))),
});
const HoldingSchema: v.GenericSchema<unknown, Holding> = v.strictObject({
  service: v.string(),
  fd: v.pipe(Descriptor, v.transform(toFd)),
  socket: v.nullable(v.string()),
  name: v.string(),
  isPolled: v.boolean(),
  file: v.string(),
});
const LegacySchema = v.strictObject({
  system: v.string(),
  fifos: v.array(v.tuple([v.string(), Descriptor])),
  notifications: v.array(v.tuple([Process, Descriptor])),
  listeners: v.array(v.strictObject({ path: v.string(), fd: Descriptor })),
  clients: v.array(ClientSchema),
  held: v.array(HoldingSchema),
  askers: v.array(
    v.strictObject({
      client: Count,
      id: v.nullable(v.union([v.string(), v.number()])),
      uid: Uid,
    }),
  ),
  revivals: v.array(v.number()),
});
const RecordSchema = v.variant('k', [
  v.strictObject({ k: v.literal('turn'), turn: v.unknown() }),
  v.strictObject({ k: v.literal('fifo'), name: v.string(), fd: v.nullable(Descriptor) }),
  v.strictObject({ k: v.literal('notify'), pid: Process, fd: v.nullable(Descriptor) }),
  v.strictObject({ k: v.literal('held'), fd: Descriptor, holding: v.nullable(HoldingSchema) }),
  v.strictObject({ k: v.literal('client'), number: Count, client: v.nullable(ClientSchema) }),
]);
