/** Scan and bell on both runtimes, and a bell that gets no watches. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { RUNTIMES } from '../contract/runtimes.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const own = ['--user', '--map-root-user'];
const skip = spawnSync('unshare', [...own, 'true']).status === 0 ? false : 'no user namespaces';

for (const { name, path, args } of RUNTIMES) {
  const program = [...args, `${here}scan-bell.tap.ts`];
  await t.spawn(path, program, {}, `scan-bell.tap.ts on ${name}`);

  t.test(`Bell at the end of the inotify limit, on ${name}`, { skip }, async (t) => {
    // The limit belongs to the user namespace, so that nobody else is kept from watching.
    const limit = 'echo 1 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"';
    const command = [path, ...args, '-e', script(`${here}../../src/`)];
    const { stdout, stderr } = spawnSync('unshare', [...own, 'sh', '-c', limit, ...command], {
      cwd: here,
      encoding: 'utf8',
      timeout: 60_000,
    });
    t.equal(
      stdout,
      `Cannot watch ${resolve(here, '../fixtures')}: inotify_add_watch failed with ENOSPC\nopen\nclosed\n`,
      stderr,
    );
  });
}

function script(source: string): string {
  const from = (file: string): string => JSON.stringify(`${source}${file}`);
  return `
    const { Bell } = await import(${from('supervisor/bell.ts')});
    const { Watch } = await import(${from('supervisor/watch.ts')});
    const { openSystem } = await import(${from('sys/open.ts')});
    const kernel = openSystem();
    const watch = new Watch(kernel, console.log);
    const failed = (reason) => console.log(reason);
    const bell = new Bell({ kernel, watch, roots: ['.', '../fixtures'], ring: () => {}, failed });
    bell.open();
    console.log('open');
    bell.close();
    console.log('closed');`;
}
