/**
 * `svctl attach` and `svctl shell`: the terminal of a service, and shells with terminals of their
 * own. Both are held by svpty, so they go on when svctl leaves or svinit becomes another image.
 */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import {
  type Ending,
  type Hello,
  type SessionRow,
  TERMINAL_PROTOCOL,
  type Welcome,
} from '../core/terminal-frames.ts';
import { parseDetachKey, USUAL_KEY } from './detach-key.ts';
import { EXIT, errorCode, Failure, usageFailure } from './failure.ts';
import type { Parsed } from './options.ts';
import type { Session } from './session.ts';
import { doors } from './sockets.ts';
import { type Column, layout } from './table.ts';
import { look, ownSize, type Viewed } from './viewing.ts';
import { ellipsis, safe } from './words.ts';

/** The service that holds shells; started by whoever wants one. */
const SHELLS = 'shells';
const SIGNAL_EXIT = 128;

export async function attach(parsed: Parsed, session: Session): Promise<number> {
  const [name, extra] = parsed.names;
  const usage = 'svctl attach NAME';
  if (name === undefined) throw usageFailure('attach needs the name of a service', usage);
  if (extra !== undefined) throw usageFailure(`'${extra}' is one word too many`, usage);
  const detachKey = keyOf(parsed);
  const path = places(session, `terminals/${name}/socket`).find((place) => existsSync(place));
  const socket = path === undefined ? null : await dial(path);
  if (socket === null) throw await whyNoTerminal(name, session);
  const hello = { ...helloOf(parsed, session), want: 'attach', name } as const;
  const viewed = await look(socket, session.world, {
    hello,
    detachKey,
    atEnd: 'leave',
    onWelcome: () => greet(session, `${name}: the output so far`, parsed),
  });
  return outcome(viewed, session, ` from ${name}`);
}

export async function shell(parsed: Parsed, session: Session): Promise<number> {
  const detachKey = keyOf(parsed);
  if (parsed.has('list')) return list(parsed, session);
  const socket = await dialShells(session);
  const hello: Hello = {
    ...helloOf(parsed, session),
    want: parsed.has('read-only') ? 'attach' : 'open',
    name: parsed.value('name'),
    command: parsed.names,
  };
  if (hello.want === 'attach' && hello.name === null) {
    throw usageFailure('--read-only is for a session that is there: --name', 'svctl shell');
  }
  const found: { name: string } = { name: hello.name ?? '' };
  const viewed = await look(socket, session.world, {
    hello,
    detachKey,
    atEnd: 'tell',
    onWelcome: ({ name, isNew }: Welcome) => {
      found.name = name;
      greet(session, `session ${name}${isNew ? '' : ', the output so far'}`, parsed);
    },
  });
  return outcome(viewed, session, `; svctl shell --name ${found.name} comes back`);
}

async function list(parsed: Parsed, session: Session): Promise<number> {
  const path = places(session, SHELLS).find((place) => existsSync(place));
  const socket = path === undefined ? null : await dial(path);
  const viewed: Viewed =
    socket === null
      ? { end: 'sessions', sessions: [] }
      : await look(socket, session.world, {
          hello: { ...helloOf(parsed, session), want: 'list' },
          detachKey: new Uint8Array(),
          atEnd: 'leave',
          onWelcome: () => {},
        });
  if (viewed.end !== 'sessions') return outcome(viewed, session, '');
  session.show({ sessions: viewed.sessions }, ({ sessions }) => rows(sessions, session));
  return EXIT.done;
}

const COLUMNS: readonly Column[] = [
  { title: 'NAME', align: 'left', give: 'keep' },
  { title: 'PID', align: 'right', give: 'keep' },
  { title: 'VIEWERS', align: 'right', give: 'drop' },
  { title: 'COMMAND', align: 'left', give: 'cut' },
];

function rows(sessions: readonly SessionRow[], { style }: Session): readonly string[] {
  if (sessions.length === 0) return ['no sessions'];
  const cells = sessions.map(({ name, pid, viewers, command }) =>
    [name, String(pid), String(viewers), command].map((text) => ({ text: safe(text) })),
  );
  return layout(COLUMNS, cells, style.columns, ellipsis(style));
}

function helloOf(parsed: Parsed, { world }: Session): Hello {
  return {
    version: TERMINAL_PROTOCOL,
    want: 'list',
    name: null,
    readOnly: parsed.has('read-only'),
    size: ownSize(world),
    command: [],
    term: world.env['TERM'] || null,
  };
}

function keyOf(parsed: Parsed): Uint8Array {
  const text = parsed.value('detach-key') ?? USUAL_KEY;
  const key = parseDetachKey(text);
  if (key !== null) return key;
  throw usageFailure(`'${text}' is no key such as ctrl-], ^a, ctrl-p,ctrl-q or none`, 'svctl help');
}

/** People are told how to leave; scripts get what the program prints and nothing else. */
function greet({ world }: Session, what: string, parsed: Parsed): void {
  if (!world.stderrIsTerminal || process.stdin.isTTY !== true) return;
  const key = parsed.value('detach-key') ?? USUAL_KEY;
  world.write(2, `[${safe(what)}; ${key === 'none' ? 'no key leaves' : `${key} leaves`}]\r\n`);
}

function outcome(viewed: Viewed, { world }: Session, back: string): number {
  switch (viewed.end) {
    case 'detached':
      if (world.stderrIsTerminal) world.write(2, `\r\n[detached${safe(back)}]\r\n`);
      return EXIT.done;
    case 'ended':
      return exitOf(viewed.ending);
    case 'refused':
      throw new Failure(EXIT.failed, `Cannot look at that terminal: ${safe(viewed.reason)}`);
    case 'sessions':
      return EXIT.done;
    case 'lost':
      throw new Failure(
        EXIT.unreachable,
        'The connection to the terminal was closed',
        'Its holder has ended, or what it printed was not taken in time',
      );
  }
}

/** As a shell tells it: the code itself, or 128 and the signal. */
function exitOf({ code, signal }: Ending): number {
  return code ?? SIGNAL_EXIT + (signal ?? 0);
}

/** Where a file of the run directory may be, best first. */
function places(session: Session, file: string): readonly string[] {
  const run = session.world.env['SVINIT_RUN'] || null;
  const where = { socket: session.socket, run, uid: process.getuid?.() ?? 0 };
  const folders = doors(where).map(({ path }) => dirname(path));
  return [...new Set(folders)].map((folder) => `${folder}/${file}`);
}

async function dialShells(session: Session): Promise<Socket> {
  const candidates = places(session, SHELLS);
  for (const path of candidates) {
    const socket = await dial(path);
    if (socket !== null) return socket;
  }
  const timeoutMs = session.timeoutMs;
  await session.request('start', { names: [SHELLS], wait: true, once: false, timeoutMs });
  for (const path of candidates) {
    const socket = await dial(path);
    if (socket !== null) return socket;
  }
  throw new Failure(EXIT.unreachable, `Cannot reach ${SHELLS}: nobody listens there`);
}

/** Null: nobody listens there. */
function dial(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => {
      const code = errorCode(error) ?? String(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return resolve(null);
      const isRefused = code === 'EACCES' || code === 'EPERM';
      const exit = isRefused ? EXIT.permission : EXIT.unreachable;
      reject(new Failure(exit, `Cannot reach ${path}: connect failed with ${code}`));
    });
  });
}

/** There is no such service, it is not there now, or it has none. */
async function whyNoTerminal(name: string, session: Session): Promise<Failure> {
  const { services } = await session.request('ls', { names: [] });
  if (!services.some((service) => service.name === name)) {
    return new Failure(EXIT.noSuchService, `There is no service '${safe(name)}'`);
  }
  if (!services.some((service) => service.name === `${name}.pty`)) {
    return new Failure(
      EXIT.failed,
      `Cannot attach to ${name}: it has no terminal of its own`,
      '"tty": "pty" in its service.json gives it one',
    );
  }
  const state = services.find((service) => service.name === name)?.state ?? 'down';
  const what = `Cannot attach to ${name}: it is ${state}`;
  return new Failure(EXIT.notRunning, what, `svctl start ${name}`);
}
