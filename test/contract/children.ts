/**
 * Starting programs in a contract test, and waiting for them without guessing how long they take.
 */

import type { Fd, Pid } from '../../src/core/units.ts';
import { O } from '../../src/sys/constants.ts';
import type { Kernel } from '../../src/sys/kernel.ts';
import type { FileAction, Program } from '../../src/sys/spawn.ts';

/** A program with nothing special about it; `part` says what is. */
export function program(argv: readonly string[], part: Partial<Program> = {}): Program {
  const path = argv[0] ?? '';
  return { path, argv, env: [], cwd: null, files: quiet(), session: true, nofile: null, ...part };
}

/** /dev/null at 0, 1 and 2. */
export function quiet(): FileAction[] {
  return [0, 1, 2].map((fd) => ({ fd, open: '/dev/null', flags: O.RDWR, mode: 0 }));
}

export interface Children {
  /** The wait status of `pid`, once it has ended. */
  ended(pid: Pid): Promise<number>;
  /** What the program prints to descriptor 1, and its wait status. */
  output(program: Program): Promise<{ text: string; status: number; pid: Pid }>;
}

/** Reaps every child of this process, woken by SIGCHLD and, as that may be lost, by a timer. */
export function children(kernel: Kernel): Children {
  const statuses = new Map<Pid, number>();
  let changed = (): void => {};
  const reap = (): void => {
    for (let got = kernel.waitAny(); got !== null; got = kernel.waitAny()) {
      statuses.set(got.pid, got.status);
    }
    changed();
  };
  process.on('SIGCHLD', reap);
  setInterval(reap, 1000);

  async function ended(pid: Pid): Promise<number> {
    for (;;) {
      reap();
      const status = statuses.get(pid);
      if (status !== undefined) return status;
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  }

  async function output(wanted: Program): Promise<{ text: string; status: number; pid: Pid }> {
    const [reader, writer] = kernel.pipe(0);
    const files = [...wanted.files.filter(({ fd }) => fd !== 1), { fd: 1, dup: writer }];
    const pid = kernel.spawn({ ...wanted, files });
    kernel.close(writer);
    const text = readAll(kernel, reader);
    kernel.close(reader);
    return { text, status: await ended(pid), pid };
  }

  return { ended, output };
}

/** Everything until the end of a blocking descriptor. */
export function readAll(kernel: Kernel, fd: Fd): string {
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(65536);
    const length = kernel.read(fd, buffer);
    if (length === 0) return Buffer.concat(parts).toString();
    parts.push(buffer.subarray(0, length ?? 0));
  }
}

/** Resolves when this process gets `signal`; a test that waits for ever is ended by its runner. */
export function signalled(signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 1000);
    process.once(signal, () => {
      clearInterval(alive);
      resolve();
    });
  });
}
