/**
 * The console of PID 1: lines out, never waiting. What a terminal does not take now, because it is
 * full or somebody else writes to it, is tried again; one that is stopped or gone costs lines,
 * which are counted, and nothing else. What is worth a line is decided elsewhere.
 */
import { escapeForTerminal } from '../core/logline.ts';
import type { Fd } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { BootFiles } from './files.ts';

export interface Console {
  /** One line, without its end. Of what cannot be written now only so much is kept. */
  write(line: string): void;
  /** Lines dropped and not yet told about. */
  readonly dropped: number;
}

type Asked = Pick<Kernel, 'close' | 'open' | 'write'>;
/** Calls `act` after so many milliseconds. */
type Later = (act: () => void, ms: number) => void;

/** On a machine /dev/console, else the kernel's log; in a container or a shell, stderr. */
export function openConsole(
  kernel: Asked,
  machine: boolean,
  later: Later = (act, ms) => setTimeout(act, ms),
): Console {
  return new OwnConsole(kernel, machine ? MACHINE : ELSEWHERE, later);
}

/**
 * The terminal to give to a shell as its controlling terminal, which /dev/console itself can never
 * be; null when there is none. On a machine the last of `console=`, as the kernel chose it
 * (Documentation/ABI/testing/sysfs-tty), where tty0 stands for the virtual terminal in front.
 */
export function realConsole(machine: boolean, files: BootFiles): string | null {
  if (!machine) return isPseudoTerminal('/dev/console', files) ? '/dev/console' : null;
  const last = lastWord(files.read('/sys/class/tty/console/active'));
  if (last === null) return null;
  const front = last === 'tty0' ? lastWord(files.read('/sys/class/tty/tty0/active')) : null;
  return `/dev/${front ?? last}`;
}

/**
 * The terminals besides the real console that somebody may sit at: those that the kernel speaks on
 * as well, those of `console=` (of one driver the kernel takes a single one), and the first virtual
 * terminal where there is a screen. None but on a machine.
 */
export function otherConsoles(
  machine: boolean,
  named: readonly string[],
  files: BootFiles,
): readonly string[] {
  if (!machine) return [];
  const active = files.read('/sys/class/tty/console/active')?.trim().split(/\s+/) ?? [];
  // As in `realConsole`: tty0 is the terminal in front, which at boot is the first.
  const front = lastWord(files.read('/sys/class/tty/tty0/active'));
  const all = [...named, ...active, hasScreen(files) ? 'tty1' : null];
  const names = all.map((name) => (name === 'tty0' ? front : name));
  const main = realConsole(machine, files);
  return [...new Set(names)].flatMap((name) => {
    const path = `/dev/${name}`;
    return name && path !== main && isTerminal(name, files) ? [path] : [];
  });
}

/** A serial port of type 0 has no hardware behind it (PORT_UNKNOWN of linux/serial_core.h). */
function isTerminal(name: string, files: BootFiles): boolean {
  if (files.look(`/dev/${name}`)?.kind !== 'char') return false;
  return files.read(`/sys/class/tty/${name}/type`)?.trim() !== '0';
}

type Way = { readonly path: string; readonly flags: number; readonly end: string };

const QUIETLY: number = O.WRONLY | O.NONBLOCK | O.NOCTTY;

const MACHINE: readonly Way[] = [
  { path: '/dev/console', flags: QUIETLY, end: '\r\n' },
  { path: '/dev/kmsg', flags: QUIETLY, end: '\n' },
];

/**
 * Opened anew, for O_NONBLOCK on descriptor 2 would be shared with everybody who has it. A socket
 * cannot be opened so; then it is descriptor 2 itself, and whoever reads it must do so.
 */
const ELSEWHERE: readonly Way[] = [
  { path: '/proc/self/fd/2', flags: QUIETLY | O.APPEND, end: '\n' },
];

const STDERR: Way = { path: '', flags: 0, end: '\n' };

/** A longer line is cut: nobody reads it on a console. */
const LINE_MAX = 1024;

/** Lines that are kept until they can be written. */
const HELD_MAX = 64;
/** After so long they are tried again, in milliseconds: twice as long each time, up to the most. */
const AGAIN_MS = 20;
const AGAIN_MS_MAX = 1000;

/** linux/major.h: UNIX98_PTY_SLAVE_MAJOR, eight of them. */
const PTY_MAJOR = 136;
const PTY_MAJORS = 8;

class OwnConsole implements Console {
  dropped = 0;
  readonly #kernel: Asked;
  readonly #ways: readonly Way[];
  readonly #later: Later;
  #way: Way = STDERR;
  #fd: Fd | null = null;
  /** What is left of a line that went out in part: lines are never torn. */
  #rest: Uint8Array = new Uint8Array();
  readonly #held: string[] = [];
  #pause = AGAIN_MS;
  #isDue = false;

  constructor(kernel: Asked, ways: readonly Way[], later: Later) {
    this.#kernel = kernel;
    this.#ways = ways;
    this.#later = later;
  }

  write(line: string): void {
    this.#flush();
    if (this.dropped === 0 && this.#held.length < HELD_MAX) this.#held.push(plain(line));
    else this.dropped += 1;
    this.#flush();
  }

  #flush(): void {
    let line = this.#held[0];
    while (line !== undefined && this.#put(line)) {
      this.#held.shift();
      line = this.#held[0];
    }
    const isOut = this.#held.length === 0;
    if (isOut && this.dropped > 0 && this.#put(`${this.dropped} console lines dropped`))
      this.dropped = 0;
    if (isOut && this.dropped === 0 && this.#finish()) this.#pause = AGAIN_MS;
    else this.#tryAgain();
  }

  #tryAgain(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#later(() => {
      this.#isDue = false;
      this.#pause = Math.min(2 * this.#pause, AGAIN_MS_MAX);
      this.#flush();
    }, this.#pause);
  }

  /** Whether the line that went out in part is out. */
  #finish(): boolean {
    if (this.#rest.length > 0) this.#rest = this.#rest.subarray(this.#send(this.#rest));
    return this.#rest.length === 0;
  }

  /** Whether `line` is out, or so far out that its end will follow. */
  #put(line: string): boolean {
    if (!this.#finish()) return false;
    if (this.#fd === null) this.#open();
    const bytes = new TextEncoder().encode(`${line}${this.#way.end}`);
    const sent = this.#send(bytes);
    if (sent > 0) this.#rest = bytes.subarray(sent);
    return sent > 0;
  }

  /** How many bytes were taken. A terminal that was hung up (EIO) is opened again, once. */
  #send(bytes: Uint8Array): number {
    for (let attempt = 0; attempt < 2; attempt++) {
      const fd = this.#fd ?? this.#open();
      try {
        return this.#kernel.write(fd, bytes) ?? 0;
      } catch {
        this.#close();
      }
    }
    return 0;
  }

  #open(): Fd {
    for (const way of this.#ways) {
      try {
        this.#fd = this.#kernel.open(way.path, way.flags);
        this.#way = way;
        return this.#fd;
      } catch {
        // The next way, and in the end stderr, which is always there.
      }
    }
    this.#way = STDERR;
    return 2 as Fd;
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = null;
    try {
      if (fd !== null) this.#kernel.close(fd);
    } catch {
      // It is gone either way (close(2)).
    }
  }
}

/** Names and reasons come from outside, and a console obeys what is written to it. */
function plain(line: string): string {
  return escapeForTerminal(line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}...` : line);
}

function lastWord(text: string | null): string | null {
  return text?.trim().split(/\s+/).at(-1) || null;
}

/** Virtual terminals are drawn somewhere, and not only on the driver that throws them away. */
function hasScreen(files: BootFiles): boolean {
  const drivers = [0, 1, 2, 3].map((n) => `/sys/class/vtconsole/vtcon${n}`);
  return drivers.some((path) => {
    const name = files.read(`${path}/name`);
    const isBound = files.read(`${path}/bind`)?.trim() === '1';
    return name !== null && isBound && !name.includes('dummy');
  });
}

function isPseudoTerminal(path: string, files: BootFiles): boolean {
  const found = files.look(path);
  if (found?.kind !== 'char') return false;
  return found.major >= PTY_MAJOR && found.major < PTY_MAJOR + PTY_MAJORS;
}
