/**
 * A question on a terminal and the line that answers it. Nothing waits in the kernel meanwhile, so
 * that PID 1 may ask too. What is asked is not known here.
 */
import { escapeForTerminal } from '../core/logline.ts';
import type { Fd } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';

/** What stands is taken, or something else; or what it is about is left out. */
export type Answer =
  | { readonly kind: 'accept' }
  | { readonly kind: 'value'; readonly text: string }
  | { readonly kind: 'skip' };

type Asked = Pick<Kernel, 'close' | 'open' | 'read' | 'write'>;

/** What is more than a line that somebody types is not an answer. */
const LINE_MAX = 4096;
const LOOK_MS = 50;
const PAUSE_MAX_MS = 10_000;

/**
 * Asks once. Who has hung up, or ends the line with Ctrl-D, takes what was proposed. `=skip` is the
 * value `skip`, and so is `=` an empty one.
 */
export async function questionOn(
  kernel: Asked,
  tty: string,
  question: string,
  proposed: string,
): Promise<Answer | { readonly kind: 'shell' }> {
  const shown = escapeForTerminal(`${question} [${proposed}]`);
  const line = await onTerminal(kernel, tty, async (fd) => {
    put(kernel, fd, `\r\n${shown}\r\nEnter takes it; or another value, skip, or shell: `);
    return lineFrom(kernel, fd);
  });
  return answerOf(line ?? '');
}

export type Choice = {
  /** Lines above the choices. */
  readonly told: readonly string[];
  readonly choices: readonly (readonly [letter: string, about: string])[];
  /** How long nobody may answer, and what is then said to happen; null: for ever. */
  readonly limit: { readonly ms: number; readonly about: string } | null;
};

/**
 * One of the letters, asked for again until it is one: that nobody is there is no answer. Null when
 * time is up; who has typed a line has all the time there is.
 */
export async function choiceOn(kernel: Asked, tty: string, choice: Choice): Promise<string | null> {
  const { told, choices, limit } = choice;
  const letters = choices.map(([letter]) => letter);
  const lines = [
    ...told.map(escapeForTerminal),
    ...choices.map(([letter, about]) => `  ${letter}  ${about}`),
    ...(limit === null ? [] : [`  in ${limit.ms / 1000} s: ${limit.about}`]),
    `${letters.join(', ')}? `,
  ];
  const startedAt = performance.now();
  let isThere = limit === null;
  const isOver = (): boolean => !isThere && performance.now() - startedAt >= (limit?.ms ?? 0);
  for (let pauseMs = LOOK_MS; !isOver(); pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
    const line = await onTerminal(kernel, tty, async (fd) => {
      put(kernel, fd, `\r\n${lines.join('\r\n')}`);
      return lineFrom(kernel, fd, isOver);
    });
    const letter = line?.trim().toLowerCase();
    if (letter !== undefined && letters.includes(letter)) return letter;
    isThere ||= line !== null;
    // A terminal that has hung up answers at once, again and again.
    if (line === null) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return null;
}

/** What a line that was typed means. */
export function answerOf(line: string): Answer | { readonly kind: 'shell' } {
  const text = line.trim();
  if (text === '') return { kind: 'accept' };
  if (text === 'skip' || text === 'shell') return { kind: text };
  return { kind: 'value', text: text.startsWith('=') ? text.slice(1) : text };
}

/** A line without its end; null when there is none to come, or it `isOver`. */
async function lineFrom(
  kernel: Asked,
  fd: Fd,
  isOver = (): boolean => false,
): Promise<string | null> {
  const buffer = new Uint8Array(LINE_MAX);
  while (!isOver()) {
    const count = read(kernel, fd, buffer);
    if (count === 0) return null;
    // A terminal gives one line at a time (termios(3), "Canonical and noncanonical mode").
    if (count !== null) return new TextDecoder().decode(buffer.subarray(0, count)).trimEnd();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return null;
}

/** Nonblocking, and without becoming its own. */
async function onTerminal<T>(kernel: Asked, tty: string, act: (fd: Fd) => Promise<T>): Promise<T> {
  const fd = kernel.open(tty, O.RDWR | O.NOCTTY | O.NONBLOCK);
  try {
    return await act(fd);
  } finally {
    kernel.close(fd);
  }
}

/** As `Kernel.read`; a terminal that is gone (EIO) has no more to say. */
function read(kernel: Asked, fd: Fd, buffer: Uint8Array): number | null {
  try {
    return kernel.read(fd, buffer);
  } catch {
    return 0;
  }
}

/** A terminal that takes nothing now loses the question, and the answer still counts. */
function put(kernel: Asked, fd: Fd, text: string): void {
  try {
    kernel.write(fd, new TextEncoder().encode(text));
  } catch {
    // It has hung up (EIO); reading says so too.
  }
}
