/**
 * Runs the system-call contract on both runtimes: each `sys-*.tap.ts` is a program that prints TAP.
 * The one about mounts and the machine gets namespaces of its own, and is left out where the system
 * grants none.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { RUNTIMES } from './runtimes.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const programs = readdirSync(here).filter((name) => /^sys-.*\.tap\.ts$/.test(name));
const apart = ['-s', 'KILL', '60', 'unshare', '--kill-child=KILL', ...namespaces()];
const canBeApart = spawnSync('timeout', [...apart, 'true']).status === 0;

for (const program of programs) {
  for (const { name, path, args } of RUNTIMES) {
    const command = [path, ...args, here + program];
    const title = `${program} on ${name}`;
    if (program !== 'sys-machine.tap.ts') {
      await t.spawn(path, command.slice(1), { cwd: here }, title);
    } else {
      const env = { ...process.env, TMPDIR: t.testdir({}) };
      const skip = canBeApart ? false : 'the system grants no namespaces';
      const options = { cwd: here, env, skip };
      await t.spawn('timeout', [...apart, ...command], options, title);
    }
  }
}

function namespaces(): string[] {
  const own = ['--fork', '--pid', '--mount-proc', '--mount', '--net', '--uts', '--ipc'];
  return process.getuid?.() === 0 ? own : ['--map-root-user', ...own];
}
