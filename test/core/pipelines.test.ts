/**
 * Pipes between services: what a logger and the ends of a pipeline become, and each mistake in
 * their files with the file it is in.
 */
import t from 'tap';
import { joinPipes, parseAll } from '../../src/core/pipelines.ts';
import type { Dialect, Spec } from '../../src/core/spec.ts';
import { texts, told } from './spec-texts.ts';

type Files = Readonly<Record<string, string>>;

const RUN = '#!/bin/sh';
/** A longrun as s6-rc has it; it is started because something asks for it. */
const longrun = (files: Files = {}): Files => ({ run: RUN, type: 'longrun', ...files });

/** What becomes of directories, and all that is told of them. */
function joined(
  all: Readonly<Record<string, Files>>,
  dialect: Dialect = 's6',
): { specs: ReadonlyMap<string, Spec>; problems: string[]; notices: string[] } {
  const parsed = parseAll(Object.entries(all).map(([name, files]) => texts(files, dialect, name)));
  const own = parsed.flatMap(({ problems }) => problems);
  const specs = parsed.flatMap(({ spec }) => (spec === null ? [] : [spec]));
  const result = joinPipes(specs, new Set(own.map(({ name }) => name)));
  return {
    specs: new Map(result.specs.map((spec) => [spec.name, spec])),
    problems: [...own, ...result.problems].map((problem) => `${problem.name}: ${told(problem)}`),
    notices: [...parsed.flatMap(({ notices }) => notices), ...result.notices],
  };
}

const problemsOf = (all: Readonly<Record<string, Files>>): string[] => joined(all).problems;

t.test('a logger reads what its service prints, and comes first', async (t) => {
  const { specs, problems, notices } = joined({
    web: { run: RUN, 'log/': '' },
    'web/log': { run: RUN, finish: RUN },
  });
  t.same([problems, notices], [[], []]);
  t.match(specs.get('web'), { output: 'web/log', wants: ['web/log'], needs: [], after: [] });
  const logger = specs.get('web/log');
  t.match(logger, { input: 'web/log', initially: 'up', dialect: 's6' });
  t.same(logger?.start?.argv, ['./run', 'web/log'], 'its name is its argument');
  t.not(logger?.finish, null);
});

t.test('a logger that is to be down is only ordered', async (t) => {
  const { specs } = joined({
    web: { run: RUN, 'log/': '' },
    'web/log': { run: RUN, down: '' },
  });
  t.match(specs.get('web'), { output: 'web/log', wants: [], after: ['web/log'] });
  t.equal(specs.get('web/log')?.initially, 'down');
});

t.test('a logger has of its service: the dialect, early, and who wants it', async (t) => {
  const web = { run: RUN, type: 'longrun', 'log/': '', 'service.json': '{"early":true}' };
  const { specs } = joined({ web, 'web/log': { run: RUN } });
  t.match(specs.get('web/log'), { early: true, initially: 'target' });

  const runit = joined({
    web: { run: RUN, 'log/': '', 'service.json': '{"dialect":"runit"}' },
    'web/log': { run: RUN, finish: RUN },
  });
  t.match(runit.specs.get('web/log'), { dialect: 'runit', finish: null }, 'runsv runs no finish');
  t.same(runit.specs.get('web/log')?.start?.argv, ['./run']);
});

t.test('a logger without its service is a logger all the same', async (t) => {
  const { specs, problems } = joined({ web: { finish: RUN }, 'web/log': { run: RUN } });
  t.match(specs.get('web/log'), { input: 'web/log', initially: 'up' });
  t.equal(problems.length, 1, 'a broken edit does not take the logger away');
});

t.test('a service goes on without a logger that is refused', async (t) => {
  const { specs, problems } = joined({ web: { run: RUN, 'log/': '' }, 'web/log': {} });
  t.equal(specs.get('web')?.output, undefined);
  t.match(problems, [/^web\/log: run: is missing/]);
});

t.test('log/ is not used where the output goes elsewhere', async (t) => {
  const logger = { run: RUN };
  const tty = { run: RUN, 'log/': '', 'service.json': '{"tty":"console"}' };
  const once = { type: 'oneshot', up: 'true', 'log/': '' };
  const piped = longrun({ 'log/': '', 'producer-for': 'end' });
  const end = longrun({ 'consumer-for': 'piped' });
  const { specs, problems, notices } = joined({
    ...{ tty, 'tty/log': logger, once, 'once/log': logger, piped, 'piped/log': logger, end },
  });
  t.same(problems, []);
  t.same([...specs.keys()], ['tty', 'once', 'piped', 'end']);
  t.same(notices, [
    "once: 'log/' has no meaning in a oneshot",
    "tty: 'log/' is not used: it prints on a terminal",
    "once: 'log/' is not used: a oneshot has no logger of its own",
    "piped: 'log/' is not used: its output goes to 'end'",
  ]);
});

t.test('what a logger cannot be', async (t) => {
  const bad = (files: Files): string[] =>
    problemsOf({ web: { run: RUN, 'log/': '' }, 'web/log': { run: RUN, ...files } });
  t.same(bad({ type: 'oneshot' }), [
    "web/log: type: the logger of 'web' must be a longrun, not a oneshot",
  ]);
  t.same(bad({ 'service.json': '{"type":"bundle"}' }).slice(0, 1), [
    "web/log: service.json: the logger of 'web' must be a longrun, not a bundle",
  ]);
  for (const file of ['producer-for', 'consumer-for', 'pipeline-name']) {
    const reason = "the logger of 'web' cannot be in another pipeline";
    t.same(bad({ [file]: 'x' }), [`web/log: ${file}: ${reason}`]);
  }
  t.same(bad({ 'service.json': '{"tty":"pty"}' }), [
    "web/log: service.json:1: the logger of 'web' reads a pipe and cannot have a 'tty'",
  ]);
  const { notices } = joined({
    web: { run: RUN, 'log/': '' },
    'web/log': { run: RUN, 'log/': '' },
  });
  t.same(notices, ["web/log: 'log/' has no meaning in a logger"]);
});

t.test('a pipeline: pipes, needs, and a bundle of all who are in it', async (t) => {
  const { specs, problems, notices } = joined({
    a: longrun({ 'producer-for': 'mid\n' }),
    b: longrun({ 'producer-for': '# the middle\n mid' }),
    mid: longrun({ 'consumer-for': 'b\na\n', 'producer-for': 'end' }),
    end: longrun({ 'consumer-for': 'mid', 'pipeline-name': 'all-of-it\n', dependencies: 'x' }),
    x: longrun(),
  });
  t.same([problems, notices], [[], []]);
  t.match(specs.get('a'), { output: 'mid', needs: ['mid'] });
  t.match(specs.get('b'), { output: 'mid', needs: ['mid'] });
  t.match(specs.get('mid'), { input: 'mid', output: 'end', needs: ['end'] });
  t.match(specs.get('end'), { input: 'end', needs: ['x'] });
  t.equal(specs.get('end')?.output, undefined);
  t.equal(specs.get('a')?.input, undefined);
  t.match(specs.get('all-of-it'), { type: 'bundle', contents: ['a', 'b', 'end', 'mid'] });
});

t.test('a pipeline-name that is not with the last consumer is ignored', async (t) => {
  const { specs, notices } = joined({
    a: longrun({ 'producer-for': 'b', 'pipeline-name': 'x' }),
    b: longrun({ 'consumer-for': 'a' }),
    c: longrun({ 'pipeline-name': 'y' }),
  });
  t.same([...specs.keys()], ['a', 'b', 'c']);
  const why = "'pipeline-name' has a meaning only in the last consumer of a pipeline";
  t.same(notices, [`a: ${why}`, `c: ${why}`]);
});

t.test('a producer is for exactly one', async (t) => {
  const of = (text: string): string[] => problemsOf({ a: longrun({ 'producer-for': text }) });
  t.same(of(''), ['a: producer-for: expected exactly one name, found 0']);
  t.same(of('# nobody\n'), ['a: producer-for: expected exactly one name, found 0']);
  t.same(of('b\nc\n'), ['a: producer-for: expected exactly one name, found 2']);
  t.same(of('b c'), [
    "a: producer-for:1: the name 'b c' has a character other than A-Z a-z 0-9 _ . @ : + -",
  ]);
  t.same(of('b'), ["a: producer-for: names 'b', which is not defined anywhere"]);
});

t.test('both ends must say so, and be longruns', async (t) => {
  const consumer = (files: Files): Record<string, Files> => ({
    a: longrun({ 'producer-for': 'b' }),
    b: files,
  });
  t.same(problemsOf(consumer(longrun())), [
    "a: producer-for: names 'b', whose consumer-for does not say so",
  ]);
  t.same(problemsOf(consumer({ type: 'oneshot', up: 'true' })), [
    "a: producer-for: names 'b', which is no longrun",
  ]);
  t.same(problemsOf(consumer(longrun({ 'consumer-for': 'a', 'timeout-up': 'soon' }))), [
    "b: timeout-up:1: expected a whole number of milliseconds, found 'soon'",
    "a: producer-for: names 'b', which is itself refused",
  ]);
  const tty = { 'service.json': '{"tty":"console"}' };
  t.same(problemsOf(consumer(longrun({ 'consumer-for': 'a', ...tty }))), [
    "b: consumer-for: it has a 'tty', so it is in no pipeline",
    "a: producer-for: names 'b', which is itself refused",
  ]);
});

t.test('a consumer goes on with those of its producers that are good', async (t) => {
  const { specs, problems } = joined({
    good: longrun({ 'producer-for': 'end' }),
    other: longrun({ 'producer-for': 'good' }),
    once: { type: 'bundle', contents: '' },
    end: longrun({ 'consumer-for': 'good\nother\nonce\nnobody' }),
  });
  t.same([...specs.keys()], ['good', 'once', 'end']);
  t.same(problems, [
    "other: producer-for: names 'good', whose consumer-for does not say so",
    "end: consumer-for: names 'nobody', which is not defined anywhere",
    "end: consumer-for: names 'once', which is no longrun",
    "end: consumer-for: names 'other', whose producer-for does not say so",
  ]);
});

t.test('no pipeline ends where it begins', async (t) => {
  const { specs, problems } = joined({
    a: longrun({ 'producer-for': 'b', 'consumer-for': 'b' }),
    b: longrun({ 'producer-for': 'a', 'consumer-for': 'a\nin' }),
    in: longrun({ 'producer-for': 'b' }),
    self: longrun({ 'producer-for': 'self', 'consumer-for': 'self' }),
    apart: longrun(),
  });
  t.same([...specs.keys()], ['apart']);
  t.same(problems.sort(), [
    'a: producer-for: pipeline cycle: a -> b -> a',
    'b: producer-for: pipeline cycle: a -> b -> a',
    "in: producer-for: names 'b', which is itself refused",
    'self: producer-for: pipeline cycle: self -> self',
  ]);
});

t.test('the name of a pipeline is nobody else’s', async (t) => {
  const pair = (a: string, b: string, name: string): Record<string, Files> => ({
    [a]: longrun({ 'producer-for': b }),
    [b]: longrun({ 'consumer-for': a, 'pipeline-name': name }),
  });
  const { specs, problems } = joined({
    ...pair('a', 'b', 'one'),
    ...pair('c', 'd', 'one'),
    ...pair('e', 'f', 'a'),
  });
  t.same(problems, [
    "d: pipeline-name: the name 'one' is taken already, of that of 'b'",
    "f: pipeline-name: the name 'a' is taken already",
  ]);
  t.same(specs.get('one')?.contents, ['a', 'b'], 'the others stand');
  t.match(specs.get('c'), { output: 'd' });
  t.same(problemsOf(pair('a', 'b', 's6rc-x')), [
    "b: pipeline-name:1: the name 's6rc-x' begins with 's6rc-', kept by s6-rc",
    "a: producer-for: names 'b', which is itself refused",
  ]);
});
