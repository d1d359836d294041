/**
 * `svctl top` on a terminal: keys in, lines out, and a look at svinit every second. Only lines that
 * have changed are written, so that it is bearable on a serial line. It survives a re-exec of
 * svinit as the connection does, and leaves the terminal as it was.
 */
import type { Results } from '../core/methods.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import { noNames, type Parsed } from './options.ts';
import type { Session } from './session.ts';
import {
  BEGIN,
  draw,
  KEY_LINES,
  paneRows,
  press,
  type Size,
  settle,
  type Top,
} from './top-screen.ts';

const LOOK_MS = 1000;
/** What a serial line is taken for, which cannot tell: the size of a VT100. */
const USUAL: Size = { rows: 24, columns: 80 };

/** Control sequences of ECMA-48 and xterm: the alternate screen, the cursor, one line. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const at = (row: number): string => `\x1b[${row};1H`;
const CLEAR_TO_END = '\x1b[K';

/** One key: a control sequence, or a character. */
const KEY = /\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/g;

export async function top(parsed: Parsed, session: Session): Promise<number> {
  noNames(parsed, 'svctl top');
  if (!process.stdin.isTTY || !session.world.stdoutIsTerminal) {
    throw usageFailure('top is for a terminal', 'svctl ls');
  }
  const view = new View(session);
  const resized = (): void => view.redraw();
  process.stdin.setRawMode(true);
  process.stdin.setEncoding('utf8');
  session.world.write(1, ENTER);
  process.stdout.on('resize', resized);
  try {
    return await view.run();
  } finally {
    process.stdout.off('resize', resized);
    session.world.write(1, LEAVE);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}

class View {
  readonly #session: Session;
  #top: Top = BEGIN;
  #version: Results['version'] | null = null;
  #all: Results['ls'] = { services: [], problems: [], halting: null };
  #pane: readonly string[] = [];
  /** What stands on the terminal, line by line. */
  #drawn: readonly string[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  /** Until somebody leaves, or the terminal is gone. */
  run(): Promise<number> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | null = null;
      const end = (): void => {
        if (timer !== null) clearTimeout(timer);
        process.stdin.off('data', typed).off('end', end);
        for (const signal of ENDING) process.off(signal, end);
        resolve(EXIT.done);
      };
      const typed = (text: string): void => {
        for (const key of text.match(KEY) ?? []) if (!this.#press(key)) return end();
      };
      const look = async (): Promise<void> => {
        await this.#look();
        timer = setTimeout(() => void look(), LOOK_MS);
      };
      process.stdin.on('data', typed).on('end', end);
      for (const signal of ENDING) process.on(signal, end);
      void look();
    });
  }

  redraw(): void {
    this.#drawn = [];
    this.#show();
  }

  /** False: the view is left. */
  #press(key: string): boolean {
    const found = press(key, this.#top, this.#all.services, this.#size());
    if (found === null) return false;
    this.#top = found.top;
    if (found.act !== null) void this.#act(found.act.verb, found.act.name);
    void this.#fill().then(() => this.#show());
    return true;
  }

  async #act(verb: 'start' | 'stop' | 'restart', name: string): Promise<void> {
    const params = { names: [name], wait: true, timeoutMs: null };
    try {
      if (verb === 'stop') {
        await this.#session.request('stop', { ...params, cascade: false, force: false });
      } else {
        await this.#session.request(verb, params);
      }
      this.#say(`${verb} ${name}: done`);
    } catch (error) {
      this.#say(`${verb} ${name}: ${wordsOf(error)}`);
    }
    await this.#look();
  }

  async #look(): Promise<void> {
    try {
      this.#version = await this.#session.request('version', {});
      this.#all = await this.#session.request('ls', { names: [] });
    } catch (error) {
      this.#version = null;
      this.#say(wordsOf(error));
    }
    this.#top = settle(this.#top, this.#all.services, this.#size());
    await this.#fill();
    this.#show();
  }

  async #fill(): Promise<void> {
    this.#top = settle(this.#top, this.#all.services, this.#size());
    const { chosen, pane } = this.#top;
    const rows = paneRows(this.#size());
    if (pane === 'keys') this.#pane = KEY_LINES;
    else if (chosen === null) this.#pane = [];
    else if (pane === 'log') this.#pane = (await import('./logs.ts')).lastLines(chosen, rows);
    else {
      const { explain, whyLines } = await import('./why.ts');
      this.#pane = whyLines(explain(chosen, this.#all), this.#session.style);
    }
  }

  #say(message: string): void {
    this.#top = { ...this.#top, message };
  }

  #show(): void {
    const { style, world } = this.#session;
    const size = this.#size();
    const lines = draw(this.#top, this.#version, this.#all.services, this.#pane, size, style);
    const changed = lines.flatMap((line, i) =>
      line === this.#drawn[i] ? [] : [`${at(i + 1)}${line}${CLEAR_TO_END}`],
    );
    this.#drawn = lines;
    if (changed.length > 0) world.write(1, changed.join(''));
  }

  #size(): Size {
    const { env } = this.#session.world;
    const rows = Number(env['LINES']) || process.stdout.rows || USUAL.rows;
    const columns = Number(env['COLUMNS']) || process.stdout.columns || USUAL.columns;
    return { rows, columns };
  }
}

const ENDING = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;

function wordsOf(error: unknown): string {
  if (error instanceof Failure) return error.message;
  return error instanceof Error ? error.message : String(error);
}
