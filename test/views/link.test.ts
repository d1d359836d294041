/** The connection of svviews to svinit: what is asked, what is asked again, what is understood. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ServiceView } from '../../src/core/service-view.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { openLibc } from '../../src/sys/open.ts';
import { Link } from '../../src/views/link.ts';
import { Loop } from '../../src/views/loop.ts';
import { view } from '../cli/fake.ts';

type Asked = { readonly id: number; readonly method: string; readonly params: unknown };

const kernel = openKernel(openLibc());

/** A link, and the other end of it: what was asked of each connection, and a way to say something. */
class Rig {
  readonly link: Link;
  readonly all: (readonly ServiceView[])[] = [];
  readonly moves: ServiceView[] = [];
  readonly gone: string[] = [];
  readonly answers: (string | null)[] = [];
  readonly connections: { readonly asked: Asked[]; readonly socket: Socket }[] = [];
  readonly #loop = new Loop(kernel);

  constructor(t: Test) {
    // Short: a socket's path has room for 107 bytes.
    const dir = mkdtempSync(join(tmpdir(), 'svinit-link-'));
    const path = join(dir, 'control');
    const server = createServer((socket) => {
      const asked: Asked[] = [];
      socket.on('data', (chunk) => {
        for (const line of String(chunk).trimEnd().split('\n')) asked.push(JSON.parse(line));
      });
      this.connections.push({ asked, socket });
    });
    server.listen(path);
    this.link = new Link(kernel, this.#loop, path, {
      onAll: (views) => this.all.push(views),
      onMove: (moved) => this.moves.push(moved),
      onGone: (name) => this.gone.push(name),
    });
    t.teardown(() => {
      this.link.close();
      for (const { socket } of this.connections) socket.destroy();
      server.close();
      rmSync(dir, { recursive: true, force: true });
    });
  }

  /** Runs until so many things have been asked of the connection of that number. */
  async asked(connection: number, count: number): Promise<readonly Asked[]> {
    await this.until(() => (this.connections[connection]?.asked.length ?? 0) >= count);
    return this.connections[connection]?.asked ?? [];
  }

  say(message: object): void {
    this.connections.at(-1)?.socket.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  async until(isOver: () => boolean): Promise<void> {
    const endsAt = performance.now() + 20_000;
    await this.#loop.run(
      () => isOver() || performance.now() > endsAt,
      () => Math.min(this.link.tend(), 5),
    );
    if (!isOver()) throw new Error('It did not come to be');
  }

  ask(): void {
    this.link.ask('scan', { prune: true }, (refused) => this.answers.push(refused));
  }
}

t.test('it watches and then lists, and passes on what it hears', async (t) => {
  const rig = new Rig(t);
  const [watch, list] = await rig.asked(0, 2);
  t.same([watch?.method, list?.method], ['watch', 'ls'], 'no move is missed in between');
  // More than is read at once.
  const services = Array.from({ length: 500 }, (_, i) => view(`s${i}`));
  rig.say({ id: list?.id, result: { services, problems: [], halting: null } });
  rig.say({ method: 'progress', params: { name: 'a', service: view('a', { state: 'failed' }) } });
  rig.say({ method: 'progress', params: { name: 'b' } });
  rig.say({
    method: 'progress',
    params: { name: '../c', service: { ...view('a'), name: '../c' } },
  });
  rig.say({ method: 'something', params: {} });
  await rig.until(() => rig.gone.length > 1);
  t.same(rig.all, [services]);
  t.match(rig.moves, [{ name: 'a', state: 'failed' }]);
  t.same(rig.gone, ['b', '../c'], 'what cannot be the name of a directory is no service');

  rig.ask();
  rig.ask();
  const [, , first, second] = await rig.asked(0, 4);
  t.match(first, { method: 'scan', params: { prune: true } });
  rig.say({ id: second?.id, error: { code: -32001, message: 'not now' } });
  rig.say({ id: first?.id, result: {} });
  await rig.until(() => rig.answers.length === 2);
  t.same(rig.answers, ['not now', null]);
  t.equal(rig.connections.length, 1);
});

t.test('what was not answered is asked again on the next connection', async (t) => {
  const rig = new Rig(t);
  rig.ask();
  const before = await rig.asked(0, 3);
  rig.connections[0]?.socket.end();
  const after = await rig.asked(1, 3);
  t.same(
    after.map(({ method }) => method),
    ['watch', 'ls', 'scan'],
  );
  t.same(after[2], before[2], 'the same request');
  rig.say({ id: after[2]?.id, result: {} });
  await rig.until(() => rig.answers.length === 1);
  rig.connections[1]?.socket.write('this is not JSON\n');
  t.same((await rig.asked(2, 2)).length, 2, 'nonsense ends a connection; nothing was left to ask');
});

t.test('what svinit does not know of after its death is asked again', async (t) => {
  const rig = new Rig(t);
  rig.ask();
  const [watch, , scan] = await rig.asked(0, 3);
  rig.say({ method: 'revived', params: { image: 2, pending: [watch?.id, scan?.id] } });
  const known = await rig.asked(0, 4);
  t.same(known[3]?.method, 'ls', 'it may have missed a move');
  rig.say({ method: 'revived', params: { image: 3, pending: [] } });
  const again = await rig.asked(0, 7);
  const methods = again.slice(4).map(({ method }) => method);
  t.same(methods, ['watch', 'ls', 'scan']);
  t.equal(rig.connections.length, 1);
});

t.test('a refused watch is no connection', async (t) => {
  const rig = new Rig(t);
  const [watch] = await rig.asked(0, 2);
  rig.say({ id: watch?.id, error: { code: -32001, message: 'too many' } });
  await rig.asked(1, 2);
  rig.say({ id: null, error: { code: -32001, message: 'too many clients' } });
  t.equal((await rig.asked(2, 2)).length, 2);
});
