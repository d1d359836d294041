/**
 * A boot that fails before anything is supervised: it says why, keeps a report without secrets, and
 * asks what is to be done.
 */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { boot } from './harness.ts';

/** A place that nobody can make fails stage 1. */
const APPEND = 'loglevel=1 password=hunter2 root=http://me:hunter3@host/r -- --run /proc/none';

for (const runtime of RUNTIMES) {
  t.test(`the rescue console on ${runtime}`, async (t) => {
    const vm = await boot({ runtime, append: APPEND });
    t.teardown(() => vm.kill());
    await vm.console.expect('the boot has failed');
    await vm.console.expect('r, s, b, p? ');
    vm.send('s');
    const { output } = await vm.run('cat /run/initramfs/rdsosreport.txt');
    t.match(output, 'password=[redacted]');
    t.match(output, /claim \/proc\/none/);
    t.notMatch(output, /hunter/);
    vm.send('exit');
    await vm.console.expect('r, s, b, p? ');
    vm.send('r');
    await vm.console.expect(/failed: claim/);
    await vm.console.expect('r, s, b, p? ');
    vm.send('p');
    const { code } = await vm.ended;
    t.equal(code, 0);
  });
}
