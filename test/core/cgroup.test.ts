/** What svinit makes of cgroup v2: whose tree it is, names, limits, strays, and when to clean up. */
import t from 'tap';
import {
  cgroupOf,
  isDelegated,
  isLimited,
  isOver,
  type Kin,
  limitWrites,
  mayBeOurs,
  pidsIn,
  serviceIn,
  straysOf,
  toEnable,
} from '../../src/core/cgroup.ts';
import { buildGraph } from '../../src/core/graph.ts';
import { newService, type Phase } from '../../src/core/phase.ts';
import {
  bundleIn,
  placeOf,
  serviceDirectory,
  sliceDirectory,
  slicesOf,
} from '../../src/core/slices.ts';
import { ms, type Pid, pid } from '../../src/core/units.ts';
import { good, parse, refusals, withJson } from './spec-texts.ts';
import { longrun } from './support/builder.ts';

t.test('whose tree it is', async (t) => {
  const ours = (own: string, machine: boolean): boolean => mayBeOurs({ own, machine });
  t.ok(ours('0::/\n', true), 'a machine');
  t.ok(ours('0::/full\n', true), 'a machine, wherever somebody has put PID 1');
  t.ok(ours('0::/\n', false), 'the root of a cgroup namespace');
  t.ok(ours('0::/svinit.init\n', false), 'the same after a re-exec');
  t.notOk(ours('0::/user.slice/docker-1.scope\n', false), 'without a namespace: the host');
  t.notOk(ours('9:memory:/\n8:pids:/\n', true), 'version 1 only');
  t.ok(ours('9:memory:/\n0::/\n', true), 'both versions: the files tell the rest');
  t.notOk(ours('', true), 'no cgroups');

  t.ok(isDelegated('domain\n', '1\n7\n'));
  t.notOk(isDelegated(null, '1\n'), 'the root of all is not left to a container');
  t.notOk(isDelegated('domain\n', '0\n1\n'), 'somebody outside is in it');
  t.ok(isDelegated('domain\n', ''), 'an empty one, after a re-exec');
  t.same(pidsIn('1\n0\n27\n'), [1, 27], 'nobody signals who is outside');
});

t.test('names that are files of the kernel', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['web', 'web'],
    ['web.example.org', 'web.example.org'],
    ['memory.max', '_memory.max'],
    ['cgroup.procs', '_cgroup.procs'],
    ['memory', 'memory'],
    ['_web', '__web'],
    ['_memory.max', '__memory.max'],
  ];
  for (const [name, cgroup] of cases) {
    t.equal(cgroupOf(name), cgroup);
    t.equal(serviceIn(cgroup), name, 'and back');
  }
});

t.test('controllers are enabled as far as they exist', async (t) => {
  t.same(toEnable('cpuset cpu io memory hugetlb pids rdma\n', ''), [
    ...['memory', 'pids', 'cpu', 'io', 'cpuset'],
  ]);
  t.same(toEnable('cpu pids\n', 'pids\n'), ['cpu']);
  t.same(toEnable('\n', '\n'), []);
});

t.test('limits are written, and in a cgroup that was there all others too', async (t) => {
  const limits = { 'memory.max': '64M', 'pids.max': '20' };
  t.same(limitWrites(limits, true), [
    { file: 'memory.max', text: '64M', isAsked: true },
    { file: 'pids.max', text: '20', isAsked: true },
  ]);
  t.same(limitWrites({}, true), []);
  const all = limitWrites(limits, false);
  t.equal(all.length, 12);
  t.same(
    all.find(({ file }) => file === 'cpu.max'),
    { file: 'cpu.max', text: 'max 100000', isAsked: false },
  );
  t.same(all.find(({ file }) => file === 'memory.max')?.text, '64M');
});

t.test('whom a process has made before it was moved', async (t) => {
  const family: Readonly<Record<number, Kin>> = {
    7: { parent: 1, session: 7 },
    20: { parent: 1, session: 20 },
    21: { parent: 20, session: 20 },
    22: { parent: 21, session: 22 },
    23: { parent: 1, session: 23 },
    24: { parent: 1, session: 20 },
    25: { parent: 7, session: 7 },
  };
  const strays = (before: readonly number[], now: readonly number[]): number[] =>
    straysOf(new Set(before.map(pid)), now.map(pid), pid(20), (one: Pid) => family[one] ?? null);
  t.same(strays([1], [1]), []);
  t.same(strays([1], [1, 20, 21, 22]), [21, 22], 'children and theirs, whatever their session');
  t.same(strays([1], [1, 23, 24]), [23, 24], 'who has detached itself is its, if nobody else was');
  t.same(strays([1, 7], [1, 7, 23, 24, 25]), [24], 'with others there only who is surely its');
  t.same(strays([1], [1, 99]), [], 'it has ended meanwhile');
});

t.test('when what is left must go', async (t) => {
  const over = (phase: Phase, type: 'longrun' | 'oneshot' = 'longrun'): boolean =>
    isOver({ ...newService(ms(0)), phase }, longrun('x', { type }));
  const finishing = { killAt: null, retryAt: null, ranFor: ms(1), why: null };
  t.ok(over({ at: 'down' }));
  t.ok(over({ at: 'failed' }));
  t.ok(over({ at: 'backoff', until: ms(1) }));
  t.ok(over({ at: 'done' }));
  t.notOk(over({ at: 'done' }, 'oneshot'), 'what a oneshot has done stays until it is undone');
  t.ok(over({ at: 'finishing', pid: null, ...finishing }), 'before finish');
  t.notOk(over({ at: 'finishing', pid: pid(9), ...finishing }), 'not finish itself');
  t.notOk(over({ at: 'undoing', pid: null, killAt: null, retryAt: null }, 'oneshot'));
  t.notOk(over({ at: 'spawning' }));
  t.notOk(over({ at: 'up', pid: pid(9), startedAt: ms(0) }));
});

t.test('the key cgroup of service.json', async (t) => {
  const spec = good(
    withJson(`{ "cgroup": {
      "memory.max": "64M", "memory.high": "max", "memory.oom.group": true, "pids.max": 20,
      "cpu.weight": 50, "cpu.max": "50000 100000", "io.weight": 10000 } }`),
  );
  t.same(spec.cgroup, {
    'memory.max': '64M',
    'memory.high': 'max',
    'memory.oom.group': '1',
    'pids.max': '20',
    'cpu.weight': '50',
    'cpu.max': '50000 100000',
    'io.weight': '10000',
  });
  t.ok(isLimited(spec));
  t.notOk(isLimited(good(withJson('{ "cgroup": {} }'))));
  t.notHas(good(withJson('{}')), { cgroup: {} });
});

t.test('a cgroup is given away, and its limits are not files of it', async (t) => {
  const given = (value: string) => good(withJson(`{ "cgroup": { "delegate": ${value} } }`));
  t.same(given('1000').cgroup, { delegate: '1000' });
  t.same(given('true').cgroup, { delegate: '0' }, 'root keeps it, and may divide it');
  t.ok(isLimited(given('true')), 'it does not run without');
  t.same(limitWrites({ delegate: '1000', 'pids.max': '5' }, true), [
    { file: 'pids.max', text: '5', isAsked: true },
  ]);
  const bundle = { type: 'bundle', 'service.json': '{ "cgroup": { "delegate": 5 } }' };
  t.match(parse(bundle).problems, [{ reason: "a bundle has no 'cgroup.delegate'" }]);
});

t.test('who is in which slice', async (t) => {
  const bundle = (name: string, members: readonly string[], limits: object = { 'pids.max': '9' }) =>
    longrun(name, { type: 'bundle', start: null, contents: members, cgroup: limits });
  const all = [
    ...['a', 'b', 'c', 'd', 'e'].map((name) => longrun(name)),
    bundle('zoo', ['a', 'inner']),
    bundle('inner', ['b'], {}),
    bundle('all', ['c', 'a']),
    bundle('loose', ['d'], {}),
  ];
  const specs = new Map(all.map((spec) => [spec.name, spec]));
  const slices = slicesOf(specs, buildGraph(specs).graph);
  t.same(
    [...slices].map(([name, { bundle: of }]) => `${name} in ${of}`).sort(),
    ['a in all', 'b in zoo', 'c in all'],
    'the first by name has it; members of members count; no limits, no slice',
  );
  t.equal(serviceDirectory('memory.max', slices.get('a') ?? null), 'slice=all/_memory.max');
  t.equal(serviceDirectory('a', null), 'a');
  t.equal(bundleIn(sliceDirectory('db')), 'db');
  t.equal(bundleIn('db'), null);
});

t.test('whose a process is by its cgroup', async (t) => {
  const cases: readonly (readonly [string, ReturnType<typeof placeOf>])[] = [
    ['0::/svinit.services/web\n', { service: 'web', bundle: null, path: '/svinit.services/web' }],
    [
      '1:name=x:/\n0::/svinit.services/_memory.max/below/it\n',
      { service: 'memory.max', bundle: null, path: '/svinit.services/_memory.max' },
    ],
    [
      '0::/svinit.services/slice=db/web/x\n',
      { service: 'web', bundle: 'db', path: '/svinit.services/slice=db/web' },
    ],
    ['0::/svinit.services/slice=db\n', null],
    ['0::/svinit.init\n', null],
    ['0::/\n', null],
    ['0::/../svinit.services/web\n', null],
    ['', null],
  ];
  for (const [text, place] of cases) t.same(placeOf(text), place, JSON.stringify(text));
});

t.test('what is wrong with it is said', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['"delegate": -1', 'expected true, or a uid from 0 to 4294967294, found -1'],
    ['"delegate": false', 'expected true, or a uid from 0 to 4294967294, found false'],
    ['"delegate": "web"', "expected true, or a uid from 0 to 4294967294, found 'web'"],
    ['"memory.max": "64 MB"', 'expected a size such as "64M", or "max", found \'64 MB\''],
    ['"memory.max": 64', 'expected a size such as "64M", or "max", found 64'],
    ['"memory.oom.group": 1', 'expected true or false, found 1'],
    ['"pids.max": 0', 'expected a whole number from 1 to 4194304, found 0'],
    ['"cpu.weight": 10001', 'expected a whole number from 1 to 10000, found 10001'],
  ];
  for (const [text, reason] of cases) {
    const [key = ''] = text.replaceAll('"', '').split(':');
    const problems = refusals(withJson(`{"cgroup": {${text}}}`));
    t.same(problems, [`service.json:1: cgroup.${key}: ${reason}`]);
  }
  t.match(refusals(withJson('{"cgroup": {"cpu.max": "50%"}}')), [/expected microseconds/]);
  t.same(refusals(withJson('{"cgroup": {"memory.maxx": "1M"}}')), [
    "service.json:1: unknown key 'cgroup.memory.maxx', did you mean 'memory.max'?",
  ]);
  t.same(refusals(withJson('{"cgroup": []}')), [
    'service.json:1: cgroup: expected an object, found an array',
  ]);
});
