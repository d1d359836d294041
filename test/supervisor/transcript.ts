/**
 * A file that grows: what it holds, and waiting until it says something. The file, and directories
 * above it, may appear later.
 */
import { existsSync, type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Bounds a hang on a slow, shared machine; no assertion about time. */
export const WITHIN_MS = 60_000;

export class Transcript {
  readonly path: string;
  #closed: string | null = null;
  readonly #watchers = new Set<() => void>();

  constructor(path: string) {
    this.path = path;
  }

  text(): string {
    try {
      return readFileSync(this.path, 'utf8');
    } catch {
      return '';
    }
  }

  /** What services said through `say`, in order, without the mark. */
  said(): string[] {
    return [...this.text().matchAll(/^@ (.*)$/gm)].map((found) => found[1] ?? '');
  }

  /** The first match of `pattern`, as soon as there is one. Rejects once nothing more can come. */
  expect(pattern: RegExp | string, withinMs: number = WITHIN_MS): Promise<string> {
    const source = typeof pattern === 'string' ? quoted(pattern) : pattern;
    return new Promise((resolve, reject) => {
      let watcher: FSWatcher | null = null;
      const end = (settle: () => void): void => {
        watcher?.close();
        clearTimeout(timer);
        this.#watchers.delete(look);
        settle();
      };
      const look = (): void => {
        const found = source.exec(this.text());
        if (found !== null) return end(() => resolve(found[0]));
        if (this.#closed === null) return;
        const why = `${this.#closed} without saying ${source}:\n${this.text()}`;
        end(() => reject(new Error(why)));
      };
      const late = (): void => {
        const why = `Waited ${withinMs} ms for ${source} in ${this.path}:\n${this.text()}`;
        end(() => reject(new Error(why)));
      };
      const timer = setTimeout(late, withinMs);
      const follow = (): void => {
        watcher?.close();
        const directory = nearest(dirname(this.path));
        watcher = watch(directory, () =>
          nearest(dirname(this.path)) === directory ? look() : follow(),
        );
        if (nearest(dirname(this.path)) === directory) look();
        else follow();
      };
      this.#watchers.add(look);
      follow();
    });
  }

  /** Nothing more will come, and why; whoever waits is told. */
  close(why: string): void {
    this.#closed = why;
    for (const look of [...this.#watchers]) look();
  }
}

/** The directory itself, or what is there of the way to it. */
function nearest(directory: string): string {
  return existsSync(directory) ? directory : nearest(dirname(directory));
}

function quoted(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
}
