/**
 * sv, as Debian has it, works on svinit's services on both runtimes: what all else rests on. The rows
 * of the table of compatibility are in rows-runit.test.ts.
 */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Directory, script } from '../supervisor/definitions.ts';
import { until } from '../supervisor/instance.ts';
import { run, SKIP, type Viewed, viewed } from './clients.ts';

/** A longrun of the runit dialect that idles, and ends with 0 on TERM. */
function idle(more: Directory = {}): Directory {
  return {
    run: script("trap 'exit 0' TERM; idle"),
    'service.json': '{"dialect":"runit"}',
    ...more,
  };
}

const untilTold = '#!/bin/sh\nwhile ! test -e /run/over; do sleep 0.1; done\n';

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: what all else rests on`, { skip: SKIP }, async (t) => {
    const v = await viewed(t, runtime, { plain: idle(), finishing: idle({ finish: untilTold }) });

    await sv(v, 'plain', /^run: /);
    const up = /^run: plain: \(pid (\d+)\) \d+s$/;
    const { pid } = await v.svinit.service('plain');
    const status = await v.sv('status', 'plain');
    t.match(status, { code: 0, stdout: up }, 'it runs; found in SVDIR');
    t.equal(up.exec(status.stdout)?.[1], String(pid), 'the pid is that of the service');
    const below = await run('sv', ['status', v.runit('plain')]);
    t.match(below, { code: 0, stdout: /^run: \S+\/plain: \(pid \d+\) \d+s$/ }, 'by its path');

    const stopped = await v.sv('-v', 'down', 'plain');
    t.match(stopped, { code: 0, stdout: /^ok: down: plain: \d+s, normally up$/ }, 'down');
    t.match(await v.sv('status', 'plain'), { stdout: /^down: plain: \d+s, normally up$/ }, 'down');
    const started = await v.sv('-v', 'up', 'plain');
    t.match(started, { code: 0, stdout: /^ok: run: plain: \(pid \d+\) \d+s$/ }, 'up');

    const left = await v.sv('shutdown', 'plain');
    t.match(left, { code: 0, stdout: /^ok: / }, 'exit stops it, and nobody is there');
    t.match(await sv(v, 'plain', /^down: /), /^down: /, 'until there is again');
    t.match(await v.sv('-v', 'up', 'plain'), { code: 0, stdout: /^ok: run: / });

    t.match(await v.sv('down', 'finishing'), { code: 0 });
    const text = await until('finish runs', async () => {
      const { stdout } = await v.sv('status', 'finishing');
      return stdout.startsWith('finish: ') ? stdout : null;
    });
    t.match(text, /^finish: finishing: \(pid \d+\) \d+s, want down$/, 'finish runs');
  });
}

/** What sv says of a service once it says what is waited for. */
function sv(v: Viewed, name: string, pattern: RegExp): Promise<string> {
  return until(`sv says ${pattern} of ${name}`, async () => {
    const { stdout } = await v.sv('status', name);
    return pattern.test(stdout) ? stdout : null;
  });
}
