/** Services that are asked from outside whether they are ready, and still alive. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Directory, longrun, needs, script } from './definitions.ts';
import { type Instance, start, until } from './instance.ts';

type Asks = { readonly ready?: object; readonly alive?: object };

const often = { interval: '50ms' };

/** A longrun that is started by hand. */
function service(text: string, asks: Asks & Readonly<Record<string, unknown>>): Directory {
  return { run: script(text), 'service.json': JSON.stringify({ ...asks, initially: 'down' }) };
}

/** Waits until a file is there that the test makes. */
const awaiting = (file: string): string => `until [ -e /tmp/${file} ]; do sleep 0.02; done`;

const SERVICES = {
  base: longrun('base'),
  lo: { type: 'oneshot\n', up: '#!/bin/sh\nip link set lo up; ip route add 192.0.2.0/24 dev lo' },
  ['by-tcp']: service(`${awaiting('tcp')}; exec httpd -f -p 127.0.0.1:9001 -h /tmp`, {
    ready: { tcp: 'localhost:9001', ...often },
  }),
  ['by-http']: service('mkdir -p /tmp/www; exec httpd -f -p 127.0.0.1:9002 -h /tmp/www', {
    ready: { http: 'http://127.0.0.1:9002/health?a', ...often },
  }),
  ['by-exec']: service('idle', {
    ready: {
      exec: ['sh', '-c', 'echo $0 $PORT $(id -u) $(umask) $PWD; test -e /tmp/exec'],
      ...often,
    },
    ...{ user: 'nobody', umask: '027', env: { PORT: '99' }, cwd: '/var' },
  }),
  ['by-file']: service(`${awaiting('file')}; touch /tmp/there; idle`, {
    ready: { file: '/tmp/there', ...often },
  }),
  ['by-line']: service(
    // What is printed by the first run is in the log when the second one begins.
    [
      'if [ ! -e /tmp/ran ]; then touch /tmp/ran; echo open for business; exit 1; fi',
      "head -c 1500000 /dev/zero | tr '\\0' x | fold -w 1000; echo",
      `${awaiting('line')}; echo it is open for all business; idle`,
    ].join('\n'),
    { ready: { line: 'open for*business', ...often }, restart: { when: 'always' } },
  ),
  // What asks sees what the service sees.
  ['by-tmp']: service('touch /tmp/mine; idle', {
    ready: { exec: ['test', '-e', '/tmp/mine'], ...often },
    alive: { file: '/tmp/mine', ...often },
    privateTmp: true,
  }),
  dependant: { ...longrun('dependant'), ...needs('by-http'), down: '' },
} as const;

/** What a service's probe was told last. */
async function detail(svinit: Instance, name: string, kind: 'ready' | 'alive'): Promise<string> {
  const { probes } = await svinit.service(name);
  return probes?.[kind]?.detail ?? '';
}

async function expectDetail(
  svinit: Instance,
  name: string,
  kind: 'ready' | 'alive',
  words: RegExp,
): Promise<void> {
  await until(`the ${kind} probe of ${name} says ${words}`, async () =>
    words.test(await detail(svinit, name, kind)) ? true : null,
  );
}

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a service is up when a probe has found it so`, async (t) => {
    const svinit = await start(t, { runtime, services: SERVICES, until: /@ start base/ });
    t.equal((await svinit.service('svprobe')).state, 'down', 'nobody is asked: nobody asks');
    await svinit.svctl('start', 'lo');
    await svinit.run(['chmod', '1777', '/tmp']);
    await svinit.run(['touch', '/tmp/there']);
    const names = ['by-tcp', 'by-http', 'by-exec', 'by-file', 'by-line'];
    await svinit.svctl('start', '--no-wait', ...names, 'dependant');

    await expectDetail(svinit, 'by-tcp', 'ready', /^connection refused$/);
    await expectDetail(svinit, 'by-http', 'ready', /^answered 404$/);
    await expectDetail(svinit, 'by-exec', 'ready', /^exit 1: sh 99 65534 0027 \/var$/);
    await expectDetail(svinit, 'by-file', 'ready', /^is older than the process$/);
    await until('the line of the first run is logged, and it runs again', async () => {
      const { restarts, state } = await svinit.service('by-line');
      return (restarts > 0 && state === 'starting') || null;
    });
    await expectDetail(svinit, 'by-line', 'ready', /^not printed yet$/);
    t.equal((await svinit.service('dependant')).state, 'waiting');
    t.match(await svinit.svctl('why', 'dependant'), {
      stdout: /ready probe: not yet: answered 404/,
    });

    t.match(await svinit.call('reexec'), { result: { image: 2 } });
    for (const name of names) t.equal((await svinit.service(name)).state, 'starting', name);
    await svinit.run(['touch', '/tmp/tcp', '/tmp/exec', '/tmp/file', '/tmp/line']);
    await svinit.run(['sh', '-c', 'echo well > /tmp/www/health']);
    t.match(await svinit.svctl('wait', '--timeout=40s', ...names, 'dependant'), { code: 0 });
    t.match(await svinit.svctl('start', '--timeout=40s', 'by-tmp'), { code: 0 });
    await expectDetail(svinit, 'by-tmp', 'alive', /^is there$/);
    const status = await svinit.svctl('status', 'by-line');
    t.match(status.stdout, /ready probe +ok: printed: it is open for all business/);
    for (const name of names) await svinit.svctl('stop', '--cascade', name);
  });
}

const UNWELL = {
  base: longrun('base'),
  lo: SERVICES.lo,
  sick: service('trap "echo ends; exit 0" TERM; touch /tmp/sick; idle', {
    alive: {
      exec: ['sh', '-c', 'test -e /tmp/sick || { echo it is gone; exit 3; }'],
      retries: 2,
      ...often,
    },
  }),
  told: service('touch /tmp/told; idle', {
    alive: { file: '/tmp/told', retries: 1, action: 'report', ...often },
  }),
  hole: service('idle', {
    ready: { tcp: '192.0.2.1:80', timeout: '300ms', retries: 3, ...often },
    restart: { when: 'never' },
  }),
  stubborn: service('idle', {
    ready: { exec: ['sh', '-c', 'trap "" TERM; sleep 424242 & wait'], timeout: '300ms', ...often },
    start: { timeout: '1min' },
  }),
  slow: service('idle', {
    alive: { exec: ['false'], startPeriod: '1h', retries: 1, ...often },
  }),
} as const;

for (const runtime of RUNTIMES) {
  t.test(
    `${runtime}: a service that is not alive is restarted, and no probe holds another`,
    async (t) => {
      const args = ['--testing'];
      const svinit = await start(t, { runtime, services: UNWELL, args, until: /@ start base/ });
      await svinit.svctl('start', 'lo');
      await svinit.svctl('start', '--no-wait', 'hole', 'stubborn');
      await svinit.svctl('start', 'sick', 'told', 'slow');
      await expectDetail(svinit, 'stubborn', 'ready', /^did not end within 300 ms$/);
      const failed = svinit.svctl('wait', '--timeout=40s', 'hole:failed');

      await expectDetail(svinit, 'sick', 'alive', /^exit 0$/);
      const { pid } = await svinit.service('sick');
      await svinit.run(['rm', '/tmp/sick']);
      await until('it is another process', async () => {
        const view = await svinit.service('sick');
        return (view.state === 'up' && view.pid !== pid) || null;
      });
      const why = 'probe: not alive: exit 3: it is gone, 2 times in a row (exec sh -c';
      t.match((await svinit.service('sick')).cause, why);
      t.match((await svinit.svctl('why', 'sick')).stdout, why);
      t.ok(svinit.log('sick').includes('ends'), 'it was asked to end, not killed');
      t.match(svinit.log('svprobe').join('\n'), /sick is not alive: exit 3: it is gone/);

      const told = await svinit.service('told');
      await svinit.run(['rm', '/tmp/told']);
      await until('that is told', async () =>
        (await svinit.service('told')).note === 'not alive: is not there' ? true : null,
      );
      await svinit.run(['touch', '/tmp/told']);
      await until('and that it is over', async () =>
        (await svinit.service('told')).note === '' ? true : null,
      );
      t.equal((await svinit.service('told')).pid, told.pid, 'nothing else comes of it');
      t.match(await failed, { code: 0 });
      t.match(await svinit.service('hole'), {
        cause: 'probe: not ready: no connection within 300 ms, 3 times in a row (tcp 192.0.2.1:80)',
      });

      const before = await svinit.services();
      await svinit.svctl('signal', 'KILL', 'svprobe');
      await until('there is another svprobe', async () => {
        const view = await svinit.service('svprobe');
        return (view.state === 'up' && view.restarts === 1) || null;
      });
      await svinit.call('fault', { kind: 'abort' });
      await until('svinit has died and goes on', async () => {
        const version = await svinit.call('version').catch(() => null);
        return (version?.result as { image?: number } | undefined)?.image === 2 || null;
      });
      await svinit.run(['rm', '/tmp/sick']);
      await until('the probes go on', async () =>
        (await svinit.service('sick')).pid !== before.get('sick')?.pid ? true : null,
      );
      for (const name of ['told', 'slow', 'stubborn']) {
        t.equal((await svinit.service(name)).pid, before.get(name)?.pid, `${name} is the same`);
      }
      t.equal((await svinit.service('slow')).state, 'up', 'it may take its time');
      await svinit.svctl('stop', 'stubborn', 'svprobe');
      await until('nothing of a probe is left', async () => {
        const { stdout } = await svinit.run(['pgrep', '-f', 'sleep 424242']);
        return stdout === '' ? true : null;
      });
    },
  );
}
