/**
 * One pseudo-terminal and who looks at it. It passes bytes on and knows no program: whoever starts
 * that opens `path`.
 */
import type { Ending, Frame, WindowSize } from '../core/terminal-frames.ts';
import { withoutQuestions } from '../core/terminal-text.ts';
import { type Pid, pid as toPid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Pty, TerminalKernel } from '../sys/terminal.ts';
import type { Reactor } from './reactor.ts';
import { Scrollback } from './scrollback.ts';
import type { Sink } from './sink.ts';
import type { Viewer } from './viewer.ts';

export type TerminalPorts = {
  readonly kernel: Pick<Kernel, 'close' | 'kill' | 'monotonic' | 'read' | 'write'>;
  readonly terminals: TerminalKernel;
  readonly reactor: Reactor;
};

/** What a serial line is taken for, which cannot tell: the size of a VT100. */
export const USUAL_SIZE: WindowSize = { rows: 24, columns: 80 };

export const VIEWERS_MAX = 16;

/** A viewer that is further behind is waited for; where nobody is waited for, it is dropped. */
export const BEHIND_BYTES_MAX: number = 256 * 1024;
export const DROPPED_BYTES_MAX: number = 1024 * 1024;

/** Input that the program has not read; the rest waits with those who type it. */
const INPUT_BYTES_MAX: number = 64 * 1024;

/** What one turn takes from a program that never stops printing. */
const TURN_BYTES: number = 256 * 1024;
const READ_BYTES: number = 32 * 1024;

const SIGWINCH = 28;

export class Terminal {
  readonly path: string;
  readonly #ports: TerminalPorts;
  readonly #pty: Pty;
  /** How long the program waits for a viewer that takes nothing, in milliseconds. */
  readonly #patienceMs: number;
  readonly #sink: Sink | null;
  readonly #scrollback = new Scrollback();
  /** The last one is whose window counts. */
  #viewers: Viewer[] = [];
  #input: Uint8Array = new Uint8Array();
  readonly #buffer = new Uint8Array(READ_BYTES);
  /** The program is there, as far as one can tell: it has printed something. */
  #isOpen = false;
  #isOver = false;
  /** Input was left with those who typed it, for want of room. */
  #isChoked = false;
  readonly #outlives: boolean;
  readonly #onRoom: () => void;

  /** @throws {SysError} when there is no pseudo-terminal to be had. */
  constructor(
    ports: TerminalPorts,
    options: {
      readonly patienceMs: number;
      readonly sink: Sink | null;
      /** Programs come and go on it, and those who look are told. */
      readonly outlives: boolean;
      /** There is room for input again. */
      readonly onRoom: () => void;
    },
  ) {
    this.#ports = ports;
    this.#patienceMs = options.patienceMs;
    this.#sink = options.sink;
    this.#outlives = options.outlives;
    this.#onRoom = options.onRoom;
    this.#pty = ports.terminals.openPty();
    this.path = this.#pty.path;
    ports.terminals.setWindowSize(this.#pty.master, USUAL_SIZE);
    ports.reactor.add(this.#pty.master, () => this.#ready());
  }

  get viewers(): readonly Viewer[] {
    return this.#viewers;
  }

  /** Whether there is room for what is typed. */
  get takesInput(): boolean {
    if (this.#input.length >= INPUT_BYTES_MAX) this.#isChoked = true;
    return !this.#isChoked;
  }

  /** The viewer sees what stands there, and what comes. */
  attach(viewer: Viewer, first: Frame): void {
    viewer.send(first);
    const past = withoutQuestions(this.#scrollback.contents());
    if (past.length > 0) viewer.send({ kind: 'data', bytes: past });
    this.#viewers.unshift(viewer);
    this.#foremost(viewer);
    // A program that draws its screen draws it again, even if the size is what it was.
    this.signal(SIGWINCH);
  }

  detach(viewer: Viewer): void {
    const isForemost = this.#viewers.at(-1) === viewer;
    this.#viewers = this.#viewers.filter((other) => other !== viewer);
    if (isForemost) this.#fit();
    this.pump();
  }

  /** What the viewer typed. */
  type(viewer: Viewer, bytes: Uint8Array): void {
    if (viewer.readOnly || this.#isOver) return;
    this.#foremost(viewer);
    this.#input = Buffer.concat([this.#input, bytes]);
    this.#flush();
  }

  resize(viewer: Viewer, size: WindowSize): void {
    viewer.size = size;
    this.#foremost(viewer);
  }

  /** To the process group in the foreground. */
  signal(signal: number): void {
    const { kernel, terminals } = this.#ports;
    if (this.#isOver) return;
    const group = terminals.foregroundGroup(this.#pty.master);
    try {
      if (group !== null) kernel.kill(toPid(-group) as Pid, signal);
    } catch {
      // Another user's program: its terminal is ours, its processes are not.
    }
  }

  #tell(text: string): void {
    for (const viewer of this.#viewers) viewer.send({ kind: 'note', text });
  }

  /** Reads what was printed, as far as the viewers keep up. */
  pump(): void {
    for (let bytes = 0; bytes < TURN_BYTES; ) {
      if (this.#isOver || this.#isHeld()) return;
      const count = this.#read();
      if (count === null) return;
      bytes += count;
      const printed = this.#buffer.slice(0, count);
      this.#scrollback.push(printed);
      this.#sink?.push(printed);
      for (const viewer of this.#viewers) viewer.send({ kind: 'data', bytes: printed });
    }
    this.#ports.reactor.again(this.#pumpAgain);
  }

  /** The program has ended: all that is left of what it printed, and the end. */
  end(ending: Ending): void {
    for (let count = this.#read(); count !== null; count = this.#read()) {
      const printed = this.#buffer.slice(0, count);
      for (const viewer of this.#viewers) viewer.send({ kind: 'data', bytes: printed });
    }
    for (const viewer of this.#viewers) viewer.send({ kind: 'ended', ending });
    this.close();
  }

  /** Hangs up: programs that are left on the terminal get SIGHUP. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink?.finish();
    this.#ports.reactor.remove(this.#pty.master);
    this.#ports.kernel.close(this.#pty.master);
  }

  /** Viewers that are too far behind for too long. */
  stalled(): readonly Viewer[] {
    const max = this.#patienceMs === 0 ? DROPPED_BYTES_MAX : BEHIND_BYTES_MAX;
    return this.#viewers.filter(
      ({ queued, stalledMs }) => queued > max && stalledMs >= this.#patienceMs,
    );
  }

  readonly #pumpAgain = (): void => this.pump();

  #ready(): void {
    this.#flush();
    this.pump();
  }

  /** Whether the program has to wait for a viewer, as it would for a slow terminal. */
  #isHeld(): boolean {
    if (this.#patienceMs === 0) return false;
    return this.#viewers.some(({ queued }) => queued > BEHIND_BYTES_MAX);
  }

  /** Null: nothing now. Where nobody has the terminal open any more, reading fails with EIO. */
  #read(): number | null {
    if (this.#isOver) return null;
    try {
      const count = this.#ports.kernel.read(this.#pty.master, this.#buffer);
      if (count !== null) this.#isOpen = true;
      return count;
    } catch {
      this.#hungUp();
      return null;
    }
  }

  #hungUp(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#input = new Uint8Array();
    this.#isChoked = false;
    this.#sink?.finish();
    if (this.#outlives) this.#tell('the program has left the terminal');
  }

  #flush(): void {
    while (this.#input.length > 0 && !this.#isOver) {
      const count = this.#write();
      if (count === null) return;
      this.#input = this.#input.subarray(count);
    }
    if (!this.#isChoked) return;
    this.#isChoked = false;
    this.#onRoom();
  }

  #write(): number | null {
    try {
      return this.#ports.kernel.write(this.#pty.master, this.#input);
    } catch {
      // Nobody is there to read it.
      return this.#input.length;
    }
  }

  /** Whoever acted last has the window that counts. */
  #foremost(viewer: Viewer): void {
    if (viewer.readOnly || viewer.size === null) return;
    this.#viewers = [...this.#viewers.filter((other) => other !== viewer), viewer];
    this.#fit();
  }

  #fit(): void {
    const viewer = this.#viewers.findLast(({ readOnly, size }) => !readOnly && size !== null);
    if (viewer === undefined || viewer.size === null || this.#isOver) return;
    this.#ports.terminals.setWindowSize(this.#pty.master, viewer.size);
  }
}
