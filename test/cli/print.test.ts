import t from 'tap';
import { lsLines, problemLine, statusLines, versionLines } from '../../src/cli/print.ts';
import { jsonLine } from '../../src/cli/session.ts';
import { widthOf } from '../../src/cli/table.ts';
import type { Style } from '../../src/cli/terminal.ts';
import { explain, whyLines } from '../../src/cli/why.ts';
import { stateText } from '../../src/cli/words.ts';
import type { Results, StateWord } from '../../src/core/methods.ts';
import { view } from './fake.ts';

const PLAIN: Style = { columns: null, colour: false, unicode: true };
const ASCII: Style = { ...PLAIN, unicode: false };
const at = (columns: number): Style => ({ ...PLAIN, columns });

const LS: Results['ls'] = {
  services: [
    view('web'),
    view('api', { state: 'waiting', pid: null, note: 'waits for db' }),
    view('db', { state: 'backoff', pid: null, restarts: 12, note: 'exit 1; next try in 8.0 s' }),
    view('cache', { state: 'failed', pid: null, restarts: 3, note: 'killed by KILL' }),
    view('old', { want: 'down', pid: 7 }),
    view('fsck', { type: 'oneshot', state: 'done', pid: null }),
  ],
  problems: [
    { name: 'z', directory: '/s/z', file: null, line: null, reason: 'empty' },
    { name: 'bad', directory: '/s/bad', file: 'run', line: 3, reason: 'not executable' },
  ],
  halting: null,
};

t.test('lsLines() puts what is wrong first, then names, then refused definitions', async (t) => {
  t.strictSame(lsLines(LS, PLAIN), [
    '  NAME   STATE    UP     RESTARTS  PID  NOTE',
    '✗ cache  failed                 3       killed by KILL',
    '✗ db     backoff               12       exit 1; next try in 8.0 s',
    '… api    waiting                0       waits for db',
    '✓ fsck   done                   0',
    '● old    up→down  4h12m         0    7',
    '● web    up       4h12m         0  212',
    '2 up, 1 waiting, 1 backoff, 1 failed, 1 done',
    'refused: bad: run:3: not executable',
    'refused: z: empty',
  ]);
});

t.test('lsLines() in ASCII shows the same with other signs', async (t) => {
  const text = lsLines(LS, ASCII).join('\n');
  t.match(text, /^x cache/m);
  t.match(text, /^\* old {4}up->down/m);
  t.match(text, /^[\x00-\x7f]*$/);
});

t.test('lsLines() fits: PID goes, NOTE is cut, then columns go from the right', async (t) => {
  const titles = (width: number): string => (lsLines(LS, at(width))[0] ?? '').trim();
  t.equal(titles(65), 'NAME   STATE    UP     RESTARTS  PID  NOTE');
  t.equal(titles(64), 'NAME   STATE    UP     RESTARTS  NOTE');
  t.match(lsLines(LS, at(50))[2], /^✗ db .* 12 {2}exit 1; next t…$/);
  t.equal(titles(40), 'NAME   STATE    UP     RESTARTS');
  t.equal(titles(30), 'NAME   STATE    UP');
  t.equal(titles(20), 'NAME   STATE');
  t.equal(titles(1), 'NAME   STATE', 'name and state are never left out');
  for (let width = 17; width < 80; width += 1) {
    const table = lsLines(LS, at(width)).slice(0, 7);
    t.ok(
      table.every((line) => widthOf(line) <= width),
      `width ${width}`,
    );
  }
});

t.test('lsLines() says when there is nothing, and when the machine goes down', async (t) => {
  const nothing = { services: [], problems: [], halting: 'poweroff', safe: false };
  t.strictSame(lsLines(nothing, PLAIN), ['no services', 'going down: poweroff']);
});

t.test('colour adds to words and replaces none', async (t) => {
  const bare = lsLines(LS, PLAIN).join('\n');
  const coloured = lsLines(LS, { ...PLAIN, colour: true }).join('\n');
  t.not(coloured, bare);
  t.equal(coloured.replace(/\x1b\[\d+m/g, ''), bare);
});

t.test('stateText() shows what is wanted whenever that is something else', async (t) => {
  const of = (state: StateWord, want: 'up' | 'down'): string =>
    stateText(view('x', { state, want }), PLAIN);
  const states: readonly StateWord[] = [
    'up',
    'down',
    'starting',
    'stopping',
    'finishing',
    'waiting',
    'backoff',
    'done',
    'failed',
  ];
  t.strictSame(
    states.map((state) => `${of(state, 'up')} ${of(state, 'down')}`),
    [
      'up up→down',
      'down→up down',
      'starting→up starting→down',
      'stopping→up stopping→down',
      'finishing→up finishing→down',
      'waiting waiting→down',
      'backoff backoff→down',
      'done done→down',
      'failed failed',
    ],
  );
});

t.test('statusLines() has everything on one screen', async (t) => {
  const api = view('api', {
    description: 'the API',
    state: 'waiting',
    pid: null,
    forMs: 5000,
    restarts: 2,
    note: 'waits for db',
    cause: 'start by uid 0',
    lastExit: 'exit 1',
    lastExitMs: 180_000,
    waitingFor: ['db'],
    needs: ['db', 'net'],
    neededBy: ['web'],
    definition: 'changed',
    early: true,
  });
  t.strictSame(statusLines(api, ['one', 'two'], PLAIN), [
    '… api — the API',
    '  state        waiting for 5.0 s (waits for db)',
    '  why          start by uid 0',
    '  restarts     2',
    '  last exit    exit 1, 3 min ago',
    '  waiting for  db',
    '  needs        db, net',
    '  needed by    web',
    '  type         longrun, early',
    '  defined in   /etc/svinit/services/api (changed since: svctl restart api)',
    '  last lines',
    '    one',
    '    two',
  ]);
  t.match(
    statusLines(view('a', { definition: 'removed' }), [], ASCII).join('\n'),
    /scan --prune\)$/,
  );
  t.equal(statusLines(view('a'), ['x'.repeat(50)], at(20)).at(-1), `    ${'x'.repeat(15)}…`);
});

t.test('explain() follows what is waited for to the command that helps', async (t) => {
  const ls = (...services: Results['ls']['services'][number][]): Results['ls'] => ({
    services,
    problems: [],
    halting: null,
  });
  const web = view('web', { state: 'waiting', pid: null, waitingFor: ['api', 'db'], note: 'n' });
  const api = view('api', { state: 'waiting', pid: null, waitingFor: ['db'] });
  const db = view('db', { state: 'backoff', pid: null, nextTryMs: 3000, note: 'exit 1' });
  const found = explain('web', ls(web, api, db));
  t.strictSame(
    found.chain.map(({ name, depth, again }) => [name, depth, again]),
    [
      ['web', 0, false],
      ['api', 1, false],
      ['db', 2, false],
      ['db', 1, true],
    ],
  );
  t.strictSame(whyLines(found, PLAIN), [
    '… web: waiting for 4 h 12 min — n',
    '    because: ready',
    '    waiting for: api, db',
    '    … api: waiting for 4 h 12 min',
    '        because: ready',
    '        waiting for: db',
    '        ✗ db: backoff for 4 h 12 min — exit 1',
    '            because: ready',
    '            next try: in 3.0 s',
    '    ✗ db: backoff (see above)',
    '→ svctl logs db',
  ]);
  const advice = (...services: Results['ls']['services'][number][]): string | null =>
    explain(services[0]?.name ?? '', ls(...services)).advice;
  t.equal(advice(api), 'svctl scan', 'what it waits for is not defined');
  t.equal(advice(api, view('db', { state: 'down', want: 'down' })), 'svctl start db');
  t.equal(advice(api, view('db', { state: 'stopping', want: 'down' })), 'svctl wait db:down');
  t.equal(advice(view('x', { definition: 'changed' })), 'svctl restart x');
  t.equal(advice(view('x', { definition: 'removed' })), 'svctl scan --prune');
  t.equal(advice(view('x')), null);
  t.equal(explain('api', { ...ls(api, db), halting: 'reboot' }).advice, null);
  const loop = explain('a', ls(view('a', { waitingFor: ['b'] }), view('b', { waitingFor: ['a'] })));
  t.equal(loop.chain.length, 3, 'a cycle ends');
});

t.test('F43 C15 nothing a service says reaches the terminal as a command', async (t) => {
  const evil = '\x1b[2J\x9b31m\x07\r\n\u202eA';
  const all = { note: evil, cause: evil, description: evil, lastExit: evil, directory: evil };
  const hostile = view(`w${evil}`, { ...all, lastExitMs: 1, needs: [evil], neededBy: [evil] });
  const waiting = { ...hostile, waitingFor: [evil], state: evil as StateWord };
  const problem = { name: evil, directory: evil, file: evil, line: 1, reason: evil };
  const ls = { services: [hostile, waiting], problems: [problem], halting: evil };
  const scheduled = { kind: evil as 'halt', cause: evil, message: evil, inMs: 1 };
  const about = { version: evil, runtime: evil, pid: 1, uptimeMs: 1, target: evil, image: 1 };
  const shown = [
    ...lsLines(ls, PLAIN),
    ...statusLines(waiting, [evil], PLAIN),
    ...versionLines({ ...about, halting: evil, scheduled, safe: true }),
    problemLine(problem),
    ...whyLines(explain(waiting.name, ls), PLAIN),
    jsonLine(ls),
  ];
  for (const line of shown) t.notMatch(line, /[\x00-\x1f\x7f-\x9f\u202e]/, line);
  t.strictSame(JSON.parse(jsonLine(ls)), ls, 'and JSON still says the same');
});
