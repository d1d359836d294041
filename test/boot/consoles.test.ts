/**
 * Each console has a shell with job control, which is there again whatever happened to it; with a
 * password for root it is a login.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import type { Line } from './harness.ts';
import { type Machine, start, within } from './machine.ts';

const GREETING = 'This machine runs svinit';
/** crypt(3) of `open sesame`, by `mkpasswd -m sha512 -S saltsalt`. */
const HASH =
  '$6$saltsalt$e/5XKibXPLqVcfjpD.ouauaJrAOL5V0uo80Lt7n7EbRdRiCx3HbQ90yjOHr.G0T.mx79PEMRy8nmtr0qSYhQp1';

type Both = { readonly machine: Machine; readonly main: Line; readonly other: Line };

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: two serial lines`, async (t) => {
    const append = 'console=ttyS1 console=ttyS0';
    const machine = await start(t, runtime, { append, secondLine: true });
    const { second } = machine.vm;
    if (second === null) throw new Error('There is no second line');
    const both: Both = { machine, main: machine.vm, other: second };
    const test = (title: string, run: (t: Test, both: Both) => Promise<void>) =>
      t.test(`${runtime}: ${title}`, (t) => run(t, both));
    await test('both have a shell with job control', jobControl);
    await test('a shell that was killed is there again', killed);
    await test('a console that was stopped comes back when asked from the other', stopped);
    await test('a shell that is gone leaves the line as it was', sane);
    await test('the secure attention key ends what is on the screen, and svinit lives', attention);
    await test('with a password login asks for it', password);
  });
}

async function jobControl(t: Test, { machine, main, other }: Both): Promise<void> {
  await other.console.expect(GREETING);
  t.match(await machine.service('console'), { state: 'up', type: 'longrun' });
  t.match(await machine.service('console-ttyS1'), { state: 'up', type: 'longrun', early: true });
  for (const [line, tty] of [
    [main, '/dev/ttyS0'],
    [other, '/dev/ttyS1'],
  ] as const) {
    t.match(await line.run('tty'), { output: tty, code: 0 });
    t.match(await line.run('echo seen > /dev/tty'), { output: 'seen' }, 'it controls the session');
    line.send('sh -c "echo run""ning; exec sleep 2147483647"');
    await line.console.expect(/^running$/m);
    line.send('\x1a');
    await line.console.expect(/Stopped/);
    t.match(await line.run('jobs'), { output: /Stopped/ });
    line.send('kill -9 %1; fg');
    t.match(await line.run('jobs'), { output: '' });
    // Before sleep is born the shell keeps the signal: it is sent until it is seen.
    line.send(`sh -c 'trap "echo inter""rupted; exit" INT; echo run""ning; sleep 2147483647'`);
    await line.console.expect(/^running$/m);
    const again = setInterval(() => line.send('\x03'), 2000);
    await line.console.expect(/^(?:\^C)*interrupted$/m).finally(() => clearInterval(again));
  }
}

async function killed(t: Test, { machine, main, other }: Both): Promise<void> {
  const { pid, restarts } = await machine.service('console-ttyS1');
  await main.run(`kill -9 ${pid}`);
  await other.console.expect(GREETING);
  t.match(await other.run('tty'), { output: '/dev/ttyS1' });
  t.match(await machine.service('console-ttyS1'), { restarts: restarts + 1, state: 'up' });
}

/** SIGSTOP for the shell, Ctrl-S for its line: the two ways to make one silent. */
async function stopped(t: Test, { machine, main, other }: Both): Promise<void> {
  const { pid } = await machine.service('console');
  await other.run(`kill -STOP ${pid}`);
  t.match(await other.run('svctl restart console'), { code: 0 });
  await main.console.expect(GREETING);
  t.match(await main.run('tty'), { output: '/dev/ttyS0' });

  const { pid: next } = await machine.service('console');
  main.send('yes | head -n 1000000\r\x13');
  t.match(await other.run('svctl restart console'), { code: 0 });
  await main.console.expect(GREETING);
  t.match(await main.run('tty'), { output: '/dev/ttyS0' });
  t.not((await machine.service('console')).pid, next);
}

/** A program that left it raw and without echo was killed together with its shell. */
async function sane(t: Test, { machine, main, other }: Both): Promise<void> {
  const { pid } = await machine.service('console-ttyS1');
  other.send(`stty raw -echo; kill -9 ${pid}`);
  await other.console.expect(GREETING);
  t.match(await other.run('stty -a'), { output: /[^-]icanon[\s\S]*[^-]echo / });
  t.match(await main.run('tty'), { output: '/dev/ttyS0' }, 'the other one has not noticed');
}

/** SysRq k, which acts on the virtual terminal in front (sysrq.rst of the kernel). */
async function attention(t: Test, { machine, main }: Both): Promise<void> {
  const before = await machine.service('console-tty1');
  await main.run('echo k > /proc/sysrq-trigger');
  const restarted = `svctl ls console-tty1 --json | grep -q '"restarts":${before.restarts + 1},'`;
  t.match(await main.run(within(`until ${restarted}; do sleep 0.1; done`)), { code: 0 });
  t.match(await machine.service('console-tty1'), { state: 'up', lastExit: 'killed by KILL' });
  t.match(await machine.service('console'), { state: 'up' });
}

async function password(t: Test, { main, other }: Both): Promise<void> {
  await main.run(`sed -i 's|^root:[^:]*|root:${HASH}|' /etc/passwd`);
  t.match(await main.run('svctl restart console-ttyS1'), { code: 0 });
  await other.console.expect('login: ');
  other.send('root');
  await other.console.expect('Password: ');
  other.send('nonsense');
  await other.console.expect(/incorrect/i);
  await other.console.expect('login: ');
  other.send('root');
  await other.console.expect('Password: ');
  other.send('open sesame');
  await other.console.expect(GREETING);
  t.match(await other.run('id -u; tty'), { output: '0\n/dev/ttyS1' });
}
