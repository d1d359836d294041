/** The files of a service directory: what each means, and what is said of each that is wrong. */
import t from 'tap';
import { parseSpec } from '../../src/core/spec-files.ts';
import { good, parse, refusals, texts } from './spec-texts.ts';

t.test('a directory with nothing but `run` is a longrun with the defaults', async (t) => {
  t.strictSame(good({ run: '#!/bin/sh' }), {
    name: 'web',
    type: 'longrun',
    dialect: 'svinit',
    directory: '/services/web',
    description: '',
    start: { path: '/services/web/run', argv: ['./run', 'web'] },
    finish: null,
    down: null,
    cwd: '/services/web',
    env: Object.create(null),
    needs: [],
    wants: [],
    after: [],
    before: [],
    contents: [],
    ready: { by: 'spawn' },
    initially: 'up',
    early: false,
    essential: false,
    tty: null,
    stopSignal: 15,
    stopWithin: 10_000,
    upWithin: null,
    downWithin: null,
    finishWithin: 5000,
    restart: { when: 'always', limit: null, window: 60_000 },
  });
});

t.test('each dialect has its own arguments and limits', async (t) => {
  const files = { run: '#!/bin/sh', finish: '#!/bin/sh' };
  const s6 = good(files, 's6');
  t.same(s6.start?.argv, ['./run', 'web']);
  t.same(s6.finish, { path: '/services/web/finish', argv: ['finish'] });
  t.same([s6.stopWithin, s6.finishWithin], [null, 5000]);
  const runit = good(files, 'runit');
  t.same(runit.start?.argv, ['./run']);
  t.same(runit.finish?.argv, ['./finish']);
  t.same([runit.stopWithin, runit.finishWithin], [null, null]);
});

t.test('every file of a longrun is honoured', async (t) => {
  const spec = good({
    run: '#!/bin/sh',
    type: 'longrun\n',
    'dependencies.d/': '',
    'dependencies.d/b': '',
    'dependencies.d/a': '',
    'dependencies.d/.git': '',
    dependencies: 'ignored',
    'notification-fd': '3\n',
    'timeout-up': '1000',
    'timeout-kill': '2000\nignored',
    'timeout-finish': '0',
    'max-death-tally': '10',
    'down-signal': 'SIGINT\n',
    'flag-essential': '',
    'README.md': 'its own business',
  });
  t.same(spec.needs, ['a', 'b']);
  t.same(spec.ready, { by: 'fd', fd: 3 });
  t.same([spec.upWithin, spec.stopWithin, spec.finishWithin], [1000, 2000, null]);
  t.equal(spec.stopSignal, 2);
  t.equal(spec.essential, true);
  t.equal(spec.initially, 'target');
});

t.test('`down` means two things, and the type says which', async (t) => {
  t.equal(good({ run: '', down: '' }).initially, 'down');
  t.equal(good({ run: '', down: '', type: 'longrun' }).initially, 'down');
  const oneshot = good({ type: 'oneshot', up: 'true', down: 'rm -f /run/x' });
  t.same(oneshot.down, { path: 'rm', argv: ['rm', '-f', '/run/x'] });
  t.equal(oneshot.initially, 'target');
});

t.test('a list of names may be a file, with comments', async (t) => {
  const spec = good({ run: '', dependencies: '# what it needs\n  b \n\na # why\n' });
  t.same(spec.needs, ['a', 'b']);
  const bundle = good({ type: 'bundle', contents: 'x\ny' });
  t.same(bundle.contents, ['x', 'y']);
  t.equal(bundle.start, null);
  t.same(good({ type: 'bundle', 'contents.d/': '', contents: 'x' }).contents, []);
});

t.test('`up` is a script, a command line of plain words, or execline', async (t) => {
  const up = (text: string) => good({ type: 'oneshot', up: text }).start;
  const path = '/services/web/up';
  t.same(up('#!/bin/sh\necho hello\n'), { path: '/bin/sh', argv: ['/bin/sh', path] });
  t.same(up('#! /bin/sh -e \n'), { path: '/bin/sh', argv: ['/bin/sh', '-e', path] });
  t.same(up('# a comment\n\n mount  -t tmpfs\ttmpfs /x # why\n'), {
    path: 'mount',
    argv: ['mount', '-t', 'tmpfs', 'tmpfs', '/x'],
  });
  for (const text of ['echo "a b"', 'if { true } echo', 'a\\ b', 'echo $x', 'a\nb']) {
    t.same(up(text), { path: 'execlineb', argv: ['execlineb', '-P', path] }, text);
  }
  for (const text of ['', '\n \n', '# nothing\n']) t.equal(up(text), null);
  t.equal(good({ type: 'oneshot' }).start, null);
});

t.test('a shell line without `#!` is told of', async (t) => {
  const { spec, notices } = parse({ type: 'oneshot', up: 'mkdir /run/x && chown me /run/x' });
  t.equal(spec?.start?.path, 'mkdir');
  t.same(notices, [
    "web: up: '&&' is a plain word here, as in every execline command line; " +
      'a shell script begins with #!/bin/sh',
  ]);
});

t.test('s6-rc sources may have a `run` that is not executable', async (t) => {
  const files = { type: 'longrun', '*run': '#!/bin/execlineb -P\n', '*finish': '#!/bin/sh\n' };
  const spec = good(files, 's6');
  t.same(spec.start, {
    path: '/bin/execlineb',
    argv: ['/bin/execlineb', '-P', '/services/web/run', 'web'],
  });
  t.same(spec.finish?.argv, ['/bin/sh', '/services/web/finish']);
  const refused = 'is not executable; chmod +x makes it so';
  t.same(refusals(files), [`run:1: ${refused}`, `finish:1: ${refused}`]);
  t.same(refusals({ '*run': '#!/bin/sh' }, 's6'), [`run:1: ${refused}`]);
  t.same(refusals({ type: 'longrun', '*run': 'exec x' }, 's6'), [`run:1: ${refused}`]);
});

t.test('env/ is read as envdir does, in the native dialect alone', async (t) => {
  const files = {
    run: '',
    'env/': '',
    'env/PORT': '8080 \t\nignored',
    'env/LINES': 'a\0b',
    'env/EMPTY': '\n',
    'env/UNSET': '',
    'env/.swp': 'x',
  };
  t.same({ ...good(files).env }, { EMPTY: '', LINES: 'a\nb', PORT: '8080' });
  t.equal(Object.getPrototypeOf(good(files).env), null);
  t.same({ ...good(files, 's6').env }, {});
  t.same({ ...good(files, 'runit').env }, {});
  const bad = { run: '', 'env/a=b': '1', 'env/__proto__': '1' };
  t.same(refusals(bad), [
    "env: '__proto__' cannot be the name of a variable",
    "env: 'a=b' cannot be the name of a variable",
  ]);
});

const MISSING = "run: is missing: a longrun has 'run' or the key 'command'";
const MS = 'a whole number of milliseconds';
/** A directory with one mistake, and what is said of it. */
const WRONG: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{}, MISSING],
  [{ up: '' }, `${MISSING}; a oneshot has a file 'type' that says so`],
  [{ 'contents.d/': '' }, `${MISSING}; a bundle has a file 'type' that says so`],
  [{ '*run': '#!/bin/sh' }, 'run:1: is not executable; chmod +x makes it so'],
  [{ run: '', 'timeout-up': 'soon' }, `timeout-up:1: expected ${MS}, found 'soon'`],
  [{ run: '', 'timeout-kill': '-1' }, `timeout-kill:1: expected ${MS}, found '-1'`],
  [{ run: '', 'timeout-finish': '1e3' }, `timeout-finish:1: expected ${MS}, found '1e3'`],
  [{ run: '', 'timeout-up': '4294967296' }, `timeout-up:1: expected ${MS}, found '4294967296'`],
  [{ run: '', 'timeout-up': '' }, `timeout-up:1: expected ${MS}, found ''`],
  [
    { run: '', 'notification-fd': '0' },
    "notification-fd:1: expected a descriptor from 1 to 1023, found '0'",
  ],
  [
    { run: '', 'notification-fd': '1024' },
    "notification-fd:1: expected a descriptor from 1 to 1023, found '1024'",
  ],
  [{ run: '', 'max-death-tally': 'x' }, "max-death-tally:1: expected a whole number, found 'x'"],
  [
    { run: '', 'down-signal': 'SIGNOPE' },
    "down-signal:1: expected a signal such as TERM, found 'SIGNOPE'",
  ],
  [
    { run: '', 'dependencies.d/a b': '' },
    "dependencies.d/a b: the name 'a b' has a character other than A-Z a-z 0-9 _ . @ : + -",
  ],
  [{ run: '', dependencies: 'a\n-b' }, "dependencies:2: the name '-b' begins with '-'"],
  [
    { type: 'oneshott' },
    "type:1: expected longrun, oneshot or bundle, found 'oneshott', did you mean 'oneshot'?",
  ],
  [{ type: 'oneshot', up: '#!\n' }, "up:1: begins with '#!' but names no interpreter"],
  [{ type: 'oneshot', down: 'a\0' }, 'down:1: holds a NUL character'],
];

t.test('every malformed value is refused by file, line and what was expected', async (t) => {
  for (const [files, problem] of WRONG) t.same(refusals(files), [problem]);
});

t.test('all problems are found at once, under the name of the directory', async (t) => {
  const { spec, problems } = parse({ 'timeout-up': 'x', 'down-signal': 'x', '*run': '' });
  t.equal(spec, null);
  t.same(problems.map(({ file }) => file).sort(), ['down-signal', 'run', 'timeout-up']);
  for (const { name, directory } of problems) {
    t.same([name, directory], ['web', '/services/web']);
  }
});

t.test('what has no effect is told of, and refuses nothing', async (t) => {
  t.same(parse({ type: 'oneshot', run: '', 'notification-fd': '3' }).notices, [
    "web: 'run' has no meaning in a oneshot",
    "web: 'notification-fd' has no meaning in a oneshot",
  ]);
  t.same(parse({ type: 'bundle', 'flag-essential': '', up: '' }).notices, [
    "web: 'up' has no meaning in a bundle",
  ]);
  const instances = { 'template/': '', 'instance/': '', 'instances/': '' };
  t.same(
    parse({ run: '', ...instances }, 's6').notices,
    Object.keys(instances).map(
      (file) => `web: '${file}' is not used: there are no instances as s6 has them`,
    ),
  );
  t.same(parse({ run: '', 'notification-fd': '1' }).notices, [
    'web: notification-fd 1 takes the place of its output, which is not logged',
  ]);
  t.same(
    parse({ run: '', check: '', 'flag-recommended': '', conf: '', 'notes.txt': '' }, 's6').notices,
    [],
  );
});

t.test('parseSpec() reads any text without throwing', async (t) => {
  const pieces = ['', '\n', '#!', '{', '"', '$', '\0', '3', '-', 'TERM', '{"a":', '[]', '\ud800'];
  const files = ['type', 'run', 'up', 'down', 'timeout-up', 'dependencies', 'service.json'];
  let seed = 20_261_121;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let round = 0; round < 2000; round += 1) {
    const random = Object.fromEntries(
      files.filter(() => next(2) === 0).map((file) => [file, pieces[next(pieces.length)] ?? '']),
    );
    const { spec, problems } = parseSpec(texts(random));
    if ((spec === null) !== problems.length > 0) t.fail(JSON.stringify(random));
  }
});
