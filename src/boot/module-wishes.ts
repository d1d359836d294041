/**
 * What devices ask for of modules, gathered, and loaded by svmod: a process of its own, for the
 * start of a driver may take minutes or never end. It looks first whether there is anything to
 * load, as starting svmod costs more than looking.
 */
import { readFileSync } from 'node:fs';
import { type KernelWord, splitKernelWords } from '../core/kernel-words.ts';
import { resolve } from '../core/modules.ts';
import type { Fd, Pid } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { loadedModules, modaliases, type Places, placesOf, readIndex } from './modules.ts';

export class ModuleWishes {
  readonly #kernel: Pick<Kernel, 'close' | 'pipe' | 'reap' | 'spawn'>;
  readonly #tell: (text: string) => void;
  readonly #places: Places;
  readonly #words: readonly KernelWord[];
  /** What was handed to svmod before: one that failed is not tried again for the same device. */
  readonly #asked = new Set<string>();
  readonly #wanted = new Set<string>();
  #child: { readonly pid: Pid; readonly ended: Fd } | null = null;
  #isHopeless = false;

  constructor(
    kernel: Pick<Kernel, 'close' | 'pipe' | 'reap' | 'spawn'>,
    release: string,
    tell: (text: string) => void,
  ) {
    this.#kernel = kernel;
    this.#tell = tell;
    this.#places = placesOf(release);
    this.#words = splitKernelWords(readFileSync('/proc/cmdline', 'utf8')).words;
  }

  /** Whether something is being loaded, or is to be. */
  get busy(): boolean {
    return this.#child !== null || this.#wanted.size > 0;
  }

  /** What a device says it is. */
  want(modalias: string): void {
    if (!this.#isHopeless && !this.#asked.has(modalias)) this.#wanted.add(modalias);
  }

  /** What all devices say that are there now. */
  wantAll(): void {
    for (const modalias of modaliases(this.#places)) this.want(modalias);
  }

  /** A device that says so has gone: should it come again its module is worth a try again. */
  forget(modalias: string): void {
    this.#asked.delete(modalias);
  }

  /**
   * Starts loading what is wanted, one svmod at a time. Gives the descriptor that is at its end
   * when this one is through; null when nothing was started.
   */
  start(): Fd | null {
    if (this.#child !== null || this.#wanted.size === 0) return null;
    const names = this.#missing([...this.#wanted]);
    this.#wanted.clear();
    if (names.length === 0) return null;
    const [ended, end] = this.#kernel.pipe(0);
    try {
      const pid = this.#kernel.spawn(svmod(names, end));
      this.#child = { pid, ended };
      for (const name of names) this.#asked.add(name);
      return ended;
    } catch (error) {
      this.#kernel.close(ended);
      throw error;
    } finally {
      this.#kernel.close(end);
    }
  }

  /** To be called when that descriptor is ready. */
  finished(): void {
    if (this.#child === null) return;
    this.#kernel.close(this.#child.ended);
    this.#gone.add(this.#child.pid);
    this.#child = null;
  }

  /** Reaps those that have ended. */
  bury(): void {
    for (const pid of this.#gone) if (this.#kernel.reap(pid)) this.#gone.delete(pid);
  }

  readonly #gone = new Set<Pid>();

  /** Those for which a module is there, wanted, and not loaded. */
  #missing(names: readonly string[]): readonly string[] {
    try {
      const index = readIndex(this.#places, this.#words);
      const loaded = loadedModules(this.#places);
      return names.filter((name) => {
        return resolve(index, name).loads.some(({ module, soft }) => !soft && !loaded.has(module));
      });
    } catch (error) {
      this.#isHopeless = true;
      this.#tell(`No modules are loaded: ${error instanceof Error ? error.message : error}`);
      return [];
    }
  }
}

const SVMOD = '/usr/sbin/svmod';

/** Its words go where ours go. */
function svmod(names: readonly string[], end: Fd) {
  return {
    path: SVMOD,
    argv: ['svmod', ...names],
    env: Object.entries(process.env).map(([key, value = '']) => `${key}=${value}`),
    cwd: '/',
    files: [
      { fd: 0, open: '/dev/null', flags: O.RDONLY, mode: 0 },
      { fd: 1, dup: 1 as Fd },
      { fd: 2, dup: 2 as Fd },
      { fd: 3, dup: end },
    ],
    session: false,
    nofile: null,
  };
}
