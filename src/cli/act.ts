/**
 * The verbs that change something: what is asked of svinit, what is printed, which exit code.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { RUN } from '../core/boot-options.ts';
import type { Goal, Outcome, Params, Results } from '../core/methods.ts';
import { rootPlaces } from '../core/root-places.ts';
import { signalName, signalNumber } from '../core/signals.ts';
import { closest } from '../core/suggest.ts';
import { EXIT, usageFailure } from './failure.ts';
import { noNames, type Parsed } from './options.ts';
import { list, problemLine } from './print.ts';
import type { Session } from './session.ts';
import { painterOf, safe } from './words.ts';

type Names = Pick<Params['start'], 'names' | 'wait' | 'timeoutMs'>;

/** The goals of methods.ts, as a table so that the compiler misses none. */
const GOALS: Readonly<Record<Goal, true>> = {
  up: true,
  ready: true,
  down: true,
  done: true,
  failed: true,
};

export async function start(
  parsed: Parsed,
  session: Session,
  method: 'start' | 'restart' | 'reload',
): Promise<number> {
  const params = namesOf(parsed, session, method);
  if (method !== 'start') {
    return told(session, params, method, await session.request(method, params));
  }
  const once = parsed.has('once');
  return told(session, params, method, await session.request(method, { ...params, once }));
}

export async function stop(parsed: Parsed, session: Session): Promise<number> {
  const params = namesOf(parsed, session, 'stop');
  const more = { cascade: parsed.has('cascade'), force: parsed.has('force') };
  return told(session, params, 'stop', await session.request('stop', { ...params, ...more }));
}

export async function signal(parsed: Parsed, session: Session): Promise<number> {
  const usage = 'svctl signal [--group] SIGNAL NAME...';
  const [word = '', ...names] = parsed.names;
  const number = signalNumber(word);
  if (number === null) throw usageFailure(`'${word}' is not a signal`, usage);
  if (names.length === 0) throw usageFailure('Name what to signal', usage);
  const group = parsed.has('group');
  const result = await session.request('signal', { names, signal: number, group });
  session.show(result, ({ signalled }) =>
    signalled.map((name) => `${safe(name)}: ${signalName(number)} sent`),
  );
  return EXIT.done;
}

export async function wait(parsed: Parsed, session: Session): Promise<number> {
  const usage = 'svctl wait NAME[:GOAL]...';
  if (parsed.names.length === 0) throw usageFailure('Wait for what?', usage);
  if (!session.wait) throw usageFailure('wait --no-wait contradicts itself', usage);
  const conditions = parsed.names.map((text) => conditionOf(text, usage));
  const result = await session.request('wait', { conditions, timeoutMs: session.timeoutMs });
  session.show(result, ({ services }) => services.map((one) => outcomeLine(one, session)));
  return EXIT.done;
}

export async function scan(parsed: Parsed, session: Session): Promise<number> {
  noNames(parsed, 'svctl scan [--prune]');
  await syncRoot();
  const result = await session.request('scan', { prune: parsed.has('prune') });
  session.show(result, scanLines);
  return result.refused.length === 0 ? EXIT.done : EXIT.invalidDefinition;
}

/** More than svroot itself waits for a root that does not answer. */
const SYNC_WITHIN_MS = 45_000;

/**
 * svinit itself reads nothing of a root: its definitions are brought to it, by who is where it is.
 * In the root there is no pin to be seen, and whoever is there has asked for a scan all the same.
 */
async function syncRoot(): Promise<void> {
  const { pin } = rootPlaces(process.env['SVINIT_RUN'] || RUN);
  if (process.getuid?.() !== 0 || !existsSync(pin)) return;
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  const { status } = spawnSync('svroot', ['read'], { stdio: [...stdio], timeout: SYNC_WITHIN_MS });
  if (status !== 0) process.stderr.write('The definitions of the root were not read anew\n');
}

export async function reexec(parsed: Parsed, session: Session): Promise<number> {
  const usage = 'svctl reexec [--binary PATH]';
  noNames(parsed, usage);
  const path = parsed.value('binary');
  if (path === '') throw usageFailure('--binary needs a path', usage);
  // svinit has another working directory: for it only an absolute path means the same.
  const binary = path === null ? null : resolve(path);
  const result = await session.request('reexec', { binary });
  session.show(result, ({ image }) => [`svinit goes on as image ${image}`]);
  return EXIT.done;
}

/** One request as it is: for scripts, and for what has no verb. */
export async function call(parsed: Parsed, session: Session): Promise<number> {
  const usage = 'svctl call METHOD [PARAMS]';
  const [method, params = '{}', ...more] = parsed.names;
  if (method === undefined || more.length > 0) throw usageFailure('Call which method?', usage);
  let value: unknown;
  try {
    value = JSON.parse(params);
  } catch {
    throw usageFailure(`'${params}' is not JSON`, usage);
  }
  const result: unknown = await session.request(method as 'version', value as Params['version']);
  session.show(result as object, () => [JSON.stringify(result)]);
  return EXIT.done;
}

/** `web:ready`; a name alone means ready. Names may hold colons, so the last one divides. */
export function conditionOf(text: string, usage: string): { name: string; goal: Goal } {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { name: text, goal: 'ready' };
  const [name, goal] = [text.slice(0, colon), text.slice(colon + 1)];
  if (name !== '' && Object.hasOwn(GOALS, goal)) return { name, goal: goal as Goal };
  const near = closest(goal, Object.keys(GOALS));
  const hint = near === null ? '' : `; did you mean ${name}:${near}?`;
  throw usageFailure(`'${text}' is not a condition${hint}`, usage);
}

function namesOf(parsed: Parsed, session: Session, verb: string): Names {
  if (parsed.names.length === 0)
    throw usageFailure(`Name what to ${verb}`, `svctl ${verb} NAME...`);
  return { names: [...parsed.names], wait: session.wait, timeoutMs: session.timeoutMs };
}

function told(session: Session, params: Names, verb: string, result: Results['start']): number {
  session.show(result, ({ services }) => {
    if (params.wait) return services.map((one) => outcomeLine(one, session));
    return [`${verb} is noted for ${params.names.map(safe).join(', ')}`];
  });
  if (!params.wait || verb === 'stop') return EXIT.done;
  return services(result).every(isUp) ? EXIT.done : EXIT.failed;
}

const services = (result: Results['start']): readonly Outcome[] => result.services;
const isUp = ({ state }: Outcome): boolean => state === 'up' || state === 'done';

function outcomeLine({ name, state, note }: Outcome, { style }: Session): string {
  const more = note === '' ? '' : ` (${safe(note)})`;
  return `${safe(name)}: ${painterOf(state, style)(safe(state))}${more}`;
}

function scanLines(result: Results['scan']): string[] {
  const changed = result.changed.map(({ name, fields }) => `${name} (${fields.join(', ')})`);
  const lines = [
    ...list('added', result.added),
    ...list('changed', changed),
    ...list('removed', result.removed),
  ];
  const told = lines.length === 0 ? ['nothing changed'] : lines;
  return [...told, ...result.refused.map(problemLine), ...result.notices.map(safe)];
}
