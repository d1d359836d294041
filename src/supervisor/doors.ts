/**
 * The sockets at which svinit listens: opened, taken over from the image before, opened again when
 * they could not be. What is said there is not known here.
 */
import type { Fd } from '../core/units.ts';
import type { Control } from './control.ts';
import { wordsOf } from './let-go.ts';
import type { NotifySocket } from './notify.ts';
import type { Paths } from './paths.ts';

export type DoorPorts = {
  readonly control: Control;
  readonly notify: NotifySocket;
  readonly paths: Paths;
  /** Listening descriptors of the image before. */
  readonly inherited: readonly { readonly path: string; readonly fd: Fd }[];
  /** Something is open that was not: the next image has to know. */
  readonly opened: () => void;
  readonly failed: (what: string, error: unknown) => void;
};

export class Doors {
  readonly #ports: DoorPorts;
  readonly #inherited: Map<string, Fd>;
  /** Whoever else listens where we do was ourselves. */
  #isOurs: boolean;
  /** Why they are not open, so that each reason is told once. */
  readonly #troubles = new Set<string>();

  constructor(ports: DoorPorts, isOurs: boolean) {
    this.#ports = ports;
    this.#isOurs = isOurs;
    this.#inherited = new Map(ports.inherited.map(({ path, fd }) => [path, fd]));
  }

  /** Opens what is not open. What fails is told once, and tried again with the next call. */
  open(): void {
    const { control, notify, paths, opened, failed } = this.#ports;
    for (const path of [paths.control, paths.status, paths.notify]) {
      const isNotify = path === paths.notify;
      if (isNotify ? notify.listeners().length > 0 : control.serves(path)) continue;
      try {
        if (isNotify) notify.listen(this.#take(path));
        else this.#openControl(path, path === paths.status);
        this.#troubles.clear();
        opened();
      } catch (error) {
        const reason = wordsOf(error);
        if (!this.#troubles.has(reason)) failed(`listen on ${path}`, error);
        this.#troubles.add(reason);
      }
    }
  }

  /** Closes and opens anew: somebody removed or replaced the files. */
  rebuild(): void {
    this.#isOurs = true;
    this.#ports.control.close();
    this.#ports.notify.close();
  }

  get isOurs(): boolean {
    return this.#isOurs;
  }

  get isInTrouble(): boolean {
    return this.#troubles.size > 0;
  }

  #openControl(path: string, readOnly: boolean): void {
    const { control } = this.#ports;
    const inherited = this.#take(path);
    if (inherited === null && this.#isOurs) control.bind(path, readOnly);
    else control.listen(path, readOnly, inherited);
  }

  #take(path: string): Fd | null {
    const fd = this.#inherited.get(path) ?? null;
    this.#inherited.delete(path);
    return fd;
  }
}
