/**
 * The image as built: the same bytes wherever it is built, and everything in it that a boot needs.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { tool } from '../../scripts/tool.ts';

mkdirSync('build/test', { recursive: true });
const directory = mkdtempSync('build/test/image-');
t.teardown(() => rmSync(directory, { recursive: true }));

for (const runtime of RUNTIMES) {
  t.test(`image with ${runtime}`, async (t) => {
    const builds = [join(directory, runtime), join(directory, `${runtime}-again/deeper`)];
    for (const out of builds) {
      const args = ['scripts/image.ts', `--runtime=${runtime}`, `--out=${out}`];
      await tool(process.execPath, args, { env: { SOURCE_DATE_EPOCH: '1700000000' } });
    }
    for (const name of ['svinit', 'root.tar', 'initramfs.cpio.zst']) {
      const [first, second] = builds.map((out) => digest(join(out, name)));
      t.equal(first, second, `${name} is the same, built twice`);
    }
    const binary = readFileSync(join(directory, runtime, 'svinit'));
    t.notOk(binary.includes(process.cwd()), 'nothing tells where it was built');
    const root = join(directory, runtime, 'root');
    t.match(readFileSync(join(root, 'proc/self/maps'), 'utf8'), /^0+-f{12} rw-p .*\[stack\]\n$/);
    for (const path of ['init', 'usr/sbin/init', 'usr/bin/svctl', 'usr/sbin/poweroff']) {
      t.match(readlinkSync(join(root, path)), /svinit$/, `${path} is svinit`);
    }
    for (const path of ['usr/sbin/init', 'usr/sbin/reboot', 'usr/sbin/halt', 'usr/bin/linuxrc']) {
      const link = existsSync(join(root, path)) ? readlinkSync(join(root, path)) : '';
      t.notMatch(link, /busybox/, `${path} is not busybox'`);
    }
    const shell = join(root, 'usr/bin/sh');
    const types = await tool(shell, ['-c', 'type reboot'], {
      env: { PATH: join(root, 'usr/sbin') },
    });
    t.match(types, /usr\/sbin\/reboot/, 'the shell finds our reboot, not an applet');
    t.ok(lstatSync(join(root, 'usr/bin/setpriv')).isFile(), 'setpriv is the one of util-linux');
    for (const program of ['bin/chrt', 'bin/taskset', 'sbin/chroot']) {
      t.ok(lstatSync(join(root, 'usr', program)).isFile(), `${program} is no applet`);
    }
    t.notOk(existsSync(join(root, 'manifest.txt')), 'the manifest stays behind');
  });
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
