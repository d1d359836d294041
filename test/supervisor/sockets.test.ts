/** Sockets that are opened before a service runs, and what it leaves for its next run. */
import { existsSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun, script } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { type Instance, start, until } from './instance.ts';

/** Says what it was handed, and of what kind, from its own view. */
const SHOW = [
  'kinds=$(for fd in 3 4 5 6 7 8; do',
  '  if [ -e /proc/$$/fd/$fd ]; then readlink /proc/$$/fd/$fd | cut -d: -f1; fi; done | xargs)',
  "own=$(tr '\\0' '\\n' < /proc/$$/environ | grep -c -E '^(PWD|OLDPWD|SHLVL)=')",
  'echo shown $LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID - $$)) $own $kinds',
].join('\n');
const listen = (listen: string, more: object = {}) => ({ listen, ...more });
const json = (value: object) => ({ 'service.json': JSON.stringify(value) });

const HAS_SIX = existsSync('/proc/net/if_inet6');

const services = {
  base: longrun('base'),
  shown: {
    run: script(`${SHOW}\nidle`),
    ...json({
      sockets: [
        listen('127.0.0.1:8001', { name: 'four' }),
        listen(HAS_SIX ? '[::1]:8001' : '127.0.0.2:8001', { name: 'six', freeBind: true }),
        listen('8002', { name: 'both' }),
        listen('@shown', { type: 'seqpacket' }),
        listen('/run/shown', { mode: '0620', user: 'nobody', group: '7' }),
        listen('127.0.0.1:8001', { type: 'dgram', name: 'udp' }),
      ],
      user: 'nobody',
      initially: 'down',
    }),
  },
  taken: {
    run: script('say taken; idle'),
    ...json({ sockets: [listen('/run/gone/sock')], initially: 'down' }),
  },
  drop: {
    run: script('say drop $(dd bs=100 count=1 <&3 2>/dev/null)'),
    ...json({ sockets: [listen('/run/drop', { type: 'dgram' })], lazy: true }),
  },
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: sockets are opened, handed over, kept and closed`, async (t) => {
    const svinit = await start(t, { runtime, services, until: /@ start base/ });
    const send = (text: string) =>
      svinit.run(['svnotify', '--no-block', `SAY=${text}`], { NOTIFY_SOCKET: '/run/drop' });
    const before = await health(svinit);

    t.equal((await svinit.service('drop')).note, 'listening on /run/drop');
    t.match(await send('one'), { code: 0 });
    await svinit.console.expect(/@ drop SAY=one/);
    await until('it listens again', async () => (await isDown(svinit, 'drop')) || null);
    await svinit.call('reexec');
    t.match(await send('two'), { code: 0 });
    await svinit.console.expect(/@ drop SAY=two/);
    process.kill(svinit.pid, 'SIGSEGV');
    await svinit.console.expect(/goes on as image 3/);
    t.match(await send('three'), { code: 0 });
    await svinit.console.expect(/@ drop SAY=three/);
    await svinit.svctl('stop', 'drop');
    t.match(await send('four'), { code: 1 }, 'nobody listens any more');

    t.match(await svinit.svctl('start', 'shown'), { code: 0, stderr: '' });
    await svinit
      .logFile('shown')
      .expect(
        /shown 6 four:six:both:shown:shown:udp 0 0 socket socket socket socket socket socket *$/m,
      );
    t.match(await svinit.run(['stat', '-c', '%a %U %g', '/run/shown']), { stdout: '620 nobody 7' });
    await svinit.svctl('stop', 'shown');
    t.match(await svinit.run(['ls', '/run/shown']), { code: 1 }, 'its file goes with it');

    await svinit.svctl('start', '--no-wait', 'taken');
    await until('its trouble is known', async () => {
      const { note } = await svinit.service('taken');
      return note.startsWith('Cannot listen on /run/gone/sock: bind failed with ENOENT') || null;
    });
    await svinit.run(['mkdir', '/run/gone']);
    t.match(await svinit.svctl('wait', 'taken'), { code: 0 }, 'it is tried again');
    await svinit.svctl('stop', 'taken');
    await svinit.svctl('start', 'drop');
    const logs = ['drop', 'shown', 'taken'].map((name) => `/run/svinit/log/${name}`);
    const descriptors = [...before.descriptors, ...logs].sort();
    await expectHealth(t, svinit, { ...before, descriptors, image: 3 }, 'nothing is left of them');
  });
}

const keeper = {
  run: script(
    [
      'n=0; for fd in 3 4 5 6; do if [ -e /proc/$$/fd/$fd ]; then n=$((n + 1)); fi; done',
      'say kept $n $LISTEN_FDS $LISTEN_FDNAMES',
      // A file whose name is gone, a pipe whose other end goes with this process, the same file once more.
      'if [ -z "$LISTEN_FDS" ]; then',
      '  echo kept > /tmp/kept; exec 5<>/tmp/kept; rm /tmp/kept',
      '  svnotify --fd=5 --fdname=file FDSTORE=1; svnotify --fd=5 --fdname=file FDSTORE=1',
      '  mkfifo /tmp/pipe; exec 6<>/tmp/pipe 7</tmp/pipe; rm /tmp/pipe; svnotify --fd=7 FDSTORE=1 FDNAME=pipe',
      'else say read $(cat <&3); svnotify --fd=0 --fdname=null FDSTORE=1; fi',
      'svnotify --fd=0 --fdname=many FDSTORE=1; svnotify --ready; exec sleep 1000000',
    ].join('\n'),
  ),
  ...json({ ready: 'notify', fdStoreMax: 2, initially: 'down' }),
};
const refused = {
  run: script('say refused $LISTEN_FDS; svnotify --fd=0 FDSTORE=1; svnotify --ready; idle'),
  ...json({ ready: 'notify', initially: 'down' }),
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: what a service leaves is there at its next start`, async (t) => {
    const definitions = { base: longrun('base'), keeper, refused };
    const svinit = await start(t, { runtime, services: definitions, until: /@ start base/ });
    for (const name of ['keeper', 'refused']) {
      t.match(await svinit.svctl('start', name), { code: 0, stderr: '' });
      await svinit.svctl('stop', name);
    }
    await svinit.console.expect(/@ kept 0\n@ refused\n/);
    const before = await health(svinit);

    t.match(await svinit.svctl('start', 'keeper'), { code: 0, stderr: '' });
    await svinit.call('reexec');
    process.kill(svinit.pid, 'SIGSEGV');
    await svinit.console.expect(/goes on as image 3/);
    t.match(await svinit.svctl('restart', 'keeper'), { code: 0, stderr: '' });
    await svinit.console.expect(/@ kept 1 1 file\n@ read kept/);
    t.match(await svinit.svctl('restart', 'keeper'), { code: 0, stderr: '' });
    await svinit.console.expect(/@ kept 2 2 file:null/);
    t.match(await svinit.svctl('stop', 'keeper'), { code: 0 });
    await expectHealth(t, svinit, { ...before, image: 3 }, 'a stop drops what was left');
    const told = svinit.log('svinit').join('\n');
    t.match(told, /refused leaves a descriptor, which is closed: its definition has no fdStoreMax/);
    t.match(told, /keeper leaves a descriptor, which is closed: fdStoreMax is 2/);
  });
}

async function isDown(svinit: Instance, name: string): Promise<boolean> {
  const { state, note } = await svinit.service(name);
  return state === 'down' && note.startsWith('listening');
}
