/**
 * svnotify says to svinit, for the service it is run by, what a program would say with
 * sd_notify(3): for run scripts, and for programs that cannot. It ends when svinit has heard it.
 */
import { parseArgs } from 'node:util';
import { type Fd, fd as toFd } from './core/units.ts';
import { O } from './sys/constants.ts';
import type { Kernel } from './sys/kernel.ts';
import { openSystem } from './sys/open.ts';

const USAGE = `Usage: svnotify [--ready] [--reloading] [--stopping] [--status=TEXT]
                [--pid=PID] [--fd=N]... [--fdname=NAME] [--no-block] [NAME=VALUE...]

Tells svinit of the service it is run by, at the socket that NOTIFY_SOCKET names.
  --ready, --reloading, --stopping  what systemd calls READY=1, RELOADING=1, STOPPING=1
  --status=TEXT  one line for people: STATUS=TEXT
  --pid=PID      the process that the service is now: MAINPID=PID
  --fd=N         sends descriptor N along; with FDSTORE=1 it is there at the next start
  --fdname=NAME  what it is called there: FDNAME=NAME
  --no-block     end without waiting until svinit has heard it

It exits with 0 when it was heard, 1 when it could not be said, 2 on wrong usage.`;

/** What nobody takes notice of for so long is not heard any more, in milliseconds. */
const HEARD_WITHIN_MS = 5000;

/** @param argv Arguments after the program's name. @returns The exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const said = parse(argv);
  if (typeof said === 'string') return complain(said, 2);
  const path = process.env['NOTIFY_SOCKET'] ?? '';
  if (!path.startsWith('/')) {
    return complain('Cannot notify: NOTIFY_SOCKET names no socket; does its service say so?', 1);
  }
  const kernel = openSystem();
  try {
    return await say(kernel, path, said);
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error), 1);
  }
}

type Said = { readonly text: string; readonly fds: readonly Fd[]; readonly waits: boolean };
/** SCM_MAX_FD of net/scm.h. */
const FDS_MAX = 253;

function parse(argv: readonly string[]): Said | string {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        ...{ ready: flag, reloading: flag, stopping: flag, 'no-block': flag, help: flag },
        ...{ status: text, pid: text, fdname: text, fd: { type: 'string', multiple: true } },
      },
      allowPositionals: true,
    });
    const fds = values.fd ?? [];
    const noFd = fds.find((word) => !/^[0-9]{1,7}$/.test(word));
    if (noFd !== undefined) return `'${noFd}' is no descriptor\n\n${USAGE}`;
    if (fds.length > FDS_MAX) return `${fds.length} descriptors, the most is ${FDS_MAX}`;
    const odd = positionals.find((word) => !/^[A-Z_][A-Z0-9_]*=[^\n]*$/.test(word));
    if (odd !== undefined) return `'${odd}' is no assignment\n\n${USAGE}`;
    const lines = [
      ...(values.ready ? ['READY=1'] : []),
      ...(values.reloading ? ['RELOADING=1'] : []),
      ...(values.stopping ? ['STOPPING=1'] : []),
      ...(values.status === undefined ? [] : [`STATUS=${values.status.replaceAll('\n', ' ')}`]),
      ...(values.pid === undefined ? [] : [`MAINPID=${values.pid}`]),
      ...(values.fdname === undefined ? [] : [`FDNAME=${values.fdname}`]),
      ...positionals,
    ];
    if (values.help || lines.length === 0) return USAGE;
    const numbers = fds.map((word) => toFd(Number(word)));
    return { text: lines.join('\n'), fds: numbers, waits: !values['no-block'] };
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\n\n${USAGE}`;
  }
}

async function say(kernel: Kernel, path: string, { text, fds, waits }: Said): Promise<number> {
  const socket = kernel.connectUnix(path, 'dgram');
  kernel.sendMessage(socket, new TextEncoder().encode(text), fds);
  if (!waits) return 0;
  // Who receives closes what comes along, and messages come in order (sd_notify_barrier(3)).
  const [end, passed] = kernel.pipe(O.NONBLOCK);
  kernel.sendMessage(socket, new TextEncoder().encode('BARRIER=1'), [passed]);
  kernel.close(passed);
  return (await isClosed(kernel, end)) ? 0 : complain('svinit did not take notice in time', 1);
}

/** Whether the other end of a pipe is closed in time. */
async function isClosed(kernel: Kernel, end: Fd): Promise<boolean> {
  const until = kernel.monotonic() + HEARD_WITHIN_MS;
  const buffer = new Uint8Array(new ArrayBuffer(1));
  while (kernel.monotonic() < until) {
    if (kernel.read(end, buffer) === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return false;
}

function complain(text: string, code: number): number {
  process.stderr.write(`svnotify: ${text}\n`);
  return code;
}
