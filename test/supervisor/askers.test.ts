/** Who may ask for what: root everything, others may look; svctl's exit codes say which it was. */
import { chmodSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { type Instance, type Output, start } from './instance.ts';
import { ROOT, USER } from './roots.ts';

const services = { alpha: longrun('alpha'), beta: longrun('beta') };
const skip = process.getuid?.() !== ROOT && 'needs root, to be somebody else';

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F18 C5 an ordinary user`, { skip }, async (t) => {
    const svinit = await start(t, { runtime, services });
    const before = await health(svinit);
    const control = '/run/svinit/control';
    t.match(await asUser(svinit, 'ls'), { code: 0, stdout: /alpha +up/ }, 'may look');
    t.match(await asUser(svinit, 'status', 'alpha'), { code: 0 });
    t.match(await asUser(svinit, 'wait', 'alpha'), { code: 0 });
    for (const verb of [
      ['stop', 'alpha'],
      ['start', 'alpha'],
      ['scan'],
      ['reexec'],
      ['poweroff'],
    ]) {
      t.match(await asUser(svinit, ...verb), { code: 7, stdout: '', stderr: /./ }, verb.join(' '));
    }
    t.match(await asUser(svinit, '--socket', control, 'ls'), { code: 7 }, 'not by that door');

    // The file's mode is one lock, the peer's uid another.
    chmodSync(svinit.path(control), 0o666);
    t.match(await asUser(svinit, '--socket', control, 'ls'), {
      code: 7,
      stderr: /Only root may use this socket/,
    });
    for (const fifo of ['alpha', 'svinit']) {
      const write = ['sh', '-c', `echo forged >/run/svinit/log/${fifo}`];
      t.match(await svinit.run([...USER_PREFIX, ...write]), { code: 1 }, `no word into ${fifo}`);
    }
    t.same(svinit.console.said().sort(), ['start alpha', 'start beta'], 'nothing was done');
    await expectHealth(t, svinit, before);
  });

  t.test(`${runtime}: C5 the status socket only answers questions`, async (t) => {
    const svinit = await start(t, { runtime, services });
    const peer = await svinit.dial('status');
    t.match(await peer.ask('ls'), { result: { services: [{}, {}, {}] } });
    for (const method of ['start', 'stop', 'restart']) {
      const error = { data: { exit: 7 }, message: /looking/ };
      t.match(await peer.ask(method, { names: ['alpha'] }), { error }, method);
    }
    for (const method of ['scan', 'poweroff', 'reboot', 'halt', 'reexec']) {
      t.match(await peer.ask(method), { error: { data: { exit: 7 } } }, method);
    }
    t.match(await peer.ask('version'), { result: { image: 1, halting: null } });
    await peer.close();
  });

  t.test(`${runtime}: mistakes at the command line`, async (t) => {
    const svinit = await start(t, { runtime, services });
    // biome-ignore format: read it as a table
    const cases: readonly (readonly [args: readonly string[], code: number, stderr: RegExp])[] = [
      [['stratus'], 2, /no verb 'stratus'; did you mean status\?/],
      [['--josn', 'ls'], 2, /no option --josn; did you mean --json\?/],
      [['start'], 2, /./],
      [['wait', 'alpha:upp'], 2, /./],
      [['wait', 'alpha', '--timeout', 'soon'], 2, /soon/],
      [['scan', 'alpha'], 2, /alpha/],
      [['start', 'alhpa'], 4, /no service alhpa[\s\S]*alpha/i],
      [['stop', '__proto__'], 4, /__proto__/],
      [['status', 'n*'], 4, /n\*/],
      [['wait', 'alpha:failed', '--timeout', '50ms'], 5, /alpha is up/],
      [['stop', 'svlog'], 1, /essential/],
      [['--socket', '/run/nobody', 'ls'], 9, /Cannot reach svinit at \/run\/nobody.*ENOENT/],
      [['--socket', '/tmp/stale', 'ls'], 9, /Cannot reach svinit at \/tmp\/stale.*ECONNREFUSED/],
    ];
    await svinit.run(['sh', '-c', 'nc -lU /tmp/stale & sleep 0.1; kill $!']);
    writeFileSync(svinit.path('/tmp/stale'), '', { flag: 'a' });
    for (const [args, code, stderr] of cases) {
      t.match(await svinit.svctl(...args), { code, stdout: '', stderr }, args.join(' '));
    }
    const json = await svinit.svctl('start', 'alhpa', '--json');
    t.equal(json.code, 4);
    const wanted = { error: { exit: 4, message: /alhpa/, hint: /alpha/ } };
    t.match(JSON.parse(json.stderr), wanted, 'an object, if asked for');
    const nowhere = await svinit.run(['/usr/bin/svctl', 'ls'], { SVINIT_RUN: '/run/none' });
    t.match(nowhere, { code: 9, stderr: /\/run\/none\/control/ });
    t.match(await svinit.svctl('status', 'alpha'), { code: 0 });
    t.match(await svinit.svctl('stop', 'alpha'), { code: 0 });
    t.match(await svinit.svctl('stop', 'alpha'), { code: 0 }, 'already so is success');
    t.match(await svinit.svctl('status', 'alpha'), { code: 3 });
  });
}

const USER_PREFIX = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--'];

function asUser(svinit: Instance, ...args: readonly string[]): Promise<Output> {
  return svinit.run([...USER_PREFIX, '/usr/bin/svctl', ...args]);
}
