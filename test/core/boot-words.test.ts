/** The kernel command line as people are shown it. */
import t from 'tap';
import { BOOT_KEYS } from '../../src/core/boot-keys.ts';
import { otherKey } from '../../src/core/boot-keys-other.ts';
import { explainCommandLine } from '../../src/core/boot-words.ts';

t.test('explainCommandLine() tells what is for svinit from what is not', async (t) => {
  const text = 'console=ttyS0 root=/dev/vda1 quiet svinit_target=web secret=hunter2 -- single';
  const { understood, ignored, init, notices } = explainCommandLine(text);
  t.match(understood, [
    { key: 'console', value: 'ttyS0', about: /./ },
    { key: 'root', value: '/dev/vda1', about: /./ },
    { key: 'quiet', value: null, about: /./ },
  ]);
  t.ok(ignored.includes('secret'), 'a stranger is named');
  t.notMatch(JSON.stringify({ understood, ignored, notices }), /hunter2/, 'without its value');
  t.same(init, ['single']);
});

t.test('a value that is refused is understood and told', async (t) => {
  const { understood, notices } = explainCommandLine('svinit.parallel=many');
  t.match(understood, [{ key: 'svinit.parallel', value: 'many' }]);
  t.match(notices, [/svinit\.parallel/]);
});

t.test('every word says who does something with it', async (t) => {
  const text =
    'BOOT_IMAGE=/v modules-load=vfat rd.luks.uuid=1 ip=dhcp systemd.setenv=A=b nobody.knows';
  const { others, ignored } = explainCommandLine(text);
  t.match(others, [
    { key: 'BOOT_IMAGE', state: 'kernel' },
    { key: 'modules-load', state: 'elsewhere' },
    { key: 'rd.luks.uuid', state: 'not built' },
    { key: 'ip', state: 'not built' },
    { key: 'systemd.setenv', state: 'ignored' },
  ]);
  t.same(ignored, ['nobody.knows']);
});

t.test('no secret is shown, and none in what is wrong with it', async (t) => {
  const text = 'root=http://me:hunter2@h/ rd.break=hunter2 token=hunter2 -- --key=hunter2';
  t.notMatch(JSON.stringify(explainCommandLine(text)), /hunter2/);
});

t.test('no key of svinit is also in the table of the others', async (t) => {
  for (const name of BOOT_KEYS.flatMap(({ names }) => names)) t.equal(otherKey(name), null, name);
});
