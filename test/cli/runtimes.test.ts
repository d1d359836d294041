/**
 * What depends on the runtime: sockets, standard streams, the end of the process. The rest of svctl
 * is tested on Node alone.
 */
import t from 'tap';
import { RUNTIMES } from '../contract/runtimes.ts';
import { fake, listing, type RunOptions, svctl, type Test, view } from './fake.ts';

for (const { name, path } of RUNTIMES) {
  t.test(`svctl on ${name}`, async (t) => {
    const onRuntime = (args: string[], options: RunOptions = {}): ReturnType<typeof svctl> =>
      svctl(args, { ...options, runtime: path });

    await t.test('puts a reply together that comes byte by byte', async (t) => {
      const result = listing(view('wéb→'));
      const reply = Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', id: 1, result })}\n`);
      const env = await serverOf(t, (answer) => {
        const send = (at: number): void => {
          answer.raw(reply.subarray(at, at + 1));
          if (at + 1 < reply.length) setImmediate(() => send(at + 1));
        };
        send(0);
      });
      const { out, exit } = await onRuntime(['ls', '--json'], { env });
      t.strictSame(JSON.parse(out), result);
      t.equal(exit, 0);
    });

    await t.test('writes all of a long answer into a pipe', async (t) => {
      const services = Array.from({ length: 5000 }, (_, i) => view(`service-${i}`));
      const env = await serverOf(t, (answer) => answer.result(listing(...services)));
      const { out } = await onRuntime(['ls', '--json'], { env });
      t.equal(JSON.parse(out).services.length, 5000);
      t.equal((await onRuntime(['ls'], { env })).out.trimEnd().split('\n').length, 5002);
    });

    await t.test('asks again when the connection is dropped', async (t) => {
      let dropped = 0;
      const env = await serverOf(t, (answer) => {
        dropped += 1;
        if (dropped === 1) answer.close();
        else answer.result(listing(view('web')));
      });
      t.match(await onRuntime(['ls'], { env }), { exit: 0, out: /web/, err: '' });
      t.equal(dropped, 2);
    });

    await t.test('reads standard input, and ends with the exit code of an error', async (t) => {
      const waves = await onRuntime(['waves', '-'], { stdin: '1 2\n3 4\n' });
      t.strictSame(waves, { exit: 0, out: '1 3\n2 4\n', err: '' });
      const cycle = await onRuntime(['waves', '-'], { stdin: 'a b b a' });
      t.match(cycle, { exit: 8, out: '', err: /is a cycle/ });
      const option = await onRuntime(['ls', '--jsn']);
      t.match(option, { exit: 2, err: /no option --jsn; did you mean --json\?/ });
      const gone = await onRuntime(['ls'], { env: { SVINIT_RUN: '/nonexistent' } });
      t.match(gone, { exit: 9, err: /control: connect failed with ENOENT/ });
      const program = await onRuntime(['-e', 'A=b'], { program: 'telinit' });
      t.match(program, { exit: 2, err: /^telinit: -e: svinit has no environment/ });
    });

    await t.test('gives up when there is no answer', async (t) => {
      const env = await serverOf(t, () => {});
      t.equal((await onRuntime(['ls', '--timeout', '50ms'], { env })).exit, 5);
    });
  });
}

async function serverOf(
  t: Test,
  script: (answer: Parameters<Parameters<typeof fake>[1]>[1]) => void,
): Promise<Record<string, string>> {
  const { run } = await fake(t, (_, answer) => script(answer));
  return { SVINIT_RUN: run };
}
