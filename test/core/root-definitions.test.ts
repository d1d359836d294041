/**
 * Definitions of a root: what was read there arrives as it was, whatever the text; the image's own
 * stand; and what runs in a root needs it.
 */
import t from 'tap';
import {
  decodeRootScan,
  encodeRootScan,
  enterArguments,
  ofRoot,
  type RootScan,
  withBundle,
  withoutTaken,
} from '../../src/core/root-definitions.ts';
import type { DirectoryTexts } from '../../src/core/spec.ts';
import { parseSpec } from '../../src/core/spec-files.ts';

function texts(name: string, files: Readonly<Record<string, string>> = {}): DirectoryTexts {
  const directory = `/etc/svinit/services/${name}`;
  const found = Object.entries({ run: '#!/bin/sh', ...files }).map(
    ([file, text]) => [file, { text, executable: text.startsWith('#!') }] as const,
  );
  return { name, directory, dialect: 'svinit', files: new Map(found) };
}

const scanOf = (...found: readonly DirectoryTexts[]): RootScan => ({ found, problems: [] });
const namesOf = ({ found }: RootScan): readonly string[] => found.map(({ name }) => name);

t.test('a scan is the same after the way', async (t) => {
  const odd = texts('odd', { 'env/A': '\u0000 "\n\u2028', run: '#!/bin/sh -e' });
  const reason = 'it is owned by uid 5';
  const problem = { name: 'bad', directory: '/x', file: null, line: 3, reason };
  const scan = { found: [odd, texts('b')], problems: [problem] };
  t.same(decodeRootScan(encodeRootScan(scan)), { ok: true, scan });
});

t.test('what is no scan is a reason', async (t) => {
  for (const text of ['', '{', 'null', '[]', '{"version":1}', '{"version":2}']) {
    t.match(decodeRootScan(text), { ok: false, reason: /it is not/ }, JSON.stringify(text));
  }
  const extra = encodeRootScan(scanOf()).replace('"found"', '"more":1,"found"');
  t.match(decodeRootScan(extra), { ok: false }, 'also one with more in it');
});

t.test('a bundle stands for all that is to be started', async (t) => {
  const usual = texts('default', { type: 'bundle', contents: 'a' });
  const both = withBundle(scanOf(texts('a'), texts('b'), usual), 'os');
  t.same(namesOf(both), ['a', 'b', 'os'], "the root's own default");
  t.same(parseSpec(both.found[2] ?? texts('')).spec?.contents, ['a']);

  const all = withBundle(scanOf(texts('a'), texts('b')), 'os');
  t.same(parseSpec(all.found[2] ?? texts('')).spec?.contents, ['a', 'b'], 'or everything');

  const own = scanOf(usual, texts('os'));
  t.equal(withBundle(own, 'os').found.length, 2, 'or what is called so');
  const none = withBundle(scanOf(), 'os');
  t.same(parseSpec(none.found[0] ?? texts('')).problems, [], 'and nothing can be all there is');
});

t.test('a logger goes with its service', async (t) => {
  const scan = scanOf(texts('web'), texts('web/log'), texts('db'), texts('db/log'));
  const left = withoutTaken(scan, new Set(['web']), 'os');
  t.same(namesOf(left), ['db', 'db/log']);
  t.same(left.notices, ["web: the root 'os' has one too, which is not used"]);
  const { found } = withBundle(left, 'os');
  t.same(parseSpec(found.at(-1) ?? texts('')).spec?.contents, ['db'], 'and is no member itself');
});

t.test('what the image has too is not taken from the root', async (t) => {
  const problem = { name: 'c', directory: '', file: null, line: null, reason: 'x' };
  const scan = { found: [texts('a'), texts('b')], problems: [problem] };
  const left = withoutTaken(scan, new Set(['b', 'c']), 'os');
  t.same(namesOf(left), ['a']);
  t.same(left.problems, []);
  t.match(left.notices, [/^b: the root .os. has one too/]);
});

t.test('a service of a root needs it and is entered', async (t) => {
  const { spec } = parseSpec(texts('a', { dependencies: 'b' }));
  if (spec === null) throw new Error('there is no spec');
  const rooted = ofRoot(spec, 'os');
  t.same(rooted.needs, ['b', 'root']);
  t.equal(rooted.root, 'os');
  const bundle = ofRoot({ ...spec, type: 'bundle', needs: [] }, 'os');
  t.same(bundle.needs, [], 'a bundle needs nothing by itself');
  const argv = enterArguments('/pin', '/bin/sh', '/etc/a b', ['./run', 'x y']);
  t.same(argv.slice(0, 3), ['nsenter', '--mount=/pin', '/bin/sh']);
  t.same(argv.slice(5), ['/etc/a b', './run', 'x y'], 'each word by itself');
});
