/**
 * A shell for whoever sits at the console, with job control: on the real terminal, which becomes
 * the controlling one of a session of its own. Why there is one is told by the caller.
 */
import type { Pid } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';

type Asked = Pick<Kernel, 'kill' | 'reap' | 'spawn'>;

export type ShellOptions = {
  /** A terminal that can be a controlling one, so not /dev/console. */
  readonly tty: string;
  /** What the prompt begins with. */
  readonly prompt: string;
  /** Told before the first prompt, line by line. */
  readonly greeting: readonly string[];
};

/**
 * Runs the shell and waits for its end, however long that takes.
 * @throws {SysError} of `spawn`: there is no shell, or no such terminal.
 */
export async function shellOn(kernel: Asked, options: ShellOptions): Promise<void> {
  const { tty, prompt, greeting } = options;
  await programOn(kernel, tty, ['/bin/sh', '-c', GREET, prompt, ...greeting]);
}

/**
 * Runs a program as the leader of a session on `tty` and waits for its end.
 * @throws {SysError} of `spawn`.
 */
export async function programOn(
  kernel: Asked,
  tty: string,
  argv: readonly string[],
): Promise<void> {
  const pid = kernel.spawn({
    path: argv[0] ?? '',
    argv,
    env: [...ENVIRONMENT, `TERM=${/^.dev.tty[0-9]/.test(tty) ? 'linux' : 'vt102'}`],
    cwd: '/',
    // Without O_NOCTTY: the first terminal that the leader of a session opens is its own.
    files: [0, 1, 2].map((fd) => ({ fd, open: tty, flags: O.RDWR, mode: 0 })),
    session: true,
    nofile: null,
  });
  const hangUp = (): void => void kernel.kill(pid, HUP);
  const isPid1 = process.pid === 1;
  // Whoever stops a program that pauses wants its shell gone too; signals of PID 1 are its own.
  if (!isPid1) process.once('SIGTERM', hangUp);
  try {
    await ended(kernel, pid);
  } finally {
    if (!isPid1) process.removeListener('SIGTERM', hangUp);
  }
}

/** Interactive but no login shell: /etc/profile would set a prompt that does not say where. */
const GREET = 'for line; do echo "$line"; done; PS1="($0) \\w# " exec sh -i';
const ENVIRONMENT: readonly string[] = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'];
const LOOK_MS = 100;
const HUP = 1;

/**
 * By looking again and again: SIGCHLD belongs to the supervisor, where there is one, and to the
 * runtime elsewhere. A supervisor may reap the shell before we do.
 */
async function ended(kernel: Asked, pid: Pid): Promise<void> {
  while (!kernel.reap(pid) && kernel.kill(pid, 0)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
