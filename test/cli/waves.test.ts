import t from 'tap';
import { parsePairs } from '../../src/cli/order.ts';
import { fake, listing, svctl, view } from './fake.ts';

t.test('waves - reads pairs as tsort does and prints one wave a line', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['1 2\n3 4\n', '1 3\n2 4\n'],
    ['1 2 3 4', '1 3\n2 4\n'],
    ['a b\na c\nb d\nc d\n', 'a\nb c\nd\n'],
    ['lone lone\na b', 'lone a\nb\n'],
    ['a b\na b\n', 'a\nb\n'],
    ['__proto__ constructor', '__proto__\nconstructor\n'],
    ['', ''],
  ];
  for (const [stdin, out] of cases) {
    t.strictSame(await svctl(['waves', '-'], { stdin }), { exit: 0, out, err: '' }, stdin);
  }
  const json = await svctl(['waves', '-', '--json'], { stdin: '1 2 3 4' });
  t.strictSame(JSON.parse(json.out), {
    waves: [
      ['1', '3'],
      ['2', '4'],
    ],
  });
});

t.test('waves - refuses a cycle with its path, and a word without a partner', async (t) => {
  const cycle = await svctl(['waves', '-'], { stdin: 'x a\na b\nb c\nc a\n' });
  t.equal(cycle.exit, 8);
  t.equal(cycle.out, '');
  t.match(cycle.err, /(a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c) is a cycle/);
  const odd = await svctl(['waves', '-'], { stdin: '1 2 3' });
  t.match(odd, { exit: 2, err: /3 words is an odd number/ });
  const both = await svctl(['waves', '-', 'web'], { stdin: '' });
  t.equal(both.exit, 2);
});

t.test('parsePairs() takes long input in its stride', async (t) => {
  const pairs = Array.from({ length: 50_000 }, (_, i) => `n${i} n${i + 1}`).join('\n');
  t.equal(parsePairs(pairs).size, 50_001);
});

const SERVICES = [
  view('api', { needs: ['db', 'net'], state: 'waiting' }),
  view('db', { needs: ['net'], neededBy: ['api'] }),
  view('net', { neededBy: ['db', 'api'], state: 'done' }),
  view('cron'),
];

t.test('waves, deps and rdeps come from what ls says', async (t) => {
  const server = await fake(t, ({ method, params }, answer) => {
    if (method === 'ls') return answer.result(listing(...SERVICES));
    const { names } = params as { names: string[] };
    answer.result({ services: SERVICES.filter(({ name }) => names.includes(name)) });
  });
  const env = { SVINIT_RUN: server.run };
  const out = async (...args: string[]): Promise<string> => (await svctl(args, { env })).out;
  t.equal(await out('waves'), 'net cron\ndb\napi\n');
  t.equal(await out('waves', 'db'), 'net\ndb\n');
  t.equal(await out('deps', 'api'), '. api: waiting\n  * db: up\n    + net: done\n  + net: done\n');
  t.equal(
    await out('rdeps', 'net'),
    '+ net: done\n  * db: up\n    . api: waiting\n  . api: waiting\n',
  );
  t.strictSame(JSON.parse(await out('deps', 'db', '--json')), { needs: { db: ['net'], net: [] } });
  t.strictSame(JSON.parse(await out('rdeps', 'db', '--json')), {
    neededBy: { db: ['api'], api: [] },
  });
  t.equal((await svctl(['deps'], { env })).exit, 2);
  t.ok(
    server.asked.slice(1, 3).every(({ connection }) => connection === 2),
    'the two questions of one command share a connection',
  );
});

t.test('a cycle among services, as an older svinit might show it, ends', async (t) => {
  const services = [view('a', { needs: ['b'] }), view('b', { needs: ['a'] })];
  const server = await fake(t, ({ method }, answer) =>
    answer.result(method === 'ls' ? listing(...services) : { services: [services[0]] }),
  );
  const env = { SVINIT_RUN: server.run };
  t.equal(
    (await svctl(['deps', 'a'], { env })).out,
    '* a: up\n  * b: up\n    * a: up - see above\n',
  );
  const waves = await svctl(['waves'], { env });
  t.match(waves, { exit: 8, err: /Cannot order them: (a -> b -> a|b -> a -> b) is a cycle/ });
});
