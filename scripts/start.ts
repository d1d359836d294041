/**
 * `node scripts/start.ts [PROGRAM ARGS...]`: runs the image's root under svinit as PID 1 of fresh
 * namespaces, with no need for root or QEMU (`make start`, `npm start`).
 *
 * RUNTIME (bun or node) chooses the image. The console is this terminal, through a pseudo-terminal
 * of its own, so that Ctrl-C and job control work inside. `poweroff` leaves; Ctrl-] kills
 * everything.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { type NamespaceOptions, namespaceCommand, userNamespaceRefusal } from './namespace.ts';
import { openPty, releaseSlave } from './pty.ts';

const { signals } = constants;

/** Ctrl-], as in telnet. */
const KILL_KEY = 0x1d;

async function main(program: readonly string[]): Promise<number> {
  const [unshare = '', ...probe] = ['unshare', '--user', '--map-root-user', 'true'];
  if (spawnSync(unshare, probe).status !== 0) {
    console.error(
      userNamespaceRefusal() ?? 'This kernel, or the container this is, refuses user namespaces.',
    );
    return 111;
  }
  const options: NamespaceOptions = {
    root: `build/${process.env['RUNTIME'] || 'bun'}/root`,
    userNamespace: true,
    env: {
      PATH: '/usr/sbin:/usr/bin',
      HOME: '/root',
      TERM: process.env['TERM'] ?? 'linux',
      container: 'namespace',
    },
    ...(program.length > 0 ? { args: program } : {}),
  };
  if (process.stdin.isTTY !== true) return exitCode(run(options, 'inherit'));
  console.log('Leave with `poweroff`; Ctrl-] kills everything.');
  return onTerminal(options);
}

function run(options: NamespaceOptions, stdio: 'inherit' | number): ChildProcess {
  const [command = '', ...args] = namespaceCommand(options);
  const all: ('inherit' | number)[] = [stdio, stdio, stdio];
  // A session of its own: a shell inside can only take a terminal that no session here has.
  return spawn(command, args, { stdio: all, detached: stdio !== 'inherit' });
}

async function onTerminal(options: NamespaceOptions): Promise<number> {
  const { stdin, stdout } = process;
  const pty = openPty();
  const fit = (): void => pty.resize(stdout.columns || 80, stdout.rows || 24);
  fit();
  stdout.on('resize', fit);
  const child = run({ ...options, tty: pty.path }, pty.slaveFd);
  releaseSlave(pty);
  pty.master.pipe(stdout, { end: false });
  // When the last one inside has closed the terminal, reading from it fails: that is its end of
  // file.
  pty.master.on('error', () => {});
  stdin.setRawMode(true);
  stdin.on('data', (keys: Buffer) => {
    if (keys.includes(KILL_KEY)) child.kill('SIGKILL');
    else pty.master.write(keys);
  });
  try {
    return await exitCode(child);
  } finally {
    stdin.setRawMode(false);
    stdin.unref();
    pty.master.destroy();
  }
}

/**
 * How PID 1 ended: its exit code, or 128 and the signal, as a shell would say; but 0 for SIGINT and
 * SIGHUP, which is how a power-off and a reboot of a PID namespace look from outside
 * (pid_namespaces(7)).
 */
function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code !== null || signal === null) resolve(code ?? 1);
      else resolve(signal === 'SIGINT' || signal === 'SIGHUP' ? 0 : 128 + signals[signal]);
    });
  });
}

process.exitCode = await main(process.argv.slice(2));
