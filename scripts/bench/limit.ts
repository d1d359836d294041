/**
 * What a runtime can do at best: the least program that does what a row of the benchmark asks, made
 * of svinit's own system calls and nothing else. No definitions, no ledger, no checks, nothing
 * decided; what svinit takes beyond this is svinit's.
 *
 *   limit COUNT PROGRAM HOW LOGGER...  as PID 1: see limit-init.ts
 *   limit wait                         a second process of the runtime, as a logger is
 *   limit ask WORD                     connects to PID 1, asks, prints the answer
 *   limit                              ends at once
 */
import type { Fd } from '../../src/core/units.ts';
import { openSystem } from '../../src/sys/open.ts';
import { EPOLLIN, GIVE_BACK_AFTER_MS, SOCKET, startAll } from './limit-init.ts';

const STDOUT = 1 as Fd;

const [first = '', ...rest] = process.argv.slice(2);

if (first === 'ask') ask(rest[0] ?? '');
else if (first === 'wait') wait();
else if (first !== '') startAll(Number(first), rest[0] ?? '', rest[1] ?? '', rest.slice(2));

/** By system calls alone: on Bun loading node:net takes three times the instructions of the rest. */
function ask(word: string): void {
  const kernel = openSystem();
  const fd = kernel.connectUnix(SOCKET, 'stream');
  kernel.write(fd, new TextEncoder().encode(`${word}\n`));
  const epoll = kernel.epollCreate();
  kernel.epollAdd(epoll, fd, EPOLLIN);
  kernel.epollWait(epoll, -1, 1);
  const answer = new Uint8Array(4096);
  const length = kernel.read(fd, answer) ?? 0;
  kernel.write(STDOUT, answer.subarray(0, length));
}

/** As svlog does: the thread is in the kernel until there are bytes. */
function wait(): void {
  const kernel = openSystem();
  const epoll = kernel.epollCreate();
  kernel.epollWait(epoll, GIVE_BACK_AFTER_MS, 1);
  kernel.giveBack();
  for (;;) kernel.epollWait(epoll, -1, 1);
}
