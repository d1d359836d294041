/**
 * What a terminal and those who look at it say to each other: frames on a stream socket. It knows
 * no socket and no terminal; docs/terminal.md has the same for people.
 *
 * A frame is a kind (one ASCII letter), a zero, the length of its payload (16 bits, high byte
 * first) and the payload. JSON in a payload is ASCII: other characters are escaped.
 */

/** What both sides must have in common; a change that an older peer cannot bear raises it. */
export const TERMINAL_PROTOCOL = 1;

export const FRAME_HEAD_BYTES = 4;
export const FRAME_PAYLOAD_MAX = 0xffff;

/** Lines and columns of a window; a side beyond this is nobody's. */
export type WindowSize = { readonly rows: number; readonly columns: number };
export const WINDOW_SIDE_MAX = 4096;

/** The first frame of a viewer. */
export type Hello = {
  readonly version: number;
  /** `attach` to what is there, `open` it or make it, or only `list`. */
  readonly want: 'attach' | 'open' | 'list';
  /** Of the session; null: the one there is, or a new one. */
  readonly name: string | null;
  /** What is typed is not passed on, and its size does not count. */
  readonly readOnly: boolean;
  /** Null: no terminal. */
  readonly size: WindowSize | null;
  /** For a new session: the program; empty is the shell. */
  readonly command: readonly string[];
  /** For a new session: TERM; null when there is none. */
  readonly term: string | null;
};

/** What the answer to `open` and `attach` tells of the session. */
export type Welcome = { readonly version: number; readonly name: string; readonly isNew: boolean };

export type SessionRow = {
  readonly name: string;
  readonly pid: number;
  readonly viewers: number;
  readonly command: string;
};

/** How the program of a session ended: by exit, or by a signal. */
export type Ending = { readonly code: number | null; readonly signal: number | null };

export type Frame =
  /** Bytes typed, or printed. */
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** From the viewer. */
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'resize'; readonly size: WindowSize }
  /** To the foreground process group. */
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'detach' }
  /** To the viewer. */
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  | { readonly kind: 'sessions'; readonly sessions: readonly SessionRow[] }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The last frame of a session whose program has ended. */
  | { readonly kind: 'ended'; readonly ending: Ending }
  /** A line for whoever looks, which is not the program's. */
  | { readonly kind: 'note'; readonly text: string };

/** The letter of each kind; the upper case ones go to the viewer. */
const LETTERS: Readonly<Record<Frame['kind'], string>> = {
  data: 'd',
  hello: 'h',
  resize: 'r',
  signal: 's',
  detach: 'q',
  welcome: 'W',
  sessions: 'L',
  refused: 'R',
  ended: 'E',
  note: 'N',
};

const KINDS: ReadonlyMap<string, Frame['kind']> = new Map(
  Object.entries(LETTERS).map(([kind, letter]) => [letter, kind as Frame['kind']]),
);

/** The bytes of `frame`; data that does not fit into one frame becomes several. */
export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.kind) {
    case 'data':
      return dataFrames(frame.bytes);
    case 'hello':
      return jsonFrame('hello', frame.hello);
    case 'resize': {
      const { rows, columns } = frame.size;
      return packed('resize', Uint8Array.of(...high(rows), ...high(columns)));
    }
    case 'signal':
      return packed('signal', Uint8Array.of(frame.signal));
    case 'detach':
      return packed('detach', new Uint8Array());
    case 'welcome':
      return jsonFrame('welcome', frame.welcome);
    case 'sessions':
      return jsonFrame('sessions', frame.sessions);
    case 'refused':
      return jsonFrame('refused', frame.reason);
    case 'ended':
      return jsonFrame('ended', frame.ending);
    case 'note':
      return jsonFrame('note', frame.text);
  }
}

/** Puts frames together from pieces of a stream. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array();

  /**
   * The frames that are complete with `chunk`.
   * @throws {Error} for what is no frame of this protocol: then nothing after it can be read.
   */
  push(chunk: Uint8Array): Frame[] {
    const bytes = joined(this.#rest, chunk);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const [letter = 0, zero = 0, upper = 0, lower = 0] = bytes.subarray(at, at + 4);
      const kind = KINDS.get(String.fromCharCode(letter));
      if (kind === undefined || zero !== 0) throw new Error('what came is not a frame');
      const end = at + FRAME_HEAD_BYTES + upper * 256 + lower;
      if (bytes.length < end) break;
      frames.push(decode(kind, bytes.subarray(at + FRAME_HEAD_BYTES, end)));
      at = end;
    }
    this.#rest = bytes.slice(at);
    return frames;
  }
}

function decode(kind: Frame['kind'], payload: Uint8Array): Frame {
  const [a = 0, b = 0, c = 0, d = 0] = payload;
  switch (kind) {
    case 'data':
      return { kind, bytes: payload.slice() };
    case 'hello':
      return { kind, hello: checkedHello(parsed(payload)) };
    case 'resize':
      return { kind, size: checkedSize({ rows: a * 256 + b, columns: c * 256 + d }) };
    case 'signal':
      if (payload.length !== 1 || a < 1 || a > SIGNAL_MAX) throw new Error('no such signal');
      return { kind, signal: a };
    case 'detach':
      return { kind };
    case 'welcome':
      return { kind, welcome: parsed(payload) as Welcome };
    case 'sessions':
      return { kind, sessions: parsed(payload) as readonly SessionRow[] };
    case 'refused':
      return { kind, reason: String(parsed(payload)) };
    case 'ended':
      return { kind, ending: parsed(payload) as Ending };
    case 'note':
      return { kind, text: String(parsed(payload)) };
  }
}

/** SIGRTMAX of the kernel. */
const SIGNAL_MAX = 64;
const COMMAND_WORDS_MAX = 256;
const WANTS: readonly unknown[] = ['attach', 'open', 'list'];
/** What may become a file name, an argument and a word on a terminal. */
const SESSION_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}$/;
const TERM = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,31}$/;

/** Only viewers are checked: they are the ones who could want harm. */
function checkedHello(value: unknown): Hello {
  const { version, want, name, readOnly, size, command, term } = asObject(value);
  const words = Array.isArray(command) ? command : [null];
  const isCommand =
    words.length <= COMMAND_WORDS_MAX &&
    words.every((word) => typeof word === 'string' && !word.includes('\0'));
  const isFine =
    typeof version === 'number' &&
    WANTS.includes(want) &&
    (name === null || (typeof name === 'string' && SESSION_NAME.test(name))) &&
    typeof readOnly === 'boolean' &&
    isCommand &&
    (term === null || (typeof term === 'string' && TERM.test(term)));
  if (!isFine) throw new Error('its first words are not understood');
  const window = size === null ? null : checkedSize(asObject(size) as never);
  return { version, want, name, readOnly, size: window, command: words, term } as Hello;
}

function checkedSize({ rows, columns }: WindowSize): WindowSize {
  const isSide = (side: unknown): boolean =>
    Number.isInteger(side) && Number(side) > 0 && Number(side) <= WINDOW_SIDE_MAX;
  if (!isSide(rows) || !isSide(columns)) throw new Error('no window has that size');
  return { rows, columns };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function dataFrames(bytes: Uint8Array): Uint8Array {
  let all: Uint8Array = new Uint8Array();
  for (let at = 0; at < bytes.length; at += FRAME_PAYLOAD_MAX) {
    all = joined(all, packed('data', bytes.subarray(at, at + FRAME_PAYLOAD_MAX)));
  }
  return all;
}

/** @throws {Error} when it does not fit: whoever made it must know better. */
function jsonFrame(kind: Frame['kind'], value: unknown): Uint8Array {
  const text = JSON.stringify(value).replace(
    /[^ -~]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (text.length > FRAME_PAYLOAD_MAX) throw new Error(`a frame ${kind} of ${text.length} bytes`);
  return packed(
    kind,
    Uint8Array.from(text, (char) => char.charCodeAt(0)),
  );
}

function parsed(payload: Uint8Array): unknown {
  return JSON.parse(Array.from(payload, (byte) => String.fromCharCode(byte)).join(''));
}

function packed(kind: Frame['kind'], payload: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(LETTERS[kind].charCodeAt(0), 0, ...high(payload.length)), payload);
}

function high(value: number): [number, number] {
  return [(value >> 8) & 0xff, value & 0xff];
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
