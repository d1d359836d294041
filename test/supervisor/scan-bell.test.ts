/** Scan and bell on both runtimes, and a bell that gets no watches. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { RUNTIMES } from '../contract/runtimes.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const own = ['--user', '--map-root-user'];
const skip = spawnSync('unshare', [...own, 'true']).status === 0 ? false : 'no user namespaces';

for (const { name, path, args } of RUNTIMES) {
  const program = [...args, `${here}scan-bell.tap.ts`];
  await t.spawn(path, program, {}, `scan-bell.tap.ts on ${name}`);

  t.test(`openBell() at the end of the inotify limit, on ${name}`, { skip }, async (t) => {
    // The limit belongs to the user namespace, so that nobody else is kept from watching.
    const limit = 'echo 1 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"';
    const command = [path, ...args, '-e', script(`${here}../../src/supervisor/bell.ts`)];
    const { stdout, stderr } = spawnSync('unshare', [...own, 'sh', '-c', limit, ...command], {
      cwd: here,
      encoding: 'utf8',
      timeout: 60_000,
    });
    t.equal(
      stdout,
      'Cannot watch ., ../fixtures: watch failed with ENOSPC\nopen\nclosed\n',
      stderr,
    );
  });
}

function script(bell: string): string {
  return `
    const { openBell } = await import(${JSON.stringify(bell)});
    const bell = await openBell(['.', '../fixtures'], () => {}, (reason) => console.log(reason));
    console.log('open');
    await bell.close();
    console.log('closed');`;
}
