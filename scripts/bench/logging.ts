/**
 * Loggers: lines of 100 bytes through a pipe, as fast as they come, into rotated files on a tmpfs.
 * Time is from the logger's start until it has stored everything and ended.
 */
import { Life } from './life.ts';
import type { Samples } from './measure.ts';
import type { Peer } from './peer.ts';
import { stage } from './roots.ts';

export type Logger = {
  readonly name: string;
  readonly root: Peer['root'];
  readonly row: 'log' | 'log-bare';
  /** A shell command that reads its lines from stdin; for svlog, from FIFOs. */
  readonly command: string;
  readonly fifos?: boolean;
};

/** Files of 16 MiB, ten of them at most: what each is told that can be told. */
export const LOGGERS: readonly Logger[] = [
  ...(['bun', 'node'] as const).flatMap((root): Logger[] => {
    const name = `svinit (${root === 'bun' ? 'Bun' : 'Node'})`;
    const command = '/usr/bin/svlog --fifos /bench/fifos --logs /bench/log';
    // svlog stamps every line; what stands in for s6-log in images of s6-overlay need not.
    const bare = '/usr/bin/svoverlay log n10 s16777216 /bench/log';
    return [
      { name, root, row: 'log', command, fifos: true },
      { name, root, row: 'log-bare', command: bare },
    ];
  }),
  piped('s6-log', 'log', '/usr/bin/s6-log t n10 s16777216 /bench/log'),
  piped('svlogd', 'log', '/usr/bin/svlogd -tt /bench/log'),
  piped('multilog', 'log', '/usr/bin/multilog t n10 s16777215 /bench/log'),
  piped('s6-log', 'log-bare', '/usr/bin/s6-log n10 s16777216 /bench/log'),
  piped('svlogd', 'log-bare', '/usr/bin/svlogd /bench/log'),
  piped('multilog', 'log-bare', '/usr/bin/multilog n10 s16777215 /bench/log'),
];

function piped(name: string, row: Logger['row'], command: string): Logger {
  return { name, root: 'peers', row, command };
}

const SECOND = 1e9;

export async function logging(logger: Logger, bytes: number): Promise<Samples> {
  const { root, row, command, fifos = false } = logger;
  const staged = stage({ root }, 'logging', { 'bench/log/config': 's16777216\nn10\n' });
  const life = await Life.run(staged, ['/usr/lib/bench/meter', 'floor', '0', 'nothing']);
  try {
    const script = fifos ? fromFifo(command, bytes) : fromPipe(command, bytes);
    const told = await life.in(['/usr/bin/busybox', 'sh', '-c', script]);
    const [wall = 0, cpu = 0] = (told.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
    const samples: Samples = { [row]: [bytes / 1e6 / (wall / SECOND)] };
    if (row === 'log') samples['log-cpu'] = [cpu / bytes];
    return samples;
  } finally {
    await life.end();
  }
}

const METER = '/usr/lib/bench/meter';

const fromPipe = (command: string, bytes: number): string =>
  `${METER} lines ${bytes} | ${METER} reap ${command}`;

/** Who holds the FIFO open, as PID 1 does, tells the logger to end when all has been written. */
const fromFifo = (command: string, bytes: number): string => `
  mkdir -p /bench/fifos && mkfifo /bench/fifos/service && exec 9<>/bench/fifos/service
  { ${METER} lines ${bytes} >&9; kill -TERM $(cat /bench/pid); } &
  ${METER} reap /usr/bin/busybox sh -c 'echo $$ >/bench/pid; exec ${command} 9>&-'`;
