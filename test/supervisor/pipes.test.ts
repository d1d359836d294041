/**
 * What a service prints reaches its own logger whole: every line once, whatever becomes of the
 * logger, of svinit and of the machine meanwhile.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Directory, script } from './definitions.ts';
import { type Instance, start, until } from './instance.ts';
import { logger, provide, SKIP } from './loggers.ts';

/**
 * Numbered lines; it holds while /run/hold is there, having noted in /run/held the last number, and
 * prints more than a pipe holds when it is told to end.
 */
const producer = script(`
  i=0
  burst() { k=0; while [ $k -lt 3000 ]; do i=$((i + 1)); k=$((k + 1)); echo "n $i"; done; }
  trap 'burst; echo "end $i"; exit 0' TERM
  while :; do
    n=0; while [ $n -lt 50 ]; do i=$((i + 1)); n=$((n + 1)); echo "n $i"; done
    if [ -e /run/hold ]; then
      echo $i >/run/held.new; mv /run/held.new /run/held
      while [ -e /run/hold ]; do sleep 0.02; done
    fi
    sleep 0.005
  done
`);

/** Both copy what they read to the console, which outlives the instance. */
const KINDS = {
  's6-log': {
    dialect: 's6',
    run: logger('s6-log -l 0 1 n20 s1000000 /run/logged >>/proc/1/fd/2'),
    files: {},
  },
  svlogd: {
    dialect: 'runit',
    run: logger('svlogd /run/logged 2>>/proc/1/fd/2'),
    files: { '/run/logged/config': 'e*\n' },
  },
} as const;

function pair(dialect: string, run: string): Directory {
  const json = `{"dialect":"${dialect}"}`;
  return { run: producer, 'service.json': json, 'log/run': run };
}

for (const [i, runtime] of RUNTIMES.entries()) {
  for (const [name, { dialect, run, files }] of Object.entries(KINDS)) {
    // Each logger on both runtimes; the long way on one.
    const isLong = (i === 0) === (name === 's6-log');
    t.test(`${runtime}: ${name} gets every line once`, { skip: SKIP }, async (t) => {
      const svinit = await start(t, {
        runtime,
        trees: { '/etc/s6': { web: pair(dialect, run) } },
        args: ['--scan', '/etc/s6', '--testing'],
      });
      t.match(await svinit.service('web'), { state: 'up', printsTo: 'web/log' });
      t.match(await svinit.service('web/log'), { state: 'up', readsFrom: ['web'] });
      provide(svinit, files);
      const { pid } = await svinit.service('web');
      await arrives(svinit);

      // Killed while there is nothing on its way: what a logger has read is its own to lose.
      await hold(svinit);
      const logged = await svinit.service('web/log');
      await svinit.run(['/usr/bin/busybox', 'kill', '-KILL', String(logged.pid)]);
      await until('the logger has died', async () =>
        (await svinit.service('web/log')).pid === logged.pid ? null : true,
      );
      release(svinit);
      await arrives(svinit);

      if (isLong) await mishaps(svinit);
      t.match(await svinit.service('web'), { pid, restarts: 0 }, 'the service saw nothing of it');

      svinit.signal('SIGTERM');
      await svinit.end();
      const text = svinit.console.text();
      const numbers = [...text.matchAll(/^n (\d+)$/gm)].map((found) => Number(found[1]));
      const last = Number(/^end (\d+)$/m.exec(text)?.[1]);
      t.ok(last > 0, 'its last line was logged too');
      const wanted = Array.from({ length: last }, (_, k) => k + 1);
      t.ok(numbers.join() === wanted.join(), `each of ${last} lines is there once`);
    });
  }
}

async function mishaps(svinit: Instance): Promise<void> {
  // Down for good: the service is held when the pipe is full, and goes on when it is read again.
  await hold(svinit);
  await svinit.svctl('stop', 'web/log');
  release(svinit);
  const { pid } = await svinit.service('web');
  await until('the producer is held in a write', async () => {
    const call = readFileSync(svinit.path(`/proc/${pid}/syscall`), 'latin1');
    return /^1 0x1 /.test(call) && (await isFull(svinit)) ? true : null;
  });
  await svinit.svctl('start', 'web/log');
  await arrives(svinit);

  await svinit.svctl('reexec');
  await arrives(svinit);
  svinit.signal('SIGSEGV');
  await svinit.console.expect(/died of .*SEGV/);
  await arrives(svinit);
}

/** It is told to ls, status and why that nobody reads. */
async function isFull(svinit: Instance): Promise<boolean> {
  const { note } = await svinit.service('web');
  return note === 'nobody reads what it prints: web/log is down';
}

const lastOf = (svinit: Instance): number =>
  Number(
    svinit.console
      .text()
      .match(/^n \d+$/gm)
      ?.at(-1)
      ?.slice(2) ?? 0,
  );

/** Something new is logged. */
async function arrives(svinit: Instance): Promise<void> {
  const before = lastOf(svinit);
  await until('lines arrive', async () => (lastOf(svinit) > before + 100 ? true : null));
}

/** The producer prints nothing, and all it has printed is logged. */
async function hold(svinit: Instance): Promise<void> {
  const [there, held] = [svinit.path('/run/hold'), svinit.path('/run/held')];
  writeFileSync(there, '');
  await until('all is logged', async () =>
    existsSync(held) && lastOf(svinit) === Number(readFileSync(held, 'utf8')) ? true : null,
  );
}

function release(svinit: Instance): void {
  rmSync(svinit.path('/run/held'));
  rmSync(svinit.path('/run/hold'));
}
