/** Errors and ends of svinit itself: it goes on, or a fresh image does; nobody else notices. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, longrun, script } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { type Instance, start, until } from './instance.ts';

/** Errors that nobody catches; what the log then says. */
const SURVIVED: readonly (readonly [kind: string, said: RegExp])[] = [
  ['throw', /a fault that was asked for/],
  ['reject', /a rejection that was asked for/],
  ['stack', /call stack/i],
];

/** What the runtime cannot survive, in two parts: more would be a crash loop. */
const DEADLY = [
  ['exit', 'abort', 'null'],
  ['loop', 'block'],
] as const;

const services: Definitions = {
  base: longrun('base'),
  /** Numbered lines until somebody says that it is enough. */
  writer: {
    run: script(`
      i=0
      while [ ! -e /tmp/enough ]; do i=$((i + 1)); echo $i; sleep 0.02; done
      echo last $i; idle
    `),
  },
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F23 errors that nobody catches are survived`, async (t) => {
    const svinit = await start(t, { runtime, services, args: ['--testing'] });
    const before = await health(svinit);
    const log = svinit.logFile('svinit');
    for (const [kind, said] of SURVIVED) {
      await commit(svinit, kind);
      await log.expect(said);
      await expectHealth(t, svinit, before, `${kind}: the same image, and nothing left open`);
    }
    t.match(await svinit.svctl('restart', 'base'), { code: 0 }, 'it works');
  });

  for (const kinds of DEADLY) {
    t.test(`${runtime}: F23 F24 ${kinds.join(', ')}: a fresh image goes on`, async (t) => {
      const svinit = await start(t, { runtime, services, args: ['--testing'] });
      const before = await health(svinit);
      const pids = await pidsOf(svinit);
      for (const [i, kind] of kinds.entries()) {
        await commit(svinit, kind);
        const image = i + 2;
        await svinit.console.expect(new RegExp(`svinit died of .* goes on as image ${image}`));
        t.same(await pidsOf(svinit), pids, `${kind}: all processes are the same`);
      }
      writeFileSync(svinit.path('/tmp/enough'), '');
      await svinit.logFile('writer').expect(/last \d+\n/);
      const lines = svinit.log('writer');
      const last = Number(/\d+/.exec(lines.pop() ?? '')?.[0]);
      const wanted = Array.from({ length: last }, (_, i) => String(i + 1));
      t.same(lines, wanted, 'every line is there once');
      t.same(svinit.console.said(), ['start base'], 'nothing was started again');
      // A pipe of the fault itself may be open for ever, but not in the next image.
      await expectHealth(t, svinit, { ...before, image: kinds.length + 1 });
      t.match(await svinit.svctl('restart', 'base'), { code: 0 }, 'it works');
      svinit.signal('SIGTERM');
      t.match(await svinit.end(), { code: 0 });
    });
  }

  t.test(`${runtime}: F21 an image that has grown hands over to a fresh one`, async (t) => {
    const svinit = await start(t, { runtime, services, args: ['--testing'] });
    const before = await health(svinit);
    const pids = await pidsOf(svinit);
    const client = await svinit.dial();
    await client.ask('version');
    await until('svinit knows what it needs', async () => {
      const about = (await client.ask('version'))?.result as { uptimeMs: number } | undefined;
      return (about?.uptimeMs ?? 0) > 7000 || null;
    });
    const leaks = runtime === 'bun' ? 4 : 6;
    for (let leak = 0; leak < leaks; leak += 1) await commit(svinit, 'leak');
    await svinit.logFile('svinit').expect(/has grown to \d+ MiB, more than \d+ MiB/);
    t.same(await pidsOf(svinit), pids, 'all processes are the same');
    t.match(await client.ask('version'), { result: { image: 2 } }, 'and so are connections');
    await client.close();
    await expectHealth(t, svinit, { ...before, image: 2 });
  });

  t.test(`${runtime}: faults are for those who asked to test`, async (t) => {
    const svinit = await start(t, { runtime, services: { base: longrun('base') } });
    const reply = await svinit.call('fault', { kind: 'exit' });
    t.match(reply?.error, { message: /./ });
    t.match((await svinit.call('version'))?.result, { image: 1 });
  });
}

/** Asks for a fault; the answer may never come. */
async function commit(svinit: Instance, kind: string): Promise<void> {
  const peer = await svinit.dial();
  await Promise.race([peer.ask('fault', { kind }), peer.closed()]);
  await peer.close();
}

function pidsOf(svinit: Instance): Promise<Record<string, unknown>> {
  return until('svinit answers', async () => {
    const services = await svinit.services().catch(() => null);
    if (services === null) return null;
    return Object.fromEntries([...services].map(([name, { pid }]) => [name, pid]));
  });
}
