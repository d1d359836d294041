/**
 * svlog, the logger: reads the FIFO of every service and stores what they say, stamped and rotated.
 * It runs until SIGTERM or SIGINT, and then stores what is still in the FIFOs; SIGHUP makes
 * archives of all logs and opens them anew. FIFOs are held open by svinit: when svlog is killed,
 * services wait for its successor and lose nothing that had not been read.
 */
import { parseArgs } from 'node:util';
import type { Fd } from './core/units.ts';
import { codeOf } from './log/failure.ts';
import { run, type Settings, type Wishes } from './log/run.ts';
import { O } from './sys/constants.ts';
import type { Kernel } from './sys/kernel.ts';
import { openSystem } from './sys/open.ts';

/**
 * Runs the logger.
 * @param argv Arguments after the program's name.
 * @returns The exit code: 0 everything is stored, 1 something could not be, 2 wrong usage.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const settings = parse(argv);
  if (typeof settings === 'string') {
    process.stderr.write(`${settings}\n`);
    return 2;
  }
  const kernel = openSystem();
  const say = speaker(kernel);
  try {
    prepare(kernel);
    const lost = await run(kernel, settings, listen(), say);
    if (lost > 0) say(`${lost} lines could not be stored before the end`);
    return lost > 0 ? 1 : 0;
  } catch (error) {
    say(error instanceof Error && codeOf(error) !== null ? error.message : stackOf(error));
    return 1;
  }
}

const USAGE = `Usage: svlog [--fifos DIR] [--logs DIR] [--echo-fd=FD]

Stores what comes out of every FIFO in DIR as DIR/NAME/current and archives beside it.
  --fifos DIR  FIFOs, one for each service (default $SVINIT_RUN/log, /run/svinit/log)
  --logs DIR   stored logs (default $SVINIT_LOG, /run/log/svinit)
  --echo-fd FD what comes out of all FIFOs is also written there, as it is`;

/** The settings, or what to tell the user. */
function parse(argv: readonly string[]): Settings | string {
  const { env } = process;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...{ fifos: { type: 'string' }, logs: { type: 'string' }, 'echo-fd': { type: 'string' } },
      },
    });
    const echo = values['echo-fd'];
    if (echo !== undefined && !/^[0-9]{1,4}$/.test(echo)) throw new Error(`no descriptor: ${echo}`);
    return {
      fifos: values.fifos ?? `${env['SVINIT_RUN'] ?? '/run/svinit'}/log`,
      logs: values.logs ?? env['SVINIT_LOG'] ?? '/run/log/svinit',
      echo: echo === undefined ? null : (Number(echo) as Fd),
    };
  } catch (error) {
    return `svlog: ${error instanceof Error ? error.message : error}\n\n${USAGE}`;
  }
}

/** Logs are for their owner and group (the mask), and there may be thousands of FIFOs. */
function prepare(kernel: Kernel): void {
  kernel.umask(0o027);
  kernel.setName('svlog');
  const { hard } = kernel.getNofile(0);
  kernel.setNofile(0, { soft: hard, hard });
}

function listen(): Wishes {
  const wishes: Wishes = { stop: false, rotate: false };
  process.on('SIGTERM', () => {
    wishes.stop = true;
  });
  process.on('SIGINT', () => {
    wishes.stop = true;
  });
  process.on('SIGHUP', () => {
    wishes.rotate = true;
  });
  return wishes;
}

/**
 * Writes messages to descriptor 2, which may well be svlog's own FIFO: it must not wait for itself.
 * Opened anew, because the flag would hold for all who share the descriptor. What does not fit is
 * not said.
 */
function speaker(kernel: Kernel): (message: string) => void {
  const fd = openStderr(kernel);
  return (message) => {
    try {
      kernel.write(fd, Buffer.from(`svlog: ${message}\n`));
    } catch {}
  };
}

function openStderr(kernel: Kernel): Fd {
  try {
    return kernel.open('/proc/self/fd/2', O.WRONLY | O.NONBLOCK | O.APPEND | O.NOCTTY);
  } catch {
    return 2 as Fd;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
