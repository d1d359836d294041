/** Names of services, and text of unknown origin in messages. */
import t from 'tap';
import {
  FULL_NAME_CHARS_MAX,
  fileNameOf,
  isObjectWord,
  loggedBy,
  loggerOf,
  NAME_PATTERN,
  nameOfFile,
  nameProblem,
  plainNameProblem,
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

t.test('the logger of a service has its name, and nothing else has a slash', async (t) => {
  const longest = `${'A'.repeat(64)}/log`;
  for (const name of ['web/log', 'getty@ttyS0/log', longest]) {
    t.equal(nameProblem(name), null, name);
    t.match(name, new RegExp(NAME_PATTERN));
    t.equal(nameOfFile(fileNameOf(name)), name);
    t.notMatch(fileNameOf(name), '/');
  }
  t.equal(longest.length, FULL_NAME_CHARS_MAX);
  for (const name of [
    '/log',
    'web/log/log',
    'web/logs',
    'log/web',
    '../log',
    'web//log',
    'a,log',
  ]) {
    t.not(nameProblem(name), null, name);
    t.notMatch(name, new RegExp(NAME_PATTERN));
  }
  t.not(plainNameProblem('web/log'), null, 'where it may be no logger');
  t.equal(loggerOf('web'), 'web/log');
  t.same(['web/log', 'web', 'weblog'].map(loggedBy), ['web', null, null]);
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
