/**
 * What a runtime can do at best: start COUNT programs with svinit's own posix_spawn in a loop, and
 * wait. No definitions, no logs, nothing decided; what svinit takes beyond this is svinit's.
 *
 * `limit COUNT PROGRAM` as PID 1; `limit` alone ends at once, which is what a command costs.
 */
import type { Fd } from '../../src/core/units.ts';
import { openSystem } from '../../src/sys/open.ts';

const [count = '', program = ''] = process.argv.slice(2);

if (count !== '') {
  const kernel = openSystem();
  const files = [0, 1, 2].map((fd) => ({ fd, dup: fd as Fd }));
  const order = { path: program, argv: [program], env: [], cwd: null, files };
  for (let left = Number(count); left > 0; left -= 1) {
    kernel.spawn({ ...order, session: true, nofile: null });
  }
  setInterval(() => {}, 2 ** 31 - 1);
}
