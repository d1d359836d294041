/**
 * The verbs that only look: ls, status, why, logs, version.
 */
import type { ServiceView } from '../core/methods.ts';
import { EXIT, usageFailure } from './failure.ts';
import { noNames, type Parsed } from './options.ts';
import { lsLines, statusLines, versionLines } from './print.ts';
import type { Session } from './session.ts';

/** Log lines that `status` shows of each service. */
const LOG_LINES = 5;

export async function ls(parsed: Parsed, session: Session): Promise<number> {
  const result = await session.request('ls', { names: [...parsed.names] });
  const services = parsed.has('failed') ? result.services.filter(isBroken) : result.services;
  session.show({ ...result, services }, (shown) => lsLines(shown, session.style));
  return EXIT.done;
}

export async function status(parsed: Parsed, session: Session): Promise<number> {
  if (parsed.names.length === 0) return overview(session);
  const result = await session.request('status', { names: [...parsed.names] });
  if (session.json) {
    session.show(result, () => []);
  } else {
    for (const [i, view] of result.services.entries()) {
      const lines = statusLines(view, await lastLines(view.name), session.style);
      session.print(i === 0 ? lines : ['', ...lines]);
    }
  }
  return result.services.every(isRunning) ? EXIT.done : EXIT.notRunning;
}

export async function why(parsed: Parsed, session: Session): Promise<number> {
  if (parsed.names.length === 0) throw usageFailure('Why what?', 'svctl why NAME...');
  const { explain, whyLines } = await import('./why.ts');
  // `status` knows what names, patterns and bundles stand for; `ls` has what they wait for.
  const [named, all] = await Promise.all([
    session.request('status', { names: [...parsed.names] }),
    session.request('ls', { names: [] }),
  ]);
  const services = named.services.map(({ name }) => explain(name, all));
  const { lastText } = await import('./logs.ts');
  const lines = (one: (typeof services)[number]) => whyLines(one, session.style, lastText);
  session.show({ services }, (shown) =>
    shown.services.flatMap((one, i) => [...(i === 0 ? [] : ['']), ...lines(one)]),
  );
  return EXIT.done;
}

export async function version(parsed: Parsed, session: Session): Promise<number> {
  noNames(parsed, 'svctl version');
  session.show(await session.request('version', {}), versionLines);
  return EXIT.done;
}

export async function showLogs(parsed: Parsed, session: Session): Promise<number> {
  const { logs } = await import('./logs.ts');
  const count = parsed.value('lines');
  if (count !== null && !/^[0-9]{1,9}$/.test(count)) {
    throw usageFailure(`'${count}' is not a number of lines`, 'svctl logs -n N [NAME...]');
  }
  const options = {
    names: parsed.names,
    follow: parsed.has('follow'),
    lines: count === null ? null : Number(count),
    json: session.json,
    raw: parsed.has('raw'),
  };
  const { world } = session;
  if (options.names.length > 0 && !options.json && !options.raw) {
    const { pipeRemarks } = await import('./logpipes.ts');
    const run = world.env['SVINIT_RUN'] || null;
    for (const remark of await pipeRemarks(options.names, session.socket, run)) {
      world.write(2, `${remark}\n`);
    }
  }
  return logs(options, {
    isTerminal: world.stdoutIsTerminal,
    write: (bytes) => world.write(1, bytes),
  });
}

async function overview(session: Session): Promise<number> {
  const [about, all] = await Promise.all([
    session.request('version', {}),
    session.request('ls', { names: [] }),
  ]);
  session.show({ ...about, ...all }, () => [
    ...versionLines(about),
    ...lsLines(all, session.style),
  ]);
  return EXIT.done;
}

async function lastLines(name: string): Promise<readonly string[]> {
  const logs = await import('./logs.ts');
  return logs.lastLines(name, LOG_LINES);
}

const isBroken = ({ state }: ServiceView): boolean => state === 'failed' || state === 'backoff';
const isRunning = ({ state }: ServiceView): boolean => state === 'up' || state === 'done';
