/**
 * What is done beside the life of a service: programs of `control/` that are asked before a signal
 * (runsv(8)), and what makes a service read its configuration again.
 */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, type Directory, script } from './definitions.ts';
import { type Instance, start, until } from './instance.ts';

const RUNIT = { 'service.json': '{"dialect": "runit"}' };

/** Says which letter is asked for, and ends as the file says that has its name. */
const asked = (letter: string): string =>
  script(`say ${letter} of $(basename "$PWD"); read code </tmp/${letter} && exit "$code"; exit 1`);

const control = (...letters: readonly string[]): Directory =>
  Object.fromEntries(letters.map((letter) => [`control/${letter}`, asked(letter)]));

const SIGNALS = 'for s in HUP INT QUIT ALRM USR1 USR2; do trap "say got $s" $s; done';

const services: Definitions = {
  web: {
    ...RUNIT,
    ...control('u', 't', 'd', 'h', 'k', '1'),
    'control/notes': 'not one of them',
    'control/i': 'not executable',
    run: script(`trap 'say got TERM; exit 0' TERM; ${SIGNALS}; say run web; echo; idle`),
  },
  slow: {
    ...RUNIT,
    'control/t': script('say t of slow; exec sleep 1000'),
    run: script("trap 'say slow got TERM; exit 0' TERM; say run slow; idle"),
  },
  plain: { run: script(`${SIGNALS}; idle`), 'reload-signal': 'USR1\n' },
  hup: { run: script(`${SIGNALS}; idle`) },
  command: {
    run: script('idle'),
    'service.json':
      '{"reload": {"command": ["/bin/sh", "-c", "read code </tmp/reload; exit $code"]}}',
  },
  stuck: {
    run: script('idle'),
    'service.json': '{"reload": {"command": ["sleep", "1000"], "timeout": "300ms"}}',
  },
  tables: {
    type: 'oneshot\n',
    up: script('say up $RC_NAME'),
    reload: script('say reload $RC_NAME'),
    'dependencies.d/hup': '',
  },
  loaded: { type: 'bundle\n', 'contents.d/tables': '', 'flag-essential': '' },
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: control and reload`, async (t) => {
    const svinit = await start(t, { runtime, services });
    t.match(await svinit.svctl('start', 'tables'), { code: 0 });
    const slowIsOver = await waitsForNobody(t, svinit);
    await asksFirst(t, svinit);
    await reloads(t, svinit);
    await slowIsOver();
  });
}

type Test = Pick<typeof t, 'match' | 'notMatch' | 'equal' | 'same'>;

/** What was said on the console since `before` lines. */
const saidSince = (svinit: Instance, before: number): readonly string[] =>
  svinit.console.said().slice(before);

/** A program that ends with 0 has done what the signal was for; any other has not. */
async function asksFirst(t: Test, svinit: Instance): Promise<void> {
  await svinit.console.expect(/@ u of web\n[\s\S]*@ run web\n/);
  const answer = (letter: string, code: number): void =>
    writeFileSync(svinit.path(`/tmp/${letter}`), `${code}\n`);
  for (const [signal, letter] of [
    ['HUP', 'h'],
    ['USR1', '1'],
  ] as const) {
    let before = svinit.console.said().length;
    answer(letter, 1);
    t.match(await svinit.svctl('signal', signal, 'web'), { code: 0 });
    const got = async () => (saidSince(svinit, before).includes(`got ${signal}`) ? true : null);
    await until(`web got ${signal}`, got);
    t.equal(saidSince(svinit, before)[0], `${letter} of web`);
    answer(letter, 0);
    before = svinit.console.said().length;
    t.match(await svinit.svctl('signal', signal, 'web'), { code: 0 });
    // INT has no program that may be run: once it is there, the other would have been too.
    t.match(await svinit.svctl('signal', 'INT', 'web'), { code: 0 });
    await until('web got INT', async () =>
      saidSince(svinit, before).includes('got INT') ? true : null,
    );
    t.same(saidSince(svinit, before), [`${letter} of web`, 'got INT']);
  }
  let before = svinit.console.said().length;
  answer('t', 1);
  answer('u', 7);
  t.match(await svinit.svctl('stop', 'web'), { code: 0 });
  const ended = async () => (saidSince(svinit, before).includes('d of web') ? true : null);
  await until('d was asked', ended);
  t.same([...saidSince(svinit, before)].sort(), ['d of web', 'got TERM', 't of web']);
  before = svinit.console.said().length;
  t.match(await svinit.svctl('start', 'web'), { code: 0 });
  const runs = async () => (saidSince(svinit, before).length >= 2 ? true : null);
  await until('it runs', runs);
  t.same(saidSince(svinit, before).slice(0, 2), ['u of web', 'run web'], 'u decides nothing');
  answer('k', 0);
  t.match(await svinit.svctl('signal', 'KILL', 'web'), { code: 0 });
  await svinit.console.expect(/@ k of web\n/);
  t.match(await svinit.service('web'), { state: 'up', restarts: 1 });
}

/** PID 1 goes on, and so does everybody else, while a program of `control/` hangs. */
async function waitsForNobody(t: Test, svinit: Instance): Promise<() => Promise<void>> {
  t.match(await svinit.svctl('stop', 'slow', '--no-wait'), { code: 0 });
  await svinit.console.expect(/@ t of slow\n/);
  t.match(await svinit.service('slow'), { state: 'stopping' });
  t.match(await svinit.svctl('restart', 'hup'), { code: 0 }, 'others are not held up');
  t.match(await svinit.svctl('reexec'), { code: 0 });
  t.notMatch(svinit.console.text(), /slow got TERM/);
  // Ten seconds after it was asked the signal is sent without an answer.
  return async () => {
    t.match(await svinit.svctl('wait', 'slow:down', '--timeout', '60s'), { code: 0 });
    t.match(svinit.console.text(), /@ slow got TERM\n/);
    t.match(await svinit.svctl('reload', 'tables', 'slow'), {
      code: 1,
      stderr: /Cannot reload slow: it does not run/,
    });
  };
}

async function reloads(t: Test, svinit: Instance): Promise<void> {
  const before = svinit.console.said().length;
  t.match(await svinit.svctl('reload', 'plain', 'hup'), { code: 0 });
  const both = async () =>
    ['got HUP', 'got USR1'].every((one) => saidSince(svinit, before).includes(one)) ? true : null;
  await until('both were signalled', both);
  const command = await svinit.service('command');
  writeFileSync(svinit.path('/tmp/reload'), '0\n');
  t.match(await svinit.svctl('reload', 'command'), { code: 0, stdout: 'command: up' });
  writeFileSync(svinit.path('/tmp/reload'), '3\n');
  t.match(await svinit.svctl('reload', 'command'), {
    code: 1,
    stderr: /command: its reload failed: exit 3/,
  });
  t.match(await svinit.service('command'), {
    ...{ state: 'up', pid: command.pid, note: 'its reload failed: exit 3' },
  });
  t.match(await svinit.svctl('reload', 'stuck'), { code: 1, stderr: /it took too long/ });
  t.match(await svinit.svctl('reload', 'tables'), { code: 0, stdout: 'tables: done' });
  t.match(svinit.console.text(), /@ up tables\n[\s\S]*@ reload tables\n/);
  t.match(await svinit.svctl('stop', 'tables'), { code: 1, stderr: /tables: essential/ });
}
