/**
 * A client that never lets up: connects over and over, asks for one page over each connection, and
 * counts. It brings up the loopback of its network first. Run with a port as its argument; it goes on until its input ends, and then tells as JSON
 * how often it was answered, and every way in which it was not.
 */
import { connect } from 'node:net';
import { openSystem } from '../../src/sys/open.ts';

export type Knocked = {
  readonly answered: number;
  /** The longest wait for an answer, in milliseconds. */
  readonly slowest: number;
  /** How often what went wrong: a code of connect(2), or words. */
  readonly failures: Readonly<Record<string, number>>;
};

/** At the same time. */
const CLIENTS = 4;
const PATIENCE_MS = 20_000;
/** After so many nobody needs to know more. */
const FAILURES_MAX = 100;

async function main(port: number): Promise<void> {
  const failures: Record<string, number> = {};
  let answered = 0;
  let slowest = 0;
  let isOver = false;
  process.stdin.on('end', () => (isOver = true)).resume();
  const knock = async (): Promise<void> => {
    while (!isOver) {
      const before = performance.now();
      const failure = await ask(port);
      slowest = Math.max(slowest, Math.round(performance.now() - before));
      if (failure === null) answered += 1;
      else if (Object.values(failures).reduce((sum, n) => sum + n, 0) >= FAILURES_MAX) return;
      else failures[failure] = (failures[failure] ?? 0) + 1;
      if (answered === 1) process.stdout.write('answered\n');
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, knock));
  process.stdout.write(`${JSON.stringify({ answered, slowest, failures } satisfies Knocked)}\n`);
}

/** Null when it was answered in full. */
function ask(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer in time')));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.once('end', () =>
      resolve(/^HTTP\/1\.[01] 200 .*\r\n\r\nwelcome\n$/s.test(text) ? null : `cut: ${text}`),
    );
    socket.write('GET /index.html HTTP/1.0\r\n\r\n');
  });
}

if (import.meta.main) {
  openSystem().interfaceUp('lo');
  await main(Number(process.argv[2]));
}
