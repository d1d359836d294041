/**
 * `svctl top` on a terminal: keys in, lines out; services are looked at when one has moved, and
 * figures every second. Only lines that have changed are written, so that it is bearable on a
 * serial line. It survives a re-exec of svinit as the connection does, and leaves the terminal as
 * it was.
 */
import type { Results } from '../core/methods.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import { aged, follow } from './follow.ts';
import { Gauge, type Looked, NOTHING_LOOKED_AT } from './gauge.ts';
import { keysIn } from './keys.ts';
import { noNames, type Parsed } from './options.ts';
import { redraw } from './redraw.ts';
import type { Session } from './session.ts';
import { KEY_LINES, press } from './top-keys.ts';
import { arrange, type Row } from './top-rows.ts';
import { BEGIN, draw, paneRows, rowsInSight, type Size, settle, type Top } from './top-screen.ts';

const LOOK_MS = 1000;
/** A change is a hint and may be lost with a connection, so services are looked at this often. */
const ASK_MS = 10_000;
/** What is left of a control sequence follows at once, or it was the key escape. */
const ESCAPE_MS = 100;
/** What a serial line is taken for, which cannot tell: the size of a VT100. */
const USUAL: Size = { rows: 24, columns: 80 };

/** Control sequences of ECMA-48 and xterm: the alternate screen, the cursor. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[?25h\x1b[?1049l';

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
  readonly #gauge = new Gauge();
  #top: Top = BEGIN;
  #version: Results['version'] | null = null;
  #all: Results['ls'] = { services: [], problems: [], halting: null };
  #askedAt = -Infinity;
  #hasMoved = true;
  #isLooking = false;
  #looked: Looked = NOTHING_LOOKED_AT;
  #rows: readonly Row[] = [];
  #pane: readonly string[] = [];
  /** What stands on the terminal, line by line. */
  #drawn: readonly string[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  /** Until somebody leaves, or the terminal is gone. */
  run(): Promise<number> {
    return new Promise((resolve, reject) => {
      let rest = '';
      let hesitation: NodeJS.Timeout | null = null;
      const stop = (): void => {
        clearInterval(timer);
        if (hesitation !== null) clearTimeout(hesitation);
        unfollow();
        process.stdin.off('data', typed).off('end', end);
        for (const signal of ENDING) process.off(signal, end);
      };
      const end = (): void => {
        stop();
        resolve(EXIT.done);
      };
      const look = (): void => {
        this.#look().catch((error: unknown) => {
          stop();
          reject(error);
        });
      };
      const take = (text: string, isAll: boolean): void => {
        const found = keysIn(rest + text, isAll);
        rest = found.rest;
        for (const key of found.keys) if (!this.#press(key)) return end();
        if (rest !== '') hesitation = setTimeout(() => take('', true), ESCAPE_MS);
      };
      const typed = (text: string): void => {
        if (hesitation !== null) clearTimeout(hesitation);
        take(text, false);
      };
      const timer = setInterval(look, LOOK_MS);
      const unfollow = follow(this.#session, () => {
        this.#hasMoved = true;
      });
      process.stdin.on('data', typed).on('end', end);
      for (const signal of ENDING) process.on(signal, end);
      look();
    });
  }

  redraw(): void {
    this.#drawn = [];
    this.#arrange();
    this.#show();
  }

  /** False: the view is left. */
  #press(key: string): boolean {
    const found = press(key, this.#top, this.#rows, this.#size());
    if (found === null) return false;
    this.#top = found.top;
    if (found.act !== null) void this.#act(found.act.verb, found.act.name);
    this.#arrange();
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
    this.#hasMoved = true;
  }

  async #look(): Promise<void> {
    // An svinit that is slow to answer is not asked twice.
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#ask();
      const services = this.#services();
      const inSight = new Set(rowsInSight(this.#top, this.#rows, this.#size()).map((r) => r.key));
      const isSeen = (name: string): boolean =>
        this.#top.order.sort === 'pressure' || inSight.has(name);
      this.#looked = this.#gauge.look(services, isSeen, performance.now());
      this.#arrange();
      await this.#fill();
      this.#show();
    } finally {
      this.#isLooking = false;
    }
  }

  async #ask(): Promise<void> {
    const now = performance.now();
    if (!this.#hasMoved && this.#version !== null && now < this.#askedAt + ASK_MS) return;
    this.#hasMoved = false;
    try {
      this.#version = await this.#session.request('version', {});
      this.#all = await this.#session.request('ls', { names: [] });
      this.#askedAt = performance.now();
    } catch (error) {
      this.#version = null;
      this.#say(wordsOf(error));
    }
  }

  /** Services as they were told, and as much older as it is since. */
  #services(): Results['ls']['services'] {
    const since = Math.round(performance.now() - this.#askedAt);
    return this.#all.services.map((view) => aged(view, since));
  }

  #arrange(): void {
    this.#rows = arrange(this.#services(), this.#looked, this.#top.order);
    this.#top = settle(this.#top, this.#rows, this.#size());
  }

  async #fill(): Promise<void> {
    const { chosen, pane } = this.#top;
    const row = this.#rows.find(({ key }) => key === chosen);
    if (pane === 'keys') this.#pane = KEY_LINES;
    else if (row === undefined) this.#pane = [];
    else if (row.view === null) this.#pane = ['the limits of this bundle hold all below it'];
    else if (pane === 'log') {
      this.#pane = (await import('./logs.ts')).lastLines(row.name, paneRows(this.#size()));
    } else {
      const { explain, whyLines } = await import('./why.ts');
      const all = { ...this.#all, services: this.#services() };
      this.#pane = whyLines(explain(row.name, all), this.#session.style);
    }
  }

  #say(message: string): void {
    this.#top = { ...this.#top, message };
  }

  #show(): void {
    const { style, world } = this.#session;
    const size = this.#size();
    const since = this.#version === null ? 0 : performance.now() - this.#askedAt;
    const version = this.#version && {
      ...this.#version,
      uptimeMs: this.#version.uptimeMs + since,
    };
    const { machine } = this.#looked;
    const { services } = this.#all;
    const picture = { version, machine, services, rows: this.#rows, pane: this.#pane };
    const lines = draw(this.#top, picture, size, style);
    const changed = redraw(this.#drawn, lines);
    this.#drawn = lines;
    if (changed !== '') world.write(1, changed);
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
