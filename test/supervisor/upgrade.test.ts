/** Another binary takes over only when it has shown, as a child, that it can. */
import { chmodSync, cpSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { type Instance, start, until } from './instance.ts';

/** Programs that must not become PID 1, and what is said of them. */
const BAD: readonly (readonly [path: string, said: RegExp])[] = [
  ['/tmp/missing', /Cannot re-exec \/tmp\/missing: .* failed with ENOENT/],
  ['/tmp', /Cannot re-exec \/tmp: it is not a regular file/],
  ['/tmp/text', /Cannot re-exec \/tmp\/text: .* failed with (ENOEXEC|EACCES)/],
  ['/bin/true', /Cannot re-exec \/bin\/true: its self-test failed: exit 127: svinit: applet not/],
  ['/tmp/quiet', /Cannot re-exec \/tmp\/quiet: its self-test failed: it is not svinit/],
  ['/tmp/fails', /\/tmp\/fails: its self-test failed: exit 3: I cannot --booted --self-test/],
  ['/tmp/dies', /\/tmp\/dies: its self-test failed: killed by KILL/],
];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F31 C11 a binary that fails its self-test is not exec'd`, async (t) => {
    const svinit = await start(t, { runtime, services: { base: longrun('base') } });
    const before = await health(svinit);
    put(svinit, 'text', 'no program\n', 0o755);
    put(svinit, 'fails', '#!/bin/sh\necho I cannot "$@"\nexit 3\n', 0o755);
    put(svinit, 'quiet', '#!/bin/sh\n', 0o755);
    put(svinit, 'dies', '#!/bin/sh\nkill -KILL $$\n', 0o755);
    for (const [path, said] of BAD) {
      const { code, stderr } = await svinit.svctl('reexec', '--binary', path);
      t.match({ code, stderr }, { code: 1, stderr: said }, path);
      // svlog stores a line a moment after it was printed.
      await until(`the log tells it of ${path}`, async () => {
        return said.test(svinit.log('svinit').join('\n')) || null;
      });
    }
    await expectHealth(t, svinit, before, 'the same image goes on');
    t.match(await svinit.svctl('restart', 'base'), { code: 0 });
  });

  t.test(`${runtime}: F30 an upgrade in place`, async (t) => {
    const svinit = await start(t, { runtime, services: { base: longrun('base') } });
    const before = await health(svinit);
    const own = readlinkSync(`/proc/${svinit.pid}/exe`);
    cpSync(svinit.path(own), svinit.path('/tmp/new'));
    t.match(await svinit.svctl('reexec', '--binary', '/tmp/new'), {
      code: 0,
      stdout: 'svinit goes on as image 2',
    });
    t.equal(readlinkSync(`/proc/${svinit.pid}/exe`), '/tmp/new');
    t.match(svinit.log('svinit').join('\n'), /has passed its self-test/);

    cpSync(svinit.path(own), svinit.path('/tmp/newer'));
    renameSync(svinit.path('/tmp/newer'), svinit.path('/tmp/new'));
    t.match(await svinit.svctl('reexec'), { code: 0, stdout: 'svinit goes on as image 3' });
    t.equal(readlinkSync(`/proc/${svinit.pid}/exe`), '/tmp/new', 'the file that took its place');
    const passed = svinit.log('svinit').filter((line) => line.includes('passed its self-test'));
    t.equal(passed.length, 2, 'which had to pass the self-test');

    rmSync(svinit.path('/tmp/new'));
    t.match(await svinit.svctl('reexec'), { code: 0, stdout: 'svinit goes on as image 4' });
    t.equal(readlinkSync(`/proc/${svinit.pid}/exe`), '/tmp/new (deleted)', 'F30 without a name');
    await svinit.run(['sh', '-c', 'kill -KILL $(pidof svlog)']);
    t.match(await svinit.svctl('wait', 'svlog', '--timeout', '30s'), { code: 0 }, 'svlog too');
    t.match(await svinit.svctl('restart', 'base'), { code: 0 });
    await expectHealth(t, svinit, { ...before, image: 4 }, 'nothing is left behind');
  });
}

function put(svinit: Instance, name: string, text: string, mode: number): void {
  const path = svinit.path(`/tmp/${name}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
}
