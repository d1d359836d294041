/** What svinit prints on is full, nobody's, an error, or not there: it goes on all the same. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { RUNTIMES, type Runtime } from '../../scripts/compile.ts';
import { namespaceCommand } from '../../scripts/namespace.ts';
import { type Definitions, script } from '../supervisor/definitions.ts';
import { Instance, until } from '../supervisor/instance.ts';
import { makeRoot, ROOT, removeRoots } from '../supervisor/roots.ts';
import { Transcript } from '../supervisor/transcript.ts';
import { BEAT, before, expectOracle } from './oracle.ts';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

const services: Definitions = { beat: BEAT, app: { run: script('idle') } };

/** Makes a descriptor to print on; the function ends what it needs. */
type Stream = (directory: string) => { fd: number; end: () => void };

const STREAMS: readonly (readonly [what: string, stream: Stream | null])[] = [
  ['a pipe that is full and that nobody reads', fullPipe],
  ['a pipe whose reader has gone', brokenPipe],
  ['/dev/full', () => ({ fd: openSync('/dev/full', O_WRONLY), end: () => {} })],
];

for (const runtime of RUNTIMES) {
  for (const [what, stream] of STREAMS) {
    t.test(`${runtime}: F36 it prints on ${what}`, async (t) => {
      await lives(t, await startOn(t, runtime, stream));
    });
  }
  t.test(`${runtime}: F37 it has no standard streams`, async (t) => {
    await lives(t, await startOn(t, runtime, null));
  });
}

/** It boots, supervises, is replaced and ends. */
async function lives(t: Test, svinit: Instance): Promise<void> {
  const was = await before(svinit);
  for (let kill = 0; kill < 3; kill += 1) {
    t.match(await svinit.svctl('restart', 'app'), { code: 0 });
  }
  t.match(await svinit.svctl('reexec'), { code: 0 });
  await expectOracle(t, svinit, was, { moved: ['app'], images: 1 });
  svinit.signal('SIGTERM');
  t.match(await svinit.end(), { code: 0 });
}

/** An instance that prints on `stream`, or that has no descriptors 0, 1 and 2. */
async function startOn(t: Test, runtime: Runtime, stream: Stream | null): Promise<Instance> {
  const root = makeRoot({ runtime, uid: ROOT, services, trees: {} });
  const { fd, end } = stream?.(dirname(root)) ?? { fd: null, end: () => {} };
  const closing = ['/usr/bin/busybox', 'sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh'];
  const args = fd === null ? [...closing, '/init'] : ['/init'];
  const [program = '', ...rest] = namespaceCommand({ root, args, userNamespace: false });
  const child = spawn(program, rest, { stdio: ['ignore', fd ?? 'ignore', fd ?? 'ignore'] });
  const svinit = new Instance(child, new Transcript(join(dirname(root), 'console')), ROOT);
  t.teardown(async () => {
    await svinit.kill();
    if (fd !== null) closeSync(fd);
    end();
    removeRoots();
  });
  await until('its services are up', async () => {
    const all = await Promise.resolve()
      .then(() => svinit.services())
      .catch(() => null);
    return all?.get('app')?.state === 'up' || null;
  });
  return svinit;
}

function fullPipe(directory: string): { fd: number; end: () => void } {
  const { reader, path } = pipe(directory);
  const filler = openSync(path, O_WRONLY | O_NONBLOCK);
  try {
    for (;;) writeSync(filler, Buffer.alloc(4096));
  } catch {
    // EAGAIN: it is full.
  }
  closeSync(filler);
  const fd = openSync(path, O_WRONLY | O_NONBLOCK);
  return { fd, end: () => closeSync(reader) };
}

function brokenPipe(directory: string): { fd: number; end: () => void } {
  const { reader, path } = pipe(directory);
  const fd = openSync(path, O_WRONLY);
  closeSync(reader);
  return { fd, end: () => {} };
}

function pipe(directory: string): { reader: number; path: string } {
  const path = join(directory, 'fifo');
  execFileSync('mkfifo', [path]);
  return { path, reader: openSync(path, O_RDONLY | O_NONBLOCK) };
}
