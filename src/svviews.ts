/**
 * svviews shows the services of svinit as a supervisor of s6 and one of runit would: s6-svc(8),
 * s6-svstat(8) and their like work below /run/service, sv(8) with SVDIR=/run/sv. It is a client of
 * the control socket, and nobody but those tools misses it. It runs until SIGTERM or SIGINT.
 */
import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Kernel, openKernel } from './sys/kernel.ts';
import { type LockKernel, openLocks } from './sys/locks.ts';
import { openLibc } from './sys/open.ts';
import { Board } from './views/board.ts';
import { reasonOf } from './views/errors.ts';
import { Link } from './views/link.ts';
import { Loop } from './views/loop.ts';
import { speaker } from './views/say.ts';

const USAGE = `Usage: svviews [--ready-fd N] [--s6 DIR] [--runit DIR] [--name NAME]

Keeps a directory for each service, for the clients of other supervisors.
  --s6 DIR      for s6-svc, s6-svstat, s6-svwait, s6-svscanctl ... (default /run/service)
  --runit DIR   for sv, which is told by SVDIR (default /run/sv)
  --name NAME   the service that this is, which has no directory (default views)
  --ready-fd N  gets a newline once all directories are there
It asks svinit at the socket control below $SVINIT_RUN (/run/svinit).`;

type Wish = {
  readonly readyFd: number | null;
  readonly s6: string;
  readonly runit: string;
  readonly name: string;
};

/**
 * @param argv Arguments after the program's name.
 * @returns The exit code: 0 it was told to end, 1 it cannot work, 2 wrong usage.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const wish = parse(argv);
  if ('usage' in wish) {
    process[wish.code === 0 ? 'stdout' : 'stderr'].write(`${wish.usage}\n`);
    return wish.code;
  }
  try {
    await serve(wish);
    return 0;
  } catch (error) {
    process.stderr.write(`svviews: ${reasonOf(error)}\n`);
    return 1;
  }
}

function parse(argv: readonly string[]): Wish | { readonly usage: string; readonly code: 0 | 2 } {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...{ help: { type: 'boolean', default: false }, 'ready-fd': text },
        ...{ s6: text, runit: text, name: text },
      },
    });
    if (values.help) return { usage: USAGE, code: 0 };
    const { s6 = '/run/service', runit = '/run/sv', name = 'views', 'ready-fd': fd } = values;
    if (fd !== undefined && !/^\d{1,6}$/.test(fd)) throw new Error(`no descriptor: ${fd}`);
    for (const path of [s6, runit]) {
      if (!path.startsWith('/')) throw new Error(`not an absolute path: ${path}`);
    }
    return { readyFd: fd === undefined ? null : Number(fd), s6, runit, name };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { usage: `svviews: ${reason}\n\n${USAGE}`, code: 2 };
  }
}

async function serve({ readyFd, s6, runit, name }: Wish): Promise<void> {
  const libc = openLibc();
  const kernel: Kernel & LockKernel = { ...openKernel(libc), ...openLocks(libc) };
  const say = speaker(kernel);
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      say(reasonOf(error));
    }
  };
  prepare(kernel, attempt);
  const loop = new Loop(kernel);
  let isReady = readyFd === null;
  const link = new Link(kernel, loop, `${process.env['SVINIT_RUN'] || '/run/svinit'}/control`, {
    onAll: (views) => {
      board.all(views);
      if (!isReady) writeSync(readyFd ?? 1, '\n');
      isReady = true;
    },
    onMove: (view) => board.move(view),
    onGone: (gone) => board.gone(gone),
  });
  const ask: Link['ask'] = (method, params, answered) => link.ask(method, params, answered);
  const ground = { kernel, loop, s6, runit, ask, say, now: () => Date.now(), attempt };
  const board = new Board(ground, name);
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  await loop.run(
    () => isOver,
    () => link.tend(),
  );
  board.close();
  link.close();
}

/** Three descriptors a service, and clients that go away while we write to them. */
function prepare(kernel: Kernel, attempt: (act: () => void) => void): void {
  kernel.setName('svviews');
  kernel.umask(0o022);
  kernel.sigIgnore([SIGPIPE]);
  const { hard } = kernel.getNofile(0);
  attempt(() => kernel.setNofile(0, { soft: hard, hard }));
  if (hard >= DESCRIPTORS || !kernel.mayRaiseLimits()) return;
  attempt(() => kernel.setNofile(0, { soft: DESCRIPTORS, hard: DESCRIPTORS }));
}

/** For more services than svinit takes (5000); the kernel gives 4096 (INR_OPEN_MAX). */
const DESCRIPTORS = 16_384;
const SIGPIPE = 13;
