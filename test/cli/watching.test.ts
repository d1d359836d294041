/** `--watch`: what changes is printed when it changes, until somebody ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ageless } from '../../src/cli/watching.ts';
import type { ServiceView } from '../../src/core/methods.ts';
import { type Answer, fake, listing, type Test, view } from './fake.ts';

const ENTRY = fileURLToPath(new URL('../fixtures/svctl.ts', import.meta.url));

class Watcher {
  readonly child: ChildProcess;
  #text = '';
  #wake: () => void = () => {};

  constructor(t: Test, args: readonly string[], run: string) {
    const env = { PATH: process.env['PATH'], SVINIT_RUN: run };
    this.child = spawn(process.execPath, [ENTRY, ...args], { env, stdio: 'pipe' });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    t.teardown(() => this.child.kill('SIGKILL'));
  }

  /** What was printed since the last call, once that matches. */
  async printed(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#text)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const text = this.#text;
    this.#text = '';
    return text;
  }

  async ended(signal: NodeJS.Signals): Promise<number | null> {
    const end = once(this.child, 'close');
    this.child.kill(signal);
    await end;
    return this.child.exitCode;
  }
}

/** An svinit whose services the test changes. */
async function changing(t: Test, ...services: readonly ServiceView[]) {
  const now = { services: [...services] };
  const watchers: Answer[] = [];
  const server = await fake(t, (ask, answer) => {
    if (ask.method === 'watch') watchers.push(answer);
    else if (ask.method === 'ls') answer.result(listing(...now.services));
    else if (ask.method === 'status') answer.result({ services: now.services });
    else answer.error(1, `what is ${ask.method}?`);
  });
  const change = (...all: readonly ServiceView[]): void => {
    now.services = [...all];
    for (const watcher of watchers) watcher.progress('web', 'up', '');
  };
  return { run: server.run, change, asked: server.asked };
}

t.test('ls --watch prints the lines that are new, and ends well with ctrl-C', async (t) => {
  const svinit = await changing(t, view('web', { forMs: 1000 }), view('db'));
  const watcher = new Watcher(t, ['ls', '--watch'], svinit.run);
  t.match(await watcher.printed(/2 up\n/), /NAME.*\n.*db.*\n.*web/);
  svinit.change(view('web', { state: 'failed', pid: null, note: 'exit 1' }), view('db'));
  const changed = await watcher.printed(/1 failed/);
  t.match(changed, /web +failed/);
  t.notMatch(changed, /db/, 'what is as it was is not told again');
  svinit.change(view('web', { forMs: 1 }), view('db'));
  t.match(await watcher.printed(/2 up\n/), /web +up/);
  t.equal(await watcher.ended('SIGINT'), 0);
  t.ok(svinit.asked.filter(({ method }) => method === 'watch').length === 1, 'asked once');
});

t.test('with --json each look that differs is a line', async (t) => {
  const svinit = await changing(t, view('web', { forMs: 1000 }));
  const watcher = new Watcher(t, ['status', 'web', '--watch', '--json'], svinit.run);
  t.match(JSON.parse(await watcher.printed(/\n/)), { services: [{ state: 'up' }] });
  // Only older: no line. What is printed next is the failure.
  svinit.change(view('web', { forMs: 2000 }));
  svinit.change(view('web', { state: 'failed', pid: null, forMs: 1 }));
  t.match(JSON.parse(await watcher.printed(/\n/)), { services: [{ state: 'failed' }] });
  t.equal(await watcher.ended('SIGTERM'), 0);
});

t.test('the first look may fail, and says why', async (t) => {
  const server = await fake(t, (_, answer) => answer.error(4, "There is no service 'x'"));
  const watcher = new Watcher(t, ['status', 'x', '--watch'], server.run);
  const [code] = await once(watcher.child, 'close');
  t.equal(code, 4);
});

t.test('what is done once is not watched', async (t) => {
  const server = await fake(t, (_, answer) => answer.result({}));
  const watcher = new Watcher(t, ['shutdown', 'cancel', '--watch'], server.run);
  const [code] = await once(watcher.child, 'close');
  t.equal(code, 2);
  t.same(server.asked, [], 'nothing was asked for');
});

t.test('ageless() forgets durations and nothing else', async (t) => {
  const same: readonly (readonly [string, string])[] = [
    ['* web  up  4m10s  0', '* web  up  2h5m    0'],
    ['  state  up for 12 s', '  state  up for 3 min'],
    ['x web backoff  exit 1; next try in 1.5 s', 'x web backoff  exit 1; next try in 800 ms'],
    ['{"forMs":12,"nextTryMs":null}', '{"forMs":99,"nextTryMs":null}'],
  ];
  for (const [a, b] of same) t.equal(ageless(a), ageless(b));
  t.not(ageless('* job-1s  up'), ageless('* job-2s  up'), 'a name is no duration');
  t.not(ageless('web  pid 12'), ageless('web  pid 13'));
  t.not(ageless('* web  up  1s  0'), ageless('* web  up  1s  1'), 'a restart');
});
