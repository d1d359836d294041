/**
 * A definition becomes a process: the same environment, descriptors, session and limits whether it
 * is started at boot, by hand, after a crash or after a re-exec.
 */
import { constants } from 'node:fs';
import type { ErrandRole } from '../core/phase.ts';
import { withBeginning } from '../core/prober.ts';
import { finishArguments, programOf } from '../core/program.ts';
import { enterArguments } from '../core/root-definitions.ts';
import type { Spec } from '../core/spec.ts';
import type { SystemEffect, SystemEvent } from '../core/system.ts';
import type { Fd, Pid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { FileAction, Program } from '../sys/spawn.ts';
import type { Cgroups } from './cgroups.ts';
import { chained, findProgram } from './chained.ts';
import type { Fifos } from './fifos.ts';
import { type HandedPorts, handedTo, NOTHING } from './handed.ts';
import { inheritedBy } from './inherited.ts';
import { letGo, wordsOf } from './let-go.ts';
import { withOwnPids } from './own-pids.ts';
import { standardFiles } from './pipes.ts';
import { programFile } from './reexec.ts';
import { lockFor } from './service-lock.ts';
import type { Watch } from './watch.ts';

export type SpawnOrder = Extract<SystemEffect, { do: 'spawn' }>;

export type SpawnPorts = HandedPorts & {
  readonly kernel: Kernel;
  readonly cgroups: Pick<Cgroups, 'start'>;
  readonly fifos: Fifos;
  readonly watch: Watch;
  /** What every service inherits, before its own environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** What our own program inherits: for a runtime, environment is code. */
  readonly own: { readonly path: string; readonly environment: Readonly<Record<string, string>> };
  /** The path of the socket on which services say what they are about. */
  readonly notify: string;
  /** The directory of the locks that services hold. */
  readonly locks: string;
  /** The mount namespace that services of the root run in. */
  readonly pin: string;
  /** The terminal behind `tty: "console"`; null when there is none. */
  readonly console: string | null;
  /** Called with each pid that has announced that it is ready. */
  readonly ready: (pid: Pid) => void;
  readonly warn: (text: string) => void;
  /** Hears of each notification pipe that is listened to, and with null of its end. */
  readonly note: (pid: Pid, fd: Fd | null) => void;
};

/** Descriptors a service may open, unless it asks otherwise: what a login gives it on Linux. */
const NOFILE = { soft: 1024, hard: null };
export const UMASK = 0o022;
/** Of a root, where there is always one (POSIX, sh). */
export const SHELL = '/bin/sh';

/** Lack of a resource, not a fault of the service (clone(2), execve(2)). */
const TRANSIENT: ReadonlySet<string> = new Set([
  ...['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'ETXTBSY'],
]);

/** Notification pipes by the pid that may write to them. */
export type Notifications = Map<Pid, Fd>;

export class Spawner {
  readonly #ports: SpawnPorts;
  readonly #notifications: Notifications = new Map();

  constructor(ports: SpawnPorts) {
    this.#ports = ports;
    try {
      ports.kernel.reserveSources();
    } catch (error) {
      ports.warn(wordsOf(error));
    }
  }

  /** Starts the program of `order` and gives the event that tells of it. */
  start(order: SpawnOrder): SystemEvent {
    const { name, role } = order;
    // Nothing of the lifecycle depends on it.
    const errand = isErrand(role) ? { errand: role } : {};
    try {
      return { type: 'spawned', name, pid: this.spawn(order), ...errand };
    } catch (error) {
      const reason = wordsOf(error);
      // What becomes of the service tells of its main program alone.
      if (role !== 'start') this.#ports.warn(`${name} has no ${role}: ${reason}`);
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      return { type: 'spawnFailed', name, reason, transient: TRANSIENT.has(code), ...errand };
    }
  }

  /**
   * Starts the program of `order`.
   * @throws {SysError} what refused it: the exec, a missing directory, or a lack of resources.
   */
  spawn(order: SpawnOrder): Pid {
    const { kernel } = this.#ports;
    const { spec, role } = order;
    const command = programOf(spec, role, order.run);
    if (command === null) throw new TypeError(`${spec.name} has no ${role} to run`);
    const handed = role === 'start' ? handedTo(spec, this.#ports) : NOTHING;
    const extra = role === 'finish' ? finishArguments(order) : [];
    const { own } = this.#ports;
    const isOwn = command.path === own.path && spec.root === undefined;
    const base = isOwn ? own.environment : this.#ports.environment;
    const told = { ...this.#notifying(order), ...handed.env };
    const { environment, words } = inheritedBy(spec, base, told);
    const chain = chained(spec, command, extra, environment, handed.files.length > 0);
    const isApart = role === 'start' && spec.ownPids === true;
    const whole = isApart ? withOwnPids(chain) : chain;
    const { path: asked, argv } = withBeginning(spec, role, whole, environment);
    const lock = lockFor(this.#ports, order);
    let pipe: readonly [Fd, Fd] | null = null;
    try {
      pipe = role === 'start' && spec.ready.by === 'fd' ? kernel.pipe(0) : null;
      const path = environment['PATH'] ?? '';
      const program = {
        ...(isOwn && asked === command.path
          ? { path: programFile(own.path), argv, cwd: spec.cwd }
          : spec.root === undefined
            ? { path: findProgram(asked, path), argv, cwd: spec.cwd }
            : this.#entering(spec, [asked, ...argv.slice(1)])),
        env: words,
        files: [...this.#files(order, pipe?.[1] ?? null), ...lock.files, ...handed.files],
        session: !isErrand(role),
        nofile: NOFILE,
        umask: spec.privileges?.umask ?? UMASK,
      };
      const pid = this.#ports.cgroups.start(spec, () => kernel.spawn(program));
      if (pipe !== null) this.#listen(pid, pipe[0]);
      return pid;
    } catch (error) {
      if (pipe !== null) letGo(kernel, pipe[0]);
      throw error;
    } finally {
      if (pipe !== null) letGo(kernel, pipe[1]);
      if (lock.fd !== null) letGo(kernel, lock.fd);
    }
  }

  /** What a program needs to say what it is about (sd_notify(3), sd_watchdog_enabled(3)). */
  #notifying({ spec, role }: SpawnOrder): Readonly<Record<string, string>> {
    const { watchdog, ready, fdStoreMax } = spec;
    const says = ready.by === 'notify' || watchdog !== undefined || fdStoreMax !== undefined;
    if (role !== 'start' || !says) return {};
    const NOTIFY_SOCKET = this.#ports.notify;
    if (watchdog === undefined) return { NOTIFY_SOCKET };
    return { NOTIFY_SOCKET, WATCHDOG_USEC: String(Math.round(watchdog * 1000)) };
  }

  /** What of the initramfs runs `argv` in a root: nothing of the root is opened by PID 1. */
  #entering(spec: Spec, argv: readonly string[]): Pick<Program, 'path' | 'argv' | 'cwd'> {
    const path = findProgram('nsenter', this.#ports.environment['PATH'] ?? '');
    return { path, argv: enterArguments(this.#ports.pin, SHELL, spec.cwd, argv), cwd: '/' };
  }

  /** Forgets the notification pipe of a process that has ended. */
  forget(pid: Pid): void {
    const fd = this.#notifications.get(pid);
    if (fd === undefined) return;
    this.#notifications.delete(pid);
    this.#ports.note(pid, null);
    this.#ports.watch.drop(fd);
  }

  notifications(): ReadonlyMap<Pid, Fd> {
    return this.#notifications;
  }

  /** Goes on listening to a pipe of the image before, should it still be there. */
  adopt(pid: Pid, fd: Fd): void {
    try {
      // Refused here when there is no such descriptor, before anything of it is kept.
      this.#ports.kernel.setCloexec(fd, false);
      this.#listen(pid, fd);
    } catch (error) {
      this.#ports.warn(`Nobody will hear that ${pid} is ready: ${wordsOf(error)}`);
    }
  }

  /**
   * Ready is the first newline (s6, "notification-fd"); what else is written does not matter. The
   * child runs: nothing here may fail, or it would be taken for one that was never started.
   */
  #listen(pid: Pid, fd: Fd): void {
    this.#notifications.set(pid, fd);
    this.#ports.note(pid, fd);
    this.#keep(fd);
    this.#ports.watch.add(fd, () => {
      const count = this.#ports.kernel.read(fd, buffer);
      if (count === null) return;
      const isReady = buffer.subarray(0, count).includes(0x0a);
      // Told before the pipe is forgotten: an image that dies in between leaves one or the other.
      if (isReady) this.#ports.ready(pid);
      // Zero bytes: it closed its end, so nothing more will come.
      if (count === 0 || isReady) this.forget(pid);
    });
  }

  /**
   * It goes on over an exec only once it is noted: otherwise an image that dies in between would
   * leave a descriptor that nobody knows of. Every child is started without it all the same.
   */
  #keep(fd: Fd): void {
    try {
      this.#ports.kernel.setCloexec(fd, false);
    } catch (error) {
      this.#ports.warn(wordsOf(error));
    }
  }

  #files(order: SpawnOrder, notify: Fd | null): FileAction[] {
    const { spec, role } = order;
    // What is printed on the terminal of its own is logged by who holds that.
    if (role === 'start' && spec.tty?.endsWith('/tty') === true) this.#ports.fifos.hold(spec.name);
    const files = spec.tty === null || role !== 'start' ? this.#outlet(order) : this.#tty(spec.tty);
    if (notify !== null && spec.ready.by === 'fd') files.push({ fd: spec.ready.fd, dup: notify });
    return files;
  }

  /** Its output, and what it has of the descriptors that svinit was started with. */
  #outlet(order: SpawnOrder): FileAction[] {
    const { outlet } = order.spec;
    if (outlet === 'given') return [0, 1, 2].map((fd) => ({ fd, dup: fd as Fd }));
    return [...this.#logged(order), ...(outlet === 'beside' ? [{ fd: 3, dup: 1 as Fd }] : [])];
  }

  #logged({ spec, role }: Pick<SpawnOrder, 'spec' | 'role'>): FileAction[] {
    return standardFiles(this.#ports.fifos, spec, role === 'start');
  }

  /** Without O_NOCTTY: the first terminal a session leader opens becomes its controlling one. */
  #tty(tty: string): FileAction[] {
    const path = tty === 'console' ? (this.#ports.console ?? '/dev/console') : tty;
    return [0, 1, 2].map((fd) => ({ fd, open: path, flags: constants.O_RDWR, mode: 0 }));
  }
}

/** What notifications are read into, one after the other. */
const buffer = new Uint8Array(new ArrayBuffer(256));

/** Beside the lifecycle, and so not told from others by a session of its own (see survey.ts). */
const isErrand = (role: SpawnOrder['role']): role is ErrandRole =>
  role === 'control' || role === 'reload';
