/**
 * What a serial console says, as text one can wait for.
 *
 * Bytes come in by `feed()`; terminal escapes and carriage returns are taken out. Knows nothing of
 * what is at the other end, nor of who types.
 */

export class Console {
  #text = '';
  /** Where the last match ended; the next search starts here. */
  #position = 0;
  /** The beginning of an escape sequence whose end has not come yet. */
  #pending = '';
  #closed: string | null = null;
  readonly #decoder = new TextDecoder();
  readonly #waiting = new Set<() => void>();
  readonly #logFile: string;

  /** @param logFile named in every failure, for whoever wants to see the whole. */
  constructor(logFile: string) {
    this.#logFile = logFile;
  }

  /** Everything said so far. */
  get transcript(): string {
    return this.#text;
  }

  /** Whether the other end is gone. */
  get closed(): boolean {
    return this.#closed !== null;
  }

  /**
   * Waits until `pattern` shows up behind the last match, and gives the match.
   * @throws {Error} with the end of the transcript, after `timeoutMs` or when the console has
   * closed.
   */
  async expect(pattern: RegExp | string, timeoutMs = 120_000): Promise<RegExpExecArray> {
    const endsAt = performance.now() + timeoutMs;
    for (;;) {
      const match = this.#search(pattern);
      if (match !== null) return match;
      if (this.#closed !== null) throw this.#failure(pattern, this.#closed);
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) throw this.#failure(pattern, `not within ${timeoutMs / 1000} s`);
      await this.#change(leftMs);
    }
  }

  feed(chunk: Uint8Array): void {
    const raw = this.#pending + this.#decoder.decode(chunk, { stream: true });
    const whole = raw.replace(UNFINISHED_ESCAPE, '');
    this.#pending = raw.slice(whole.length);
    this.#text += whole.replace(ESCAPES, '');
    this.#wake();
  }

  /** Nothing more will come: whoever waits fails now, with this reason. */
  close(reason: string): void {
    this.#closed = reason;
    this.#wake();
  }

  #search(pattern: RegExp | string): RegExpExecArray | null {
    const source = typeof pattern === 'string' ? literally(pattern) : pattern;
    const sticky = new RegExp(source, `${source.flags.replace('g', '')}g`);
    sticky.lastIndex = this.#position;
    const match = sticky.exec(this.#text);
    if (match !== null) this.#position = sticky.lastIndex;
    return match;
  }

  /** Resolves when something was said, when the console closed, or after `timeoutMs`. */
  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }

  #failure(pattern: RegExp | string, why: string): Error {
    const end = this.#text.slice(-TAIL_CHARS);
    return new Error(`Cannot find ${pattern} on the console: ${why} (${this.#logFile})\n${end}`);
  }
}

/** How much of the transcript a failure shows. */
const TAIL_CHARS = 4096;

/** Control sequences and two-character escapes (ECMA-48, 5.3 and 5.4), and carriage returns. */
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[0-Z\\-~])|\r/g;

const UNFINISHED_ESCAPE = /\x1b(?:\[[0-?]*[ -/]*)?$/;

function literally(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
}
