/**
 * What a program prints on a terminal, as lines for a log: without control sequences, and of a line
 * that was written over (progress bars) what stood there last. It knows no terminal and no log.
 */

/** A longer line is cut into parts of this many bytes. */
export const LINE_BYTES_MAX = 8192;

/** Where in a control sequence of ECMA-48 the text is. */
type State = 'text' | 'escape' | 'csi' | 'string' | 'stringEscape' | 'charset';

const [BELL, BACKSPACE, TAB, NEWLINE, RETURN, ESCAPE, DELETE] = [7, 8, 9, 10, 13, 27, 127];
/** ESC [, then parameters until a final byte from 0x40 to 0x7e. */
const CSI = 0x5b;
/** DCS, SOS, OSC, PM and APC: text until BEL, or ESC and a backslash. */
const STRINGS: ReadonlySet<number> = new Set([0x50, 0x58, 0x5d, 0x5e, 0x5f]);
/** ESC and one of these (a character set, for the most part) has one more byte. */
const INTERMEDIATE: readonly [number, number] = [0x20, 0x2f];

/**
 * What asks a terminal something, and so would have it answer again when it is shown again: ENQ,
 * DA, DSR and DECRQM (ECMA-48, VT510), reports of a window, DECRQSS, XTGETTCAP and questions for
 * colours (ctlseqs of xterm).
 */
const QUESTIONS: readonly RegExp[] = [
  /\x05|\x1bZ/g,
  /\x1b\[[<=>?]?[0-9;]*[cn]/g,
  /\x1b\[\??[0-9;]*\$p/g,
  /\x1b\[>[0-9;]*q/g,
  /\x1b\[(?:1[1-9]|2[01])(?:;[;0-9]*)?t/g,
  /\x1b\][0-9;]*\?(?:\x07|\x1b\\)/g,
  /\x1bP[$+]q[^\x1b\x07]*(?:\x07|\x1b\\)/g,
];

/** What was printed, as it may be shown to somebody who was not there: nothing that asks. */
export function withoutQuestions(printed: Uint8Array): Uint8Array {
  const text = Array.from(printed, (byte) => String.fromCharCode(byte)).join('');
  const left = QUESTIONS.reduce((rest, question) => rest.replace(question, ''), text);
  return Uint8Array.from(left, (char) => char.charCodeAt(0));
}

export class TerminalText {
  #state: State = 'text';
  #line: number[] = [];
  /** A return came: what follows it is written over the line, unless it is its end. */
  #returned = false;

  /** Takes what was printed; gives the lines that are complete now, each with its newline. */
  push(bytes: Uint8Array): Uint8Array {
    const out: number[] = [];
    for (const byte of bytes) this.#take(byte, out);
    return Uint8Array.from(out);
  }

  /** What is left of a line without an end, as one with it. */
  finish(): Uint8Array {
    const out: number[] = [];
    if (this.#line.length > 0) this.#end(out);
    this.#state = 'text';
    return Uint8Array.from(out);
  }

  #take(byte: number, out: number[]): void {
    switch (this.#state) {
      case 'text':
        return this.#text(byte, out);
      case 'escape':
        this.#state = this.#after(byte);
        return;
      case 'csi':
        if (byte >= 0x40 && byte <= 0x7e) this.#state = 'text';
        else if (byte === ESCAPE) this.#state = 'escape';
        return;
      case 'charset':
        this.#state = 'text';
        return;
      case 'string':
        if (byte === BELL) this.#state = 'text';
        else if (byte === ESCAPE) this.#state = 'stringEscape';
        return;
      case 'stringEscape':
        this.#state = byte === ESCAPE ? 'stringEscape' : 'text';
        return;
    }
  }

  #after(byte: number): State {
    if (byte === CSI) return 'csi';
    if (STRINGS.has(byte)) return 'string';
    if (byte >= INTERMEDIATE[0] && byte <= INTERMEDIATE[1]) return 'charset';
    return byte === ESCAPE ? 'escape' : 'text';
  }

  #text(byte: number, out: number[]): void {
    if (byte === ESCAPE) this.#state = 'escape';
    else if (byte === RETURN) this.#returned = true;
    else if (byte === NEWLINE) this.#end(out);
    else if (byte === BACKSPACE) this.#line.pop();
    else if ((byte >= 0x20 && byte !== DELETE) || byte === TAB) this.#print(byte, out);
  }

  #print(byte: number, out: number[]): void {
    if (this.#returned) this.#line = [];
    this.#returned = false;
    this.#line.push(byte);
    if (this.#line.length >= LINE_BYTES_MAX) this.#end(out);
  }

  #end(out: number[]): void {
    for (const byte of this.#line) out.push(byte);
    out.push(NEWLINE);
    this.#line = [];
    this.#returned = false;
  }
}
