/**
 * Programs that tell by their exit whether a service is well. Each leads a process group, which is
 * killed when it is out of time, and what it leaves behind when it has ended. A program that cannot
 * be killed is not started a second time.
 */
import { constants } from 'node:fs';
import { decodeStatus, exitWords, succeeded } from '../core/exit.ts';
import { printable } from '../core/names.ts';
import type { ProbeProgram } from '../core/probe.ts';
import type { Tried } from '../core/probe-tally.ts';
import { SIGKILL } from '../core/signals.ts';
import type { Fd, Pid } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Limits } from './tries.ts';

export type ProgramKernel = Pick<
  Kernel,
  'close' | 'kill' | 'peekAny' | 'pipe' | 'read' | 'reap' | 'setBlocking' | 'spawn'
>;

type Child = {
  readonly output: Fd;
  text: string;
  /** Null: it has been given already. */
  give: ((tried: Tried) => void) | null;
  readonly gone: () => void;
};

/** How often is looked whether one has ended, while there is any. */
const LOOK_MS = 10;
/** What a service may open (NOFILE of supervisor/spawn.ts). */
const NOFILE = { soft: 1024, hard: null };
const READ_BYTES = 4096;
/** Of the output, of which the last line is told. */
const TEXT_CHARS_MAX = 1000;

export class Programs {
  readonly #kernel: ProgramKernel;
  readonly #children = new Map<Pid, Child>();
  readonly #area: Uint8Array<ArrayBuffer> = new Uint8Array(new ArrayBuffer(READ_BYTES));
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(kernel: ProgramKernel) {
    this.#kernel = kernel;
  }

  /**
   * One try. `gone` is called when nothing of it is left, which may be later than the answer.
   */
  run(program: ProbeProgram, { timeoutMs, signal }: Limits, gone: () => void): Promise<Tried> {
    return new Promise((resolve) => {
      const started = this.#start(program);
      if (typeof started === 'string') {
        gone();
        return resolve({ ok: false, detail: started });
      }
      const { pid, output } = started;
      const end = (detail: string): void => {
        this.#kill(pid);
        this.#children.get(pid)?.give?.({ ok: false, detail });
      };
      const late = (): void => end(`did not end within ${timeoutMs} ms`);
      const timer = setTimeout(late, timeoutMs);
      const abort = (): void => end('not of interest any more');
      signal.addEventListener('abort', abort);
      const child: Child = {
        ...{ output, text: '', gone },
        give: (tried) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          child.give = null;
          resolve(tried);
        },
      };
      this.#children.set(pid, child);
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    });
  }

  /** At our own end: nobody would be left to kill them. */
  killAll(): void {
    for (const pid of this.#children.keys()) this.#kill(pid);
  }

  #start(program: ProbeProgram): { readonly pid: Pid; readonly output: Fd } | string {
    const kernel = this.#kernel;
    try {
      const [output, into] = kernel.pipe(O.NONBLOCK);
      try {
        kernel.setBlocking(into);
        const { env, ...rest } = program;
        const pid = kernel.spawn({
          ...rest,
          env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
          files: [
            { fd: 0, open: '/dev/null', flags: constants.O_RDONLY, mode: 0 },
            { fd: 1, dup: into },
            { fd: 2, dup: into },
          ],
          session: true,
          nofile: NOFILE,
        });
        return { pid, output };
      } catch (error) {
        kernel.close(output);
        throw error;
      } finally {
        kernel.close(into);
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #look(): void {
    for (const child of this.#children.values()) this.#read(child);
    for (let ended = this.#kernel.peekAny(); ended !== null; ended = this.#kernel.peekAny()) {
      const { pid, status } = ended;
      const child = this.#children.get(pid);
      if (child !== undefined) this.#read(child);
      // Its number is still its own, and so is that of its group.
      this.#kill(pid);
      if (!this.#kernel.reap(pid)) return;
      if (child !== undefined) this.#ended(pid, child, status);
    }
    if (this.#children.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #ended(pid: Pid, child: Child, status: number): void {
    this.#children.delete(pid);
    this.#kernel.close(child.output);
    const exit = decodeStatus(status);
    const last = child.text.trimEnd().split('\n').at(-1) ?? '';
    const said = last === '' ? '' : `: ${printable(last)}`;
    child.give?.({ ok: succeeded(exit), detail: `${exitWords(exit)}${said}` });
    child.gone();
  }

  #read(child: Child): void {
    try {
      for (let reads = 0; reads < READS_MAX; reads += 1) {
        const count = this.#kernel.read(child.output, this.#area);
        if (count === null || count === 0) return;
        const text = Buffer.from(this.#area.subarray(0, count)).toString('latin1');
        child.text = (child.text + text).slice(-TEXT_CHARS_MAX);
      }
    } catch {
      // What it says is for people; its exit is what counts.
    }
  }

  #kill(pid: Pid): void {
    try {
      this.#kernel.kill(-pid as Pid, SIGKILL);
    } catch {
      // It has become somebody whom we may not kill: it is waited for.
    }
  }
}

/** In one look, so that one that never stops printing does not hold the others. */
const READS_MAX = 64;
