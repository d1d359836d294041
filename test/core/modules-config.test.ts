/** What people say about modules, and the patterns of aliases. */
import t from 'tap';
import { splitKernelWords } from '../../src/core/kernel-words.ts';
import {
  modulesOfWords,
  parseModulesConfig,
  parseModulesLoad,
} from '../../src/core/modules-config.ts';
import { aliasFinder, matchesPattern, plainName } from '../../src/core/modules-match.ts';
import { moduleName } from '../../src/core/modules-text.ts';
import { randomFrom } from './support/random.ts';

const wordsOf = (text: string) => splitKernelWords(text).words;

t.test('modprobe.d(5)', async (t) => {
  const text = `# a comment
  # and one further in
blacklist snd-hda

options loop max_loop=8 \\
  max_part=2
alias eth0 virtio-net
softdep a pre: b c post: d
install bad-idea /bin/true
remove bad /bin/true
`;
  t.same(parseModulesConfig([{ file: 'a.conf', text }]), {
    aliases: [{ pattern: 'eth0', module: 'virtio_net' }],
    blacklist: new Set(['snd_hda']),
    options: [{ name: 'loop', text: 'max_loop=8 max_part=2' }],
    softdeps: [{ module: 'a', pre: ['b', 'c'], post: ['d'] }],
    installs: [{ pattern: 'bad_idea', module: '/bin/true' }],
    problems: [],
  });
});

t.test('a line that is not understood is a problem, and the others hold', async (t) => {
  const text = 'blacklist\nalias x\nblaclist y\nblacklist z\noptions\nconfig x';
  const { blacklist, problems } = parseModulesConfig([{ file: '/etc/a.conf', text }]);
  t.same([...blacklist], ['z']);
  t.same(problems, [
    '/etc/a.conf:1: cannot read blacklist',
    '/etc/a.conf:2: cannot read alias',
    '/etc/a.conf:3: cannot read blaclist',
    '/etc/a.conf:5: cannot read options',
    '/etc/a.conf:6: cannot read config',
  ]);
});

t.test('the kernel command line adds to it', async (t) => {
  const words = wordsOf(
    'quiet modprobe.blacklist=a,b-c loop.max_part=3 m.text="a b" m.flag x= .y=1',
  );
  const { blacklist, options } = parseModulesConfig([], words);
  t.same([...blacklist], ['a', 'b_c']);
  t.same(options, [
    { name: 'loop', text: 'max_part=3' },
    { name: 'm', text: 'text="a b"' },
    { name: 'm', text: 'flag' },
  ]);
  const named = wordsOf('modules-load=a,b rd.modules_load=c modules_load modules-loads=d');
  t.same(modulesOfWords(named), ['a', 'b', 'c']);
});

t.test('modules-load.d(5)', async (t) => {
  t.same(parseModulesLoad('# one\n; two\n\n loop \nvfat'), ['loop', 'vfat']);
});

t.test('names', async (t) => {
  t.equal(moduleName('kernel/drivers/char/hw_random/virtio-rng.ko.xz'), 'virtio_rng');
  t.equal(moduleName('dm-mod.ko'), 'dm_mod');
  t.equal(plainName('a-b[0-9]-c[x-'), 'a_b[0-9]_c[x_');
});

const CASES: readonly (readonly [
  pattern: string,
  yes: readonly string[],
  no: readonly string[],
])[] = [
  ['pci:v*d*sv*', ['pci:v1d2sv3', 'pci:vdsv'], ['pci:v1d2', 'usb:v1d2sv3']],
  ['a?c', ['abc', 'a?c'], ['ac', 'abbc']],
  ['x[0-9a]y', ['x0y', 'x9y', 'xay'], ['xby', 'xy', 'x-y']],
  ['x[!0-9]y', ['xay', 'x-y'], ['x5y', 'xy']],
  ['x[^0]y', ['x1y'], ['x0y']],
  ['x[]]y', ['x]y'], ['x[y', 'xy']],
  ['x[a-]y', ['xay', 'x-y'], ['xby']],
  ['x[open', ['x[open'], ['xopen', 'xo']],
  ['a\\*b', ['a*b'], ['aab', 'a\\*b']],
  ['*', ['', 'anything:at all/with.dots'], []],
  ['a*b*c', ['abc', 'a-b-b-c'], ['a-c-b', 'ab']],
];

t.test('matchesPattern() is fnmatch(3)', async (t) => {
  for (const [pattern, yes, no] of CASES) {
    for (const text of yes) t.ok(matchesPattern(pattern, text), `${pattern} matches '${text}'`);
    for (const text of no) t.notOk(matchesPattern(pattern, text), `${pattern}, not '${text}'`);
  }
  const long = 'a'.repeat(20_000);
  t.notOk(matchesPattern('*a*a*a*a*a*a*b', long), 'and not slow for what matches nowhere');
});

t.test('aliasFinder() finds what matchesPattern() matches, in order', async (t) => {
  const random = randomFrom(20);
  const parts = ['pci:', 'usb', ':', '*', '?', '[a-c]', 'a', 'b', '-', '_', 'v1'];
  const text = (from: readonly string[]) =>
    Array.from({ length: 1 + random.below(5) }, () => random.pick(from)).join('');
  const aliases = Array.from({ length: 300 }, (_, i) => ({
    pattern: text(parts),
    module: `m${i % 40}`,
  }));
  const find = aliasFinder(aliases);
  let found = 0;
  for (let i = 0; i < 500; i++) {
    const name = text(['pci:', 'usb', ':', 'a', 'b', '-', '_', 'v1', 'd']);
    const all = aliases.filter(({ pattern }) =>
      matchesPattern(plainName(pattern), plainName(name)),
    );
    const modules = [...new Set(all.map(({ module }) => module))];
    found += modules.length;
    if (find(name).join() !== modules.join()) t.same(find(name), modules, name);
  }
  t.ok(found > 1000, 'and it had something to find');
});

t.test('words of dracut mean the same as those of modprobe', async (t) => {
  const { words } = splitKernelWords(
    'rd.driver.blacklist=a-b,c module_blacklist=d rd.driver.pre=e',
  );
  t.same([...parseModulesConfig([], words).blacklist], ['a_b', 'c', 'd']);
  t.same(modulesOfWords(words), ['e']);
});
