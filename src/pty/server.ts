/**
 * The socket of svpty: connections of root, their first frame, and what becomes of each after it.
 * Which terminal somebody gets is the desk's to say.
 */
import { unlinkSync } from 'node:fs';
import type { Frame, Hello, SessionRow } from '../core/terminal-frames.ts';
import { TERMINAL_PROTOCOL } from '../core/terminal-frames.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Reactor } from './reactor.ts';
import { type Terminal, VIEWERS_MAX } from './terminal.ts';
import { Viewer } from './viewer.ts';

export type Found = {
  readonly terminal: Terminal;
  readonly name: string;
  readonly isNew: boolean;
};

/** Where somebody who comes in is told where to go. */
export type Desk = {
  /** @throws {Error} with the reason why there is none for him. */
  find(hello: Hello): Found;
  list(): readonly SessionRow[];
};

export type ServerPorts = {
  readonly kernel: Kernel;
  readonly reactor: Reactor;
  readonly desk: Desk;
  readonly say: (message: string) => void;
};

/** Who says nothing, or does not take its last frames, is waited for so long, in milliseconds. */
const PATIENCE_MS = 10_000;
const CONNECTIONS_MAX = 128;
const BACKLOG = 16;
const SOCKET_MODE = 0o600;

export class Server {
  readonly #ports: ServerPorts;
  readonly #fd: Fd;
  readonly #viewers = new Map<Viewer, Terminal | null>();
  /** Since when those are leaving that are. */
  readonly #leaving = new Map<Viewer, number>();

  /** @throws {SysError} when nothing can listen at `path`; what is there is in the way no more. */
  constructor(ports: ServerPorts, path: string) {
    this.#ports = ports;
    try {
      unlinkSync(path);
    } catch {
      // Nothing was there, or what listening at it will tell.
    }
    this.#fd = ports.kernel.listenUnix(path, SOCKET_MODE, BACKLOG);
    ports.reactor.add(this.#fd, () => this.#accept());
  }

  /** Lets go of who is too slow or too silent; called after each turn. */
  sweep(): void {
    const now = this.#ports.kernel.monotonic();
    const late = (since: number): boolean => now - since > PATIENCE_MS;
    for (const [viewer, terminal] of this.#viewers) {
      const leftAt = this.#leaving.get(viewer);
      if (leftAt !== undefined) this.#part(viewer, late(leftAt));
      else if (terminal === null && late(viewer.since)) this.#drop(viewer);
      else if (terminal?.stalled().includes(viewer) === true) {
        this.#ports.say('a viewer that took nothing was dropped');
        this.#drop(viewer);
      }
    }
  }

  /**
   * Closed at once, with something from it unread, it would see an error in place of its last
   * frames (unix_release_sock of net/unix/af_unix.c): so it is the one to close.
   */
  #part(viewer: Viewer, isLate: boolean): void {
    if (isLate) return this.#drop(viewer);
    if (viewer.queued > 0) return;
    try {
      viewer.finish();
    } catch {
      this.#drop(viewer);
    }
  }

  /** `terminal` is over: its viewers leave once they have what they were sent. */
  release(terminal: Terminal): void {
    for (const [viewer, its] of this.#viewers) if (its === terminal) this.#leave(viewer);
  }

  /** There is room again for what they type. */
  resume(): void {
    for (const [viewer, terminal] of this.#viewers) {
      if (terminal !== null) this.#ports.reactor.again(() => this.#hear(viewer));
    }
  }

  #accept(): void {
    const { kernel, reactor, say } = this.#ports;
    for (let fd = this.#next(); fd !== null; fd = this.#next()) {
      const { uid } = kernel.peerCredentials(fd);
      const isWelcome = uid === 0 || uid === kernel.geteuid();
      if (!isWelcome || this.#viewers.size >= CONNECTIONS_MAX) {
        say(isWelcome ? 'a viewer was refused: there are too many' : `uid ${uid} was refused`);
        kernel.close(fd);
        continue;
      }
      const viewer = new Viewer(kernel, fd);
      this.#viewers.set(viewer, null);
      reactor.add(fd, () => this.#hear(viewer));
    }
  }

  #next(): Fd | null {
    try {
      return this.#ports.kernel.accept(this.#fd);
    } catch (error) {
      this.#ports.say(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  /** Takes all that has come from `viewer`, and gives it what it can take. */
  #hear(viewer: Viewer): void {
    if (!this.#viewers.has(viewer)) return;
    if (!viewer.flush()) return this.#drop(viewer);
    if (this.#leaving.has(viewer)) return viewer.discard() ? undefined : this.#drop(viewer);
    this.#viewers.get(viewer)?.pump();
    while (this.#viewers.has(viewer) && !this.#leaving.has(viewer)) {
      const terminal = this.#viewers.get(viewer) ?? null;
      if (terminal?.takesInput === false) return;
      const frames = this.#framesOf(viewer);
      if (frames === null) return this.#drop(viewer);
      if (frames === 'nothing') return;
      for (const frame of frames) this.#obey(viewer, frame);
    }
  }

  /** Null: it is gone. Frames may be none although bytes came. */
  #framesOf(viewer: Viewer): readonly Frame[] | 'nothing' | null {
    try {
      return viewer.read();
    } catch (error) {
      this.#refuse(viewer, error);
      return 'nothing';
    }
  }

  #obey(viewer: Viewer, frame: Frame): void {
    const terminal = this.#viewers.get(viewer) ?? null;
    if (this.#leaving.has(viewer)) return;
    if (terminal === null) {
      if (frame.kind === 'hello') this.#greet(viewer, frame.hello);
      else this.#refuse(viewer, new Error('the first frame is a hello'));
      return;
    }
    switch (frame.kind) {
      case 'data':
        return terminal.type(viewer, frame.bytes);
      case 'resize':
        return terminal.resize(viewer, frame.size);
      case 'signal':
        return viewer.readOnly ? undefined : terminal.signal(frame.signal);
      case 'detach':
        return this.#drop(viewer);
      default:
        return this.#refuse(viewer, new Error(`a viewer does not send ${frame.kind}`));
    }
  }

  #greet(viewer: Viewer, hello: Hello): void {
    const { desk } = this.#ports;
    const version = TERMINAL_PROTOCOL;
    try {
      if (hello.version !== version) throw new Error(`this is version ${version} of the protocol`);
      if (hello.want === 'list') {
        viewer.send({ kind: 'sessions', sessions: desk.list() });
        return this.#leave(viewer);
      }
      const { terminal, name, isNew } = desk.find(hello);
      if (terminal.viewers.length >= VIEWERS_MAX) throw new Error('too many look at it already');
      viewer.readOnly = hello.readOnly;
      viewer.size = hello.size;
      this.#viewers.set(viewer, terminal);
      terminal.attach(viewer, { kind: 'welcome', welcome: { version, name, isNew } });
    } catch (error) {
      this.#refuse(viewer, error);
    }
  }

  #refuse(viewer: Viewer, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    viewer.send({ kind: 'refused', reason });
    this.#leave(viewer);
  }

  #leave(viewer: Viewer): void {
    if (!this.#leaving.has(viewer)) this.#leaving.set(viewer, this.#ports.kernel.monotonic());
  }

  #drop(viewer: Viewer): void {
    const terminal = this.#viewers.get(viewer) ?? null;
    this.#viewers.delete(viewer);
    this.#leaving.delete(viewer);
    this.#ports.reactor.remove(viewer.fd);
    viewer.close();
    terminal?.detach(viewer);
  }
}
