/**
 * Becomes itself once, with a state in memory, and prints what it was before and after. Started by
 * `sys-process.tap.ts`; FD is the descriptor of the state, absent in the first life.
 */
import type { Fd } from '../../src/core/units.ts';
import { openSystem } from '../../src/sys/open.ts';

const kernel = openSystem();
const [script, ...rest] = process.argv.slice(1);
const fd = rest[0];

if (fd === undefined) {
  const life = { pid: kernel.getpid(), at: kernel.monotonic() };
  const state = kernel.memfd('state', new TextEncoder().encode(JSON.stringify(life)));
  // Node marks even 0, 1 and 2 close-on-exec when it starts.
  for (const kept of [0, 1, 2, state] as Fd[]) kernel.setCloexec(kept, false);
  const argv = [process.execPath, ...process.execArgv, script ?? '', String(state)];
  kernel.execve(process.execPath, argv, ['SECOND=life']);
}

const before = JSON.parse(new TextDecoder().decode(kernel.memfdRead(Number(fd) as Fd, 4096)));
const after = { pid: kernel.getpid(), at: kernel.monotonic(), env: process.env['SECOND'] };
console.log(JSON.stringify({ before, after }));
