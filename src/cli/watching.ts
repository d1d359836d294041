/**
 * `--watch`: runs a verb that looks again whenever something has moved. On a terminal what has
 * changed is written over what was there; elsewhere the lines that are new are printed as they
 * come. It ends with ctrl-C, and when its reader goes away.
 */
import { EXIT, Failure } from './failure.ts';
import { follow } from './follow.ts';
import type { Parsed } from './options.ts';
import { redraw } from './redraw.ts';
import { Session } from './session.ts';
import { shorten } from './table.ts';
import { OutputClosed, type World } from './terminal.ts';
import type { Verb } from './verb.ts';
import { safe } from './words.ts';

/** Moves that come together are one look. */
const TOGETHER_MS = 50;
/** A change is a hint and may be lost; and on a terminal durations are to go on. */
const LOOK_MS = { terminal: 2000, elsewhere: 10_000 } as const;

const CLEAR = '\x1b[2J\x1b[H';
const at = (row: number): string => `\x1b[${row};1H`;
const CLEAR_BELOW = '\x1b[J';
/** Colours do not count when a line is cut: one that is too long loses them. */
const SGR = /\x1b\[[0-9;]*m/g;

/** Runs `verb` until somebody ends it. Only the first look may fail. */
export async function watching(verb: Verb, parsed: Parsed, world: World): Promise<number> {
  let printed = '';
  const captured: World = {
    ...world,
    write: (descriptor, text) => {
      if (descriptor === 1) printed += String(text);
    },
  };
  const session = new Session(captured, parsed, `svctl ${verb.usage}`);
  const show = world.stdoutIsTerminal ? onTerminal(world) : elsewhere(world);
  const look = async (): Promise<void> => {
    printed = '';
    await verb.run(parsed, session);
    show(printed.replace(/\n$/, '').split('\n'));
  };
  try {
    await look();
    return await untilEnded(session, world, look, show);
  } finally {
    session.close();
  }
}

function untilEnded(
  session: Session,
  world: World,
  look: () => Promise<void>,
  show: (lines: readonly string[]) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let isLooking = false;
    let again = false;
    let soon: NodeJS.Timeout | null = null;
    const stop = (): void => {
      clearInterval(regularly);
      if (soon !== null) clearTimeout(soon);
      unfollow();
      process.stdout.off('resize', moved);
      for (const signal of ENDING) process.off(signal, end);
    };
    const end = (): void => {
      stop();
      // The terminal has shown the key in the line that the prompt is to have.
      if (world.stdoutIsTerminal) world.write(1, '\r\n');
      resolve(EXIT.done);
    };
    const failed = (error: unknown): void => {
      if (error instanceof Failure) return show([safe(error.message)]);
      stop();
      // Nobody reads any more: a good end, as `svctl ls | head` is.
      if (error instanceof OutputClosed) resolve(EXIT.done);
      else reject(error);
    };
    const run = async (): Promise<void> => {
      soon = null;
      again = isLooking;
      if (isLooking) return;
      isLooking = true;
      await look().catch((error: unknown) => {
        try {
          failed(error);
        } catch (worse) {
          stop();
          reject(worse);
        }
      });
      isLooking = false;
      if (again) moved();
    };
    const moved = (): void => {
      soon ??= setTimeout(() => void run(), TOGETHER_MS);
    };
    const every = world.stdoutIsTerminal ? LOOK_MS.terminal : LOOK_MS.elsewhere;
    const regularly = setInterval(moved, every);
    const unfollow = follow(session, moved);
    process.stdout.on('resize', moved);
    for (const signal of ENDING) process.on(signal, end);
  });
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Writes only lines that are others than those that stand there. */
function onTerminal(world: World): (lines: readonly string[]) => void {
  let drawn: readonly string[] = [];
  let size = '';
  return (lines) => {
    const rows = Math.max(2, Number(world.env['LINES']) || process.stdout.rows || 24);
    const columns = world.columns() ?? 80;
    const room = rows - 1;
    const fitting = lines.length <= room ? lines : lines.slice(0, room - 1);
    const more = lines.length - fitting.length;
    const whole = more === 0 ? fitting : [...fitting, `... and ${more} more lines`];
    const cut = whole.map((line) => {
      const plain = line.replace(SGR, '');
      return plain.length <= columns ? line : shorten(plain, columns, '');
    });
    const resized = size !== `${rows} ${columns}`;
    size = `${rows} ${columns}`;
    const before = resized ? [] : drawn;
    const changed = redraw(before, cut);
    drawn = cut;
    world.write(1, `${resized ? CLEAR : ''}${changed}${at(cut.length + 1)}${CLEAR_BELOW}`);
  };
}

/** Prints the lines that were not there the last time; what only got older was. */
function elsewhere(world: World): (lines: readonly string[]) => void {
  let before: ReadonlySet<string> = new Set();
  return (lines) => {
    const fresh = lines.filter((line) => line !== '' && !before.has(ageless(line)));
    before = new Set(lines.map(ageless));
    if (fresh.length > 0) world.write(1, `${fresh.join('\n')}\n`);
  };
}

/** A line without its durations, as words and as members of JSON, and without its alignment. */
export function ageless(line: string): string {
  return line
    .replace(/"[A-Za-z]+Ms":[0-9.]+/g, '')
    .replace(/(?<=[\s(])(?:[0-9.]+ ?(?:ms|s|min|m|h|d))+(?=[\s),;]|$)/g, '')
    .replace(/\s+/g, ' ');
}
