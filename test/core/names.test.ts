/** Names of services, and text of unknown origin in messages. */
import t from 'tap';
import {
  isObjectWord,
  NAME_PATTERN,
  nameProblem,
  printable,
  quoted,
} from '../../src/core/names.ts';

t.test('nameProblem() accepts what services are called', async (t) => {
  for (const name of ['a', 'web', 'getty@ttyS0', 'db:main', 'x_1.2+3-4', '0', 'A'.repeat(64)]) {
    t.equal(nameProblem(name), null, name);
    t.match(name, new RegExp(NAME_PATTERN));
  }
});

t.test('C8 nameProblem() says what is wrong with any other name', async (t) => {
  const wrong: readonly (readonly [string, string])[] = [
    ['', 'a name may not be empty'],
    ['.hidden', "the name '.hidden' begins with '.'"],
    ['-rf', "the name '-rf' begins with '-'"],
    ['a/b', "the name 'a/b' has a character other than A-Z a-z 0-9 _ . @ : + -"],
    ['a b', "the name 'a b' has a character other than A-Z a-z 0-9 _ . @ : + -"],
    ['a\nb', "the name 'a\\u{a}b' has a character other than A-Z a-z 0-9 _ . @ : + -"],
    ['caf\u00e9', "the name 'caf\\u{e9}' has a character other than A-Z a-z 0-9 _ . @ : + -"],
    ['s6rc-x', "the name 's6rc-x' begins with 's6rc-', kept by s6-rc"],
    ['s6-rc-x', "the name 's6-rc-x' begins with 's6-rc-', kept by s6-rc"],
    ['svinit', "the name 'svinit' is kept for PID 1 itself"],
    ['__proto__', "the name '__proto__' is reserved"],
    ['constructor', "the name 'constructor' is reserved"],
    ['prototype', "the name 'prototype' is reserved"],
    ['n'.repeat(65), `the name '${'n'.repeat(64)}...' has 65 characters, the most is 64`],
  ];
  for (const [name, reason] of wrong) t.equal(nameProblem(name), reason);
});

t.test('quoted() shows no control character and no more than a line', async (t) => {
  t.equal(quoted('plain'), "'plain'");
  t.equal(quoted('\u001b[2J'), "'\\u{1b}[2J'");
  t.equal(quoted('\u202eevil'), "'\\u{202e}evil'");
  t.equal(printable('x'.repeat(1_000_000)).length, 67);
});

t.test('isObjectWord() knows what every object inherits', async (t) => {
  t.equal(isObjectWord('__proto__'), true);
  t.equal(isObjectWord('proto'), false);
});
