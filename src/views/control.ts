/**
 * A control FIFO: reads letters that clients write and has each acted on before the next. While one
 * is acted on nothing more is read, so that a client that writes for ever makes itself wait and
 * nobody else.
 */
import type { Fd } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import { makeFifo, type ViewKernel } from './files.ts';
import type { Loop } from './loop.ts';

/** Acts on one letter, and calls `done` then, at once or later. */
export type OnLetter = (letter: string, done: () => void) => void;

export class ControlFifo {
  readonly #kernel: ViewKernel;
  readonly #loop: Loop;
  readonly #onLetter: OnLetter;
  readonly #fd: Fd;
  #letters: string[] = [];
  #isActing = false;
  #isClosed = false;

  constructor(kernel: ViewKernel, loop: Loop, path: string, onLetter: OnLetter) {
    this.#kernel = kernel;
    this.#loop = loop;
    this.#onLetter = onLetter;
    makeFifo(kernel, path);
    // With a writer of our own there is no end when the last client leaves.
    this.#fd = kernel.open(path, O.RDWR | O.NONBLOCK | O.NOFOLLOW);
    loop.add(this.#fd, () => this.#receive());
  }

  close(): void {
    this.#isClosed = true;
    this.#loop.remove(this.#fd);
    this.#kernel.close(this.#fd);
  }

  #receive(): void {
    const count = this.#kernel.read(this.#fd, area) ?? 0;
    this.#letters = lettersIn(area.subarray(0, count));
    this.#loop.remove(this.#fd);
    this.#act();
  }

  #act(): void {
    // Not recursive: most letters are done at once, and there may be many.
    while (!this.#isActing) {
      const letter = this.#letters.shift();
      if (letter === undefined) return this.#listen();
      this.#isActing = true;
      let isAtOnce = true;
      this.#onLetter(letter, () => {
        this.#isActing = false;
        if (!isAtOnce && !this.#isClosed) this.#act();
      });
      isAtOnce = false;
    }
  }

  #listen(): void {
    if (!this.#isClosed) this.#loop.add(this.#fd, () => this.#receive());
  }
}

/** More than any client writes at once (s6-svc(8): 62). */
const area: Uint8Array<ArrayBuffer> = new Uint8Array(new ArrayBuffer(256));

/** Twice the same in a row asks for nothing that once does not. */
function lettersIn(bytes: Uint8Array): string[] {
  const letters = [...bytes].map((byte) => String.fromCharCode(byte));
  return letters.filter((letter, i) => letter !== letters[i - 1]);
}
