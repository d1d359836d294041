/**
 * What a hostile kernel command line can do. The kernel hands every `key=value` it does not know
 * to PID 1 as a variable, and variables are code to a runtime. No service ever sees one.
 *
 * The limit is what is read before the first line of ours runs: the dynamic loader's variables
 * (LD_PRELOAD of a library that does exist is loaded into the first life), and in Bun's image
 * BUN_OPTIONS and BUN_BE_BUN, which keep svinit from starting at all. Whoever writes the command
 * line could say init=/bin/sh as well. Node's image takes no options from the environment.
 */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { serviceFiles } from './fixtures.ts';
import { boot } from './harness.ts';
import { start } from './machine.ts';

/** Variables of shells, loaders and runtimes; svinit's own names; and words that mean nothing. */
const HOSTILE = [
  ...[
    'NODE_OPTIONS=--require=/x',
    'NODE_EXTRA_CA_CERTS=/x',
    'NODE_PATH=/x',
    'UV_THREADPOOL_SIZE=1',
  ],
  ...['LD_PRELOAD=/x', 'LD_LIBRARY_PATH=/x', 'PATH=/x', 'ENV=/x', 'HOME=/x', 'IFS=x'],
  ...[
    'SVINIT_RUN=/x',
    'SVINIT_LOG=/x',
    'SVINIT_ENV_foo=x',
    'foo=bar',
    'bare',
    'a.b=c',
    '"sp ace=y z"',
  ],
];

/** These stop Bun's image; nothing to Node's. */
const FATAL_TO_BUN = ['BUN_OPTIONS=--preload=/x', 'BUN_BE_BUN=1'];

const KNOWN = ['quiet', 'svinit.target=basic'];

/** The target has no console: a shell, and a service that is nothing but its program. */
const extraFiles = serviceFiles({
  shell: {
    run: '#!/bin/sh\nexec sh -l\n',
    'service.json': '{ "early": true, "tty": "console" }\n',
  },
  bare: { 'service.json': '{ "command": ["sleep", "2147483647"] }\n' },
});

for (const runtime of RUNTIMES) {
  const words = [...KNOWN, ...HOSTILE, ...(runtime === 'bun' ? [] : FATAL_TO_BUN)];

  t.test(`${runtime}: F48 a hostile command line`, async (t) => {
    const m = await start(t, runtime, { append: words.join(' '), extraFiles });
    const environment = (pid: string) => m.sh(`tr '\\0' '\\n' < /proc/${pid}/environ`);

    await t.test(`${runtime}: C16 what is known is obeyed, the rest ignored`, async (t) => {
      t.equal(await m.sh('cat /proc/cmdline').then((line) => line.includes('foo=bar')), true);
      t.match(await m.version(), { target: 'basic' });
      const services = await m.services();
      t.match(services.get('klog'), { state: 'up' }, 'the target is up');
      for (const name of ['web', 'worker', 'flaky', 'console']) {
        t.match(services.get(name), { state: 'down', want: 'down' }, `${name} is not in it`);
      }
      const said = m.vm.console.transcript;
      t.notMatch(said, /^\[ok\]|^ {2}done:/m, 'quiet is quiet');
      t.match(await m.sh('cat /proc/mounts'), / \/run\/svinit tmpfs /, 'SVINIT_RUN moves nothing');
    });

    await t.test(`${runtime}: C8 C16 no service sees any of it`, async (t) => {
      const { pid } = await m.service('bare');
      const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
      t.equal((await environment(String(pid))).trim(), `PATH=${path}`, 'PATH and nothing else');
      const all = await m.sh(`cat /proc/[0-9]*/environ | tr '\\0' '\\n' | sort -u`);
      t.match(all, /^SHLVL=1$/m, 'others have what their shells say');
      t.notMatch(
        all,
        /^(NODE|LD|UV|BUN_(OPTIONS|BE_BUN)|SVINIT_(RUN|LOG|ENV)|foo|IFS|ENV|sp ace)/m,
      );
      t.notMatch(all, /=\/x/);
    });

    await t.test(`${runtime}: PID 1 keeps its own short list`, async (t) => {
      const names = (await environment('1'))
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0]);
      const settings = [
        ...['useConcurrentJIT', 'useConcurrentGC', 'numberOfGCMarkers', 'useFTLJIT'],
        ...['thresholdForOptimizeAfterWarmUp', 'thresholdForOptimizeAfterLongWarmUp'],
      ];
      const expected = [
        'PATH',
        'HOME',
        'TERM',
        'SVINIT_STAGE0_AT',
        'BUN_GC_TIMER_DISABLE',
        ...settings.map((name) => `BUN_JSC_${name}`),
        ...['MIMALLOC_RESERVE_OS_MEMORY', 'MIMALLOC_DISALLOW_OS_ALLOC'],
      ];
      t.same(names.sort(), expected.sort());
      t.match(await environment('1'), /^HOME=\/$/m, 'and its values');
    });
  });
}

for (const word of FATAL_TO_BUN) {
  t.test(`bun: the limit: ${word} is read before svinit can refuse it`, async (t) => {
    const vm = await boot({ runtime: 'bun', append: word });
    t.teardown(() => vm.kill());
    const { transcript } = await vm.ended;
    t.match(transcript, /preload not found "\/x"|Bun is a fast JavaScript runtime/);
    t.match(transcript, /Kernel panic - not syncing: Attempted to kill init!/);
    t.notMatch(transcript, /^svinit /m);
  });
}
