/** The kernel command line as people are shown it. */
import t from 'tap';
import { explainCommandLine } from '../../src/core/boot-words.ts';

t.test('explainCommandLine() tells what is for svinit from what is not', async (t) => {
  const text = 'console=ttyS0 root=/dev/vda1 quiet svinit_target=web secret=hunter2 -- single';
  const { understood, ignored, init, notices } = explainCommandLine(text);
  t.match(understood, [
    { key: 'console', value: 'ttyS0', about: /./ },
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
