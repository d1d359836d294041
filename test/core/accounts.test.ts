/**
 * Which accounts differ, and that nothing but their names is told.
 */
import t from 'tap';
import { accountDrift } from '../../src/core/accounts.ts';

const DISK = 'root:$6$secret:1\nalice:x:2\nbob:y:3\n';

t.test('names of what is new, changed and gone', async (t) => {
  t.equal(accountDrift(DISK, DISK), '');
  t.equal(accountDrift(DISK, `${DISK}\n# no account\n`), '');
  const now = 'root:$6$other:1\nalice:x:2\ncarol:z:4\n';
  t.equal(accountDrift(DISK, now), 'new: carol; changed: root; gone: bob');
  t.equal(accountDrift('', 'a:1\n'), 'new: a');
});

t.test('never more than names, and not too many', async (t) => {
  const many = Array.from({ length: 15 }, (_, n) => `u${n}:$6$hash${n}:`).join('\n');
  const drift = accountDrift(DISK, many);
  t.notMatch(drift, /hash|secret|\$6/);
  t.match(drift, /u9 and 5 more/);
});
