/**
 * Daemons of Debian that are written for systemd: one that takes sockets, one that says when it is
 * ready. They run here as they are, from the packages, unpacked and not installed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { RUNTIMES, type Runtime } from '../../scripts/compile.ts';
import { longrun } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { type Instance, start, until } from './instance.ts';
import type { Knocked } from './knocker.ts';

const DAEMONS = resolve('build/daemons/root');
const SKIP = !existsSync(DAEMONS) && 'no build/daemons: make daemons';

const RESTARTS = 20;
const PORT = 8080;
const HOME = '/opt/daemons';
const LIBRARIES = `${HOME}/usr/lib/x86_64-linux-gnu:${HOME}/lib/x86_64-linux-gnu`.replaceAll(
  'x86_64',
  process.arch === 'arm64' ? 'aarch64' : 'x86_64',
);

const json = (value: object) => ({
  'service.json': JSON.stringify({ env: { LD_LIBRARY_PATH: LIBRARIES }, ...value }),
});
const redis = (...args: readonly string[]) => [
  ...[`${HOME}/usr/bin/redis-server`, '--save', '', '--port', '0', '--dir', '/tmp', ...args],
];

const services = {
  base: longrun('base'),
  web: json({
    command: [`${HOME}/usr/sbin/lighttpd`, '-D', '-f', '/opt/lighttpd.conf'],
    sockets: [{ listen: `127.0.0.1:${PORT}`, name: 'http' }],
    stop: { signal: 'INT' },
    initially: 'down',
  }),
  redis: json({
    command: [
      '/bin/sh',
      '-c',
      `until test -e /opt/go; do sleep 0.05; done; exec "$@"`,
      'sh',
    ].concat(redis('--unixsocket', '/run/redis.sock', '--supervised', 'systemd')),
    ready: 'notify',
    initially: 'down',
  }),
  silent: json({
    command: redis('--unixsocket', '/run/silent.sock', '--supervised', 'no'),
    ready: 'notify',
    start: { timeout: '2s' },
    restart: { when: 'never' },
    initially: 'down',
  }),
};

const CONF = [
  'server.document-root = "/opt/www"',
  `server.port = ${PORT}`,
  'server.bind = "127.0.0.1"',
  'server.systemd-socket-activation = "enable"',
  'index-file.names = ( "index.html" )',
].join('\n');

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: no connection is refused while it restarts`, { skip: SKIP }, async (t) => {
    const svinit = await withDaemons(t, runtime);
    t.match(await svinit.svctl('start', 'web'), { code: 0, stderr: '' });
    await svinit.svctl('stop', 'web');
    const before = await health(svinit);
    t.match(await svinit.svctl('start', 'web'), { code: 0, stderr: '' });
    const { knocker, over } = await knocking(svinit);
    for (let i = 0; i < RESTARTS; i += 1) {
      t.match(await svinit.svctl('restart', 'web'), { code: 0, stderr: '' }, `restart ${i + 1}`);
      if (i === RESTARTS / 2) t.match(await svinit.call('reexec'), { result: { image: 2 } });
    }
    knocker.stdin.end();
    const { answered, slowest, failures } = await over;
    t.comment(`${answered} answers, the slowest after ${slowest} ms`);
    t.same(failures, {});
    t.ok(answered > RESTARTS, 'somebody was answered in between');
    t.equal((await svinit.service('web')).restarts, RESTARTS + 1);
    t.match(await svinit.svctl('stop', 'web'), { code: 0 });
    await expectHealth(t, svinit, { ...before, image: 2 });
  });

  t.test(`${runtime}: a daemon is up when it says so`, { skip: SKIP }, async (t) => {
    const svinit = await withDaemons(t, runtime);
    await svinit.svctl('start', '--no-wait', 'redis');
    await until('it has begun', async () => (await svinit.service('redis')).pid !== null || null);
    t.match(await svinit.service('redis'), { state: 'starting' });
    writeFileSync(svinit.path('/opt/go'), '');
    t.match(await svinit.svctl('wait', 'redis'), { code: 0 });
    t.match(await ping(svinit), { code: 0, stdout: 'PONG' }, 'it answers as soon as it is up');
    t.match(await svinit.service('redis'), { state: 'up', note: 'Ready to accept connections' });
    t.match(await svinit.svctl('stop', 'redis'), { code: 0 });
    t.match(await svinit.svctl('start', 'silent'), { code: 1, stderr: /not ready in time/ });
  });
}

async function withDaemons(t: Test, runtime: Runtime): Promise<Instance> {
  const svinit = await start(t, { runtime, services, until: /@ start base/ });
  mkdirSync(svinit.path('/opt/www'), { recursive: true });
  cpSync(DAEMONS, svinit.path(HOME), { recursive: true, verbatimSymlinks: true });
  writeFileSync(svinit.path('/opt/lighttpd.conf'), CONF);
  writeFileSync(svinit.path('/opt/www/index.html'), 'welcome\n');
  return svinit;
}

const ping = (svinit: Instance) =>
  svinit.run([`${HOME}/usr/bin/redis-cli`, '-s', '/run/redis.sock', 'ping'], {
    LD_LIBRARY_PATH: LIBRARIES,
  });

/** Starts the knocker in the network of the instance; resolves when it has been answered once. */
async function knocking(svinit: Instance) {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
  const inside = ['-t', String(svinit.pid), '--net', '--', ...node];
  const knocker = spawn(
    'nsenter',
    [...inside, resolve('test/supervisor/knocker.ts'), String(PORT)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface(knocker.stdout);
  const over = new Promise<Knocked>((resolve) => {
    lines.on('line', (line) => line !== 'answered' && resolve(JSON.parse(line) as Knocked));
  });
  await once(lines, 'line');
  return { knocker, over };
}
