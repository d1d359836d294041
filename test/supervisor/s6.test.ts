/** A scan directory made for s6-svscan works as it is, given with --scan. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, script } from './definitions.ts';
import { start } from './instance.ts';

const finish = '#!/bin/sh\necho "@ finish $*" >>/proc/1/fd/2\n';

/** As s6-svscan(8) and s6-supervise(8) describe it, state of their own included. */
const scandir: Definitions = {
  '.s6-svscan': { crash: '#!/bin/false\n', finish: '#!/bin/false\n' },
  simple: {
    run: script("trap 'say stop simple; exit 0' TERM; say run $* in $PWD; idle"),
    finish,
    'data/rules': 'its own business',
    'env/IGNORED': 'run would have to read it',
    'event/.keep': '',
    'supervise/.keep': '',
  },
  ready: {
    run: script('say run $1 with "<$IGNORED>"; echo >&4; idle'),
    'notification-fd': '4\n',
    'env/IGNORED': 'by svinit',
    'max-death-tally': '10\n',
  },
  crash: { run: '#!/bin/sh\nexit 1\n', finish },
  asleep: { run: script('say run $1; idle'), down: '' },
  gone: { run: script('say run $1; exit 3'), finish: '#!/bin/sh\nexit 125\n' },
  signalled: {
    run: script("trap 'say got HUP; exit 0' HUP; say run $1; echo >&3; idle"),
    'down-signal': 'SIGHUP\n',
    'notification-fd': '3\n',
  },
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: an s6 scan directory`, async (t) => {
    const svinit = await start(t, {
      runtime,
      services: { native: { run: '#!/bin/sh\necho "@ not scanned" >>/proc/1/fd/2\n' } },
      trees: { '/etc/s6': scandir },
      args: ['--scan', '/etc/s6'],
    });
    t.match(await svinit.svctl('wait', 'simple', 'ready', 'signalled', 'gone:failed'), { code: 0 });
    await svinit.console.expect(/@ run simple/);
    const services = await svinit.services();
    t.same([...services.keys()].sort(), [
      ...['asleep', 'crash', 'gone', 'ready', 'signalled', 'simple', 'svlog'],
    ]);
    t.match(services.get('asleep'), { state: 'down', want: 'down', restarts: 0 });
    t.match(services.get('gone'), { state: 'failed', lastExit: 'exit 3', restarts: 0 });
    t.notMatch(svinit.console.text(), /refused|not scanned/);

    const said = svinit.console.said();
    for (const words of ['run simple in /etc/s6/simple', 'run ready with <>', 'run signalled']) {
      t.ok(said.includes(words), words);
    }

    t.match(await svinit.svctl('stop', 'signalled', 'simple'), { code: 0 });
    await svinit.console.expect(/@ finish 0 0 simple \d+\n/);
    t.match(svinit.console.text(), /@ got HUP\n/);
    t.match(svinit.console.text(), /@ stop simple\n/);
    t.match(await svinit.svctl('start', 'asleep'), { code: 0 });
    await svinit.console.expect('@ run asleep\n');

    // The first delay of a native service is a tenth of that.
    const words = await svinit.logFile('svinit').expect(/crash is backoff[^"]*/);
    t.match(words, /^crash is backoff: exit 1; next try in 1(\.0)? s$/);
    await svinit.console.expect(/@ finish 1 0 crash (\d+)\n[\s\S]*@ finish 1 0 crash (?!\1)/);
  });
}
