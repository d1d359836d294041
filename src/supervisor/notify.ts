/**
 * The socket on which services say what they are about (sd_notify(3)): who sent a message, and
 * that it reaches the system. What it means is not known here. The socket outlives this image, so
 * that nothing is lost that is said while it is replaced.
 */
import { readFileSync, unlinkSync } from 'node:fs';
import { NOTIFICATION_BYTES_MAX, type Notification, parseNotification } from '../core/notify.ts';
import { UNKNOWN_EXIT } from '../core/survivors.ts';
import type { SystemEvent } from '../core/system.ts';
import type { Fd, Pid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { FdStore } from './fd-store.ts';
import { letGo } from './let-go.ts';
import { statOf } from './survey.ts';
import type { Watch } from './watch.ts';

export type NotifyPorts = {
  readonly kernel: Kernel;
  readonly watch: Watch;
  readonly path: string;
  /** The services by the pid of the process that is theirs now. */
  readonly pids: ReadonlyMap<Pid, string>;
  readonly post: (event: SystemEvent) => void;
  /** Takes what descriptors come along, or closes them. */
  readonly store: Pick<FdStore, 'take'>;
  readonly warn: (text: string) => void;
};

/** Services of every user may send; who it was is told by the kernel. */
const MODE = 0o666;
/** The directory of the services' cgroups; a service's is in it, or in a slice in it. */
const SERVICES = '/svinit.services/';

export class NotifySocket {
  readonly #ports: NotifyPorts;
  #fd: Fd | null = null;
  /** Names whose unknown words have been told: a service says the same again and again. */
  readonly #told = new Set<string>();

  /** Main processes that are no children of ours, by when they began: their end is not told. */
  readonly #strangers = new Map<Pid, number>();

  constructor(ports: NotifyPorts) {
    this.#ports = ports;
  }

  /** For the next image. */
  listeners(): readonly { readonly path: string; readonly fd: Fd }[] {
    return this.#fd === null ? [] : [{ path: this.#ports.path, fd: this.#fd }];
  }

  /**
   * Binds the socket, or goes on with that of the image before.
   * @throws {SysError} when it cannot be bound.
   */
  listen(inherited: Fd | null): void {
    const { kernel, path, watch } = this.#ports;
    if (this.#fd !== null) return;
    const fd = inherited ?? this.#bind(path);
    try {
      kernel.passCredentials(fd);
      kernel.setCloexec(fd, false);
    } catch (error) {
      letGo(kernel, fd);
      throw error;
    }
    this.#fd = fd;
    // Whom the image before has known is not noted: it is seen.
    if (inherited !== null) for (const pid of this.#ports.pids.keys()) this.#meet(pid);
    const buffer = new Uint8Array(new ArrayBuffer(NOTIFICATION_BYTES_MAX));
    watch.add(fd, () => this.#receive(fd, buffer));
  }

  /** Those that have ended unheard: how, nobody knows but their parent. */
  lookForEnds(): void {
    const { kernel, pids, post } = this.#ports;
    for (const [pid, start] of this.#strangers) {
      const stat = statOf(String(pid));
      const isThere = stat !== null && stat.start === start;
      // One that is ours by now is reaped like any other.
      if (isThere && stat.parent !== kernel.getpid() && pids.has(pid)) continue;
      this.#strangers.delete(pid);
      if (!isThere && pids.has(pid)) post({ type: 'exited', pid, exit: UNKNOWN_EXIT });
    }
  }

  close(): void {
    if (this.#fd !== null) this.#ports.watch.drop(this.#fd);
    this.#fd = null;
  }

  #bind(path: string): Fd {
    try {
      unlinkSync(path);
    } catch {
      // There was none; what else is in the way, bind tells.
    }
    return this.#ports.kernel.listenUnixDgram(path, MODE);
  }

  /** As many as there are, but not for ever: whoever sends faster waits for the next look. */
  #receive(fd: Fd, buffer: Uint8Array): void {
    const { kernel, warn } = this.#ports;
    for (let count = 0; count < MESSAGES_AT_ONCE; count += 1) {
      const message = kernel.receiveMessage(fd, buffer);
      if (message === null) return;
      const { sender, bytes, isCut, fds } = message;
      const main = sender === null ? null : this.#mainOf(sender.pid);
      const text = DECODER.decode(bytes);
      if (main === null || isCut) for (const passed of fds) letGo(kernel, passed);
      else this.#ports.store.take(this.#ports.pids.get(main) ?? '', text, fds);
      if (sender === null) continue;
      if (isCut) warn(`a notification of ${sender.pid} is longer than ${buffer.length} bytes`);
      else if (main === null) warn(`${sender.pid}, which is of no service, sent a notification`);
      else this.#take(main, parseNotification(text));
    }
  }

  #take(pid: Pid, said: Notification): void {
    const { pids, post, warn } = this.#ports;
    const name = pids.get(pid) ?? '';
    const unknown = said.unknown?.join(', ');
    if (unknown !== undefined && !this.#told.has(name)) {
      this.#told.add(name);
      warn(`${name} says what nobody here understands: ${unknown}`);
    }
    const { mainPid, ...rest } = said;
    const isMain = mainPid !== undefined && mainPid !== pid && this.#mayBeMain(mainPid, pid);
    if (mainPid !== undefined && mainPid !== pid && !isMain) {
      warn(`${name} says that ${mainPid} is its main process, which is not one of its own`);
    }
    if (isMain) this.#meet(mainPid);
    post({ type: 'notified', pid, said: isMain ? { ...rest, mainPid } : rest });
  }

  /** The main process of the service that `pid` is of; null: of none. */
  #mainOf(pid: Pid): Pid | null {
    const { pids } = this.#ports;
    if (pids.has(pid)) return pid;
    const named = nameOf(pid);
    const session = statOf(String(pid))?.session;
    for (const [main, name] of pids) {
      if (name === named || main === session) return main;
    }
    // Its main process is another one than that which began the session.
    if (session === undefined) return null;
    for (const main of pids.keys()) if (statOf(String(main))?.session === session) return main;
    return null;
  }

  #meet(pid: Pid): void {
    const stat = statOf(String(pid));
    if (stat !== null && stat.parent !== this.#ports.kernel.getpid()) {
      this.#strangers.set(pid, stat.start);
    }
  }

  /** A process of the same service, that is. */
  #mayBeMain(candidate: Pid, main: Pid): boolean {
    if (this.#ports.pids.has(candidate)) return false;
    const stat = statOf(String(candidate));
    if (stat === null) return false;
    const named = nameOf(candidate);
    if (named !== null) return named === this.#ports.pids.get(main);
    return stat.session === main || stat.parent === main;
  }
}

/** The kernel keeps some ten by default (net.unix.max_dgram_qlen). */
const MESSAGES_AT_ONCE = 256;
const DECODER = new TextDecoder();

/** The service whose cgroup a process is in; null: none, or there are no cgroups. */
function nameOf(pid: Pid): string | null {
  try {
    const [line = ''] = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
    const at = line.indexOf(SERVICES);
    if (at < 0) return null;
    // What a service made below its own is its own as well.
    const parts = line.slice(at + SERVICES.length).split('/');
    return parts.find((part) => !part.startsWith('slice=')) ?? null;
  } catch {
    return null;
  }
}
