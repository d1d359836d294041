/**
 * All views: one for each longrun that svinit has, made when it is first heard of and removed when
 * it is gone. A view that cannot be kept is told of and tried again; the others go on.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loggedBy, loggerOf, nameProblem } from '../core/names.ts';
import type { ServiceView } from '../core/service-view.ts';
import { removeAbove } from './above.ts';
import { codeOf, unlessRefused } from './errors.ts';
import { lockFile, makeDirectory, Taken } from './files.ts';
import { removeRunitView } from './runit-view.ts';
import { removeS6View } from './s6-view.ts';
import { Scandir } from './scandir.ts';
import { type Ground, ViewedService } from './service.ts';

export class Board {
  readonly #ground: Ground;
  /** Our own service: its view would end with us, and is not needed before. */
  readonly #own: string;
  readonly #services = new Map<string, ViewedService>();
  readonly #scandir: Scandir;
  #isSwept = false;

  /** @throws {Error} with a `code`, when the directories cannot be made. */
  constructor(ground: Ground, own: string) {
    this.#ground = ground;
    this.#own = own;
    makeDirectory(ground.s6, 0o755);
    makeDirectory(ground.runit, 0o755);
    this.#scandir = new Scandir(ground);
  }

  /** All services there are. */
  all(views: readonly ServiceView[]): void {
    const names = new Set(views.map(({ name }) => name));
    for (const name of [...this.#services.keys()]) if (!names.has(name)) this.gone(name);
    if (!this.#isSwept) this.#sweep(names);
    this.#isSwept = true;
    for (const view of views) this.move(view);
  }

  move(view: ServiceView): void {
    if (view.type !== 'longrun' || view.name === this.#own) return;
    this.#ground.attempt(() => {
      const service = this.#services.get(view.name);
      if (service !== undefined) service.move(view);
      else this.#services.set(view.name, new ViewedService(this.#ground, view));
    });
  }

  gone(name: string): void {
    this.#services.get(name)?.remove();
    this.#services.delete(name);
  }

  close(): void {
    for (const service of this.#services.values()) service.close();
    this.#scandir.close();
  }

  /** Removes views that a predecessor of ours has left of services that are no more. */
  #sweep(names: ReadonlySet<string>): void {
    const { s6, runit } = this.#ground;
    for (const name of left(s6, names)) this.#ground.attempt(() => this.#removeLeft(name));
    for (const name of left(runit, names)) {
      this.#ground.attempt(() => {
        removeRunitView(join(runit, name));
        if (loggedBy(name) !== null) removeAbove(runit, name);
      });
    }
  }

  /** Unless somebody else supervises there. */
  #removeLeft(name: string): void {
    const { kernel, s6 } = this.#ground;
    const path = join(s6, name);
    try {
      kernel.close(lockFile(kernel, join(path, 'supervise/lock')));
    } catch (error) {
      if (error instanceof Taken || codeOf(error) === 'ENOENT') return;
      throw error;
    }
    removeS6View(path);
    if (loggedBy(name) !== null) removeAbove(s6, name);
  }
}

/** Views below `root` of other services than `names`; what holds a `run` is no view of ours. */
function left(root: string, names: ReadonlySet<string>): readonly string[] {
  let found: readonly string[] = [];
  unlessRefused(['ENOENT'], () => {
    found = readdirSync(root);
  });
  // Loggers first: what is above one goes when it is empty.
  return [...found.map(loggerOf), ...found].filter((name) => {
    if (nameProblem(name) !== null || names.has(name)) return false;
    const path = join(root, name);
    return existsSync(join(path, 'supervise')) && !existsSync(join(path, 'run'));
  });
}
