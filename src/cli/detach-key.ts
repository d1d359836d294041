/**
 * The key that leaves a terminal one looks at, among all that is typed there.
 */

/** Ctrl-], as telnet(1) has it: hardly any program uses it. */
export const USUAL_KEY = 'ctrl-]';

const ESCAPE_BIT = 0x1f;

/**
 * The bytes of `ctrl-]`, `^]`, `ctrl-p,ctrl-q` or a plain character; none for `none`; null when it
 * is no key.
 */
export function parseDetachKey(text: string): Uint8Array | null {
  if (text === 'none') return new Uint8Array();
  const bytes = text.split(',').map(byteOf);
  if (bytes.some((byte) => byte === null)) return null;
  return Uint8Array.from(bytes, Number);
}

/** ctrl and a letter or one of @[\]^_ is its code without the upper bits (ASCII). */
function byteOf(word: string): number | null {
  const [, control = ''] = /^(?:ctrl-|\^)([@-_a-z])$/i.exec(word) ?? [];
  if (control !== '') return control.toUpperCase().charCodeAt(0) & ESCAPE_BIT;
  return /^[!-~]$/.test(word) ? word.charCodeAt(0) : null;
}

export class KeyWatch {
  readonly #key: Uint8Array;
  /** How much of the key has come, and waits to be the whole or to be passed on. */
  #held = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** What of `typed` is for the program, and whether the key was among it, ending it. */
  push(typed: Uint8Array): { readonly pass: Uint8Array; readonly isHit: boolean } {
    if (this.#key.length === 0) return { pass: typed, isHit: false };
    const pass: number[] = [];
    for (const byte of typed) {
      if (byte !== this.#key[this.#held]) {
        pass.push(...this.#key.subarray(0, this.#held));
        this.#held = 0;
      }
      if (byte !== this.#key[this.#held]) pass.push(byte);
      else this.#held += 1;
      if (this.#held === this.#key.length) return { pass: Uint8Array.from(pass), isHit: true };
    }
    return { pass: Uint8Array.from(pass), isHit: false };
  }
}
