/**
 * Starts a program where close_range(2) is not to be had: as before Linux 5.9, or under a filter
 * that forbids what it does not know. Prints what the program found; leaves this process filtered.
 */
import type { Fd } from '../../src/core/units.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { check } from '../../src/sys/libc.ts';
import { memory, putU64, viewOf } from '../../src/sys/memory.ts';
import { openLibc } from '../../src/sys/open.ts';
import { program, quiet } from './children.ts';

/** linux/prctl.h, linux/seccomp.h, linux/filter.h. */
const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_MODE_FILTER = 2;
const [LD_NUMBER, JEQ, RETURN] = [0x20, 0x15, 0x06];
const ERRNO = 0x00050000;
const ALLOW = 0x7fff0000;
const CLOSE_RANGE = 436;

const libc = openLibc();
const kernel = openKernel(libc);
const errno = Number(process.argv[2]);

const filter: readonly (readonly [code: number, yes: number, no: number, value: number])[] = [
  [LD_NUMBER, 0, 0, 0],
  [JEQ, 0, 1, CLOSE_RANGE],
  [RETURN, 0, 0, ERRNO + errno],
  [RETURN, 0, 0, ALLOW],
];
const code = memory(8 * filter.length);
for (const [i, [op, yes, no, value]] of filter.entries()) {
  viewOf(code).setUint16(8 * i, op, true);
  viewOf(code).setUint8(8 * i + 2, yes);
  viewOf(code).setUint8(8 * i + 3, no);
  viewOf(code).setUint32(8 * i + 4, value, true);
}
const head = memory(16);
viewOf(head).setUint16(0, filter.length, true);
putU64(viewOf(head), 8, libc.address(code));
check(libc, 'give up privileges', 'prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
check(libc, 'filter', 'prctl', PR_SET_SECCOMP, SECCOMP_MODE_FILTER, libc.address(head), 0, 0);

for (const min of [5, 30, 70]) kernel.setCloexec(kernel.dup(0 as Fd, min), false);
const given = [
  { fd: 9, dup: 2 as Fd },
  { fd: 1, dup: 1 as Fd },
];
const files = [...quiet().filter(({ fd }) => fd !== 1), ...given];
const script = 'for fd in 1 5 9 30 70; do [ -e /proc/self/fd/$fd ] && echo $fd; done';
for (let i = 0; i < 2; i += 1) {
  const pid = kernel.spawn(program(['/bin/sh', '-c', script], { files }));
  while (kernel.waitAny()?.pid !== pid);
}
