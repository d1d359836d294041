/**
 * svprobe asks services whether they are ready, and still alive, for svinit, which must never wait
 * for anybody: connections, pages, programs, files and lines of the log. It is a client of the
 * control socket; while it is away nobody is found unwell. It runs until SIGTERM or SIGINT.
 */
import { parseArgs } from 'node:util';
import { LogReader, logDirectory } from './cli/logfiles.ts';
import { RUN } from './core/boot-options.ts';
import { type ProbeView, probeWords } from './core/probe.ts';
import { Link, membersOf } from './probe/link.ts';
import { Programs } from './probe/programs.ts';
import { Rounds } from './probe/rounds.ts';
import type { Kernel } from './sys/kernel.ts';
import { openSystem } from './sys/open.ts';

const USAGE = `Usage: svprobe

Asks services as their "ready" and "alive" say, and tells svinit what came of it.
svinit runs it by itself while a service with one of these is wanted. It asks svinit at the
socket control below $SVINIT_RUN (/run/svinit), and reads logs below $SVINIT_LOG.

It exits with 0 when it was told to end, 1 when it cannot work, 2 on wrong usage.`;

/** @param argv Arguments after the program's name. @returns The exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = { help: { type: 'boolean', default: false } } as const;
    const { values } = parseArgs({ args: [...argv], options });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
  } catch (error) {
    process.stderr.write(`svprobe: ${reasonOf(error)}\n\n${USAGE}\n`);
    return 2;
  }
  const kernel = openSystem();
  kernel.setName('svprobe');
  kernel.umask(0o022);
  return serve(kernel);
}

function serve(kernel: Kernel): Promise<number> {
  const programs = new Programs(kernel);
  const rounds = new Rounds({
    programs,
    log: (name) => new LogReader(logDirectory(), name),
    now: () => kernel.monotonic(),
    tell: (view, { ok, detail }) => {
      const { name, pid, kind, probe } = view;
      if (ok === false) say(`${name} is not ${kind}: ${detail} (${probeWords(probe)})`);
      link.ask('probed', { name, pid, kind, ok, detail });
    },
  });
  const ask = (names: string[]): void => {
    link.ask('probes', { names }, (result) => {
      for (const view of viewsIn(result)) rounds.begin(view);
    });
  };
  const ended = Promise.withResolvers<number>();
  const link = new Link(`${process.env['SVINIT_RUN'] || RUN}/control`, {
    opened: () => ask([]),
    lost: () => rounds.endAll(),
    moved: (params) => {
      const move = moveOf(params);
      if (move === null) return;
      const { name, asked } = move;
      if (asked !== null && rounds.has(name, asked.pid, asked.kind)) return;
      rounds.end(name);
      if (asked !== null) ask([name]);
    },
    failed: (error) => {
      say(`Cannot talk to svinit: ${error.message}`);
      ended.resolve(1);
    },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => ended.resolve(0));
  }
  return ended.promise.then((code) => {
    link.close();
    rounds.endAll();
    programs.killAll();
    // What is under way would keep the runtime from ending.
    return process.exit(code);
  });
}

type Move = {
  readonly name: string;
  /** What is to be asked of it now; null: nothing. */
  readonly asked: { readonly pid: number; readonly kind: 'ready' | 'alive' } | null;
};

/** From what svinit tells of a service that moved, or is gone. */
function moveOf(params: unknown): Move | null {
  const told = membersOf(params);
  const service = membersOf(told.get('service'));
  const name = service.get('name') ?? told.get('name');
  if (typeof name !== 'string') return null;
  const [pid, state, probes] = [service.get('pid'), service.get('state'), service.get('probes')];
  const kind = state === 'starting' ? 'ready' : state === 'up' ? 'alive' : null;
  if (kind === null || typeof pid !== 'number' || !membersOf(probes).has(kind)) {
    return { name, asked: null };
  }
  return { name, asked: { pid, kind } };
}

/** The socket is root's and svinit's: what comes from it has the shape that it has there. */
function viewsIn(result: unknown): readonly ProbeView[] {
  const probes = membersOf(result).get('probes');
  return Array.isArray(probes) ? (probes as readonly ProbeView[]) : [];
}

function say(message: string): void {
  process.stderr.write(`svprobe: ${message}\n`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
