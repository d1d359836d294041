/**
 * What an answer at the console leads to on the way to a root: what the same words would on the
 * kernel command line, and nothing when they mean nothing.
 */
import t from 'tap';
import { answered, type Question } from '../../src/boot/root-ask.ts';
import { BOOT_DEFAULTS, type BootOptions } from '../../src/core/boot-options.ts';

const OVERLAY: Pick<Question, 'words' | 'take' | 'skipped'> = {
  words: (answer) => `svinit.overlay=${answer}`,
  take: ({ overlay }) => ({ overlay }),
  skipped: 'no',
};
const WHERE: Pick<Question, 'words' | 'take' | 'skipped'> = {
  words: (answer) => `root=${answer}`,
  take: ({ root }) => ({ root }),
  skipped: 'none',
};

const OPTIONS: BootOptions = { ...BOOT_DEFAULTS, root: 'LABEL=a', overlay: 'state', rw: true };

t.test('an answer changes what it was asked for and nothing else', async (t) => {
  const told: string[] = [];
  const tell = (line: string) => void told.push(line);
  const after = (question: typeof WHERE, answer: Parameters<typeof answered>[2]) =>
    answered(OPTIONS, question, answer, tell);
  t.equal(after(OVERLAY, { kind: 'accept' }), OPTIONS);
  t.same(after(OVERLAY, { kind: 'value', text: 'overlay' }), { ...OPTIONS, overlay: 'overlay' });
  t.same(after(OVERLAY, { kind: 'skip' }), { ...OPTIONS, overlay: 'no' });
  t.same(after(WHERE, { kind: 'skip' }), { ...OPTIONS, root: 'none' });
  const label = { kind: 'value', text: 'LABEL=my disk' } as const;
  t.same(after(WHERE, label), { ...OPTIONS, root: 'LABEL=my disk' }, 'blanks belong to it');
  const more = { kind: 'value', text: '/dev/sda" rw "x' } as const;
  t.same(after(WHERE, more), { ...OPTIONS, root: '/dev/sda rw x' }, 'and nothing ends it');
  t.same(told, []);
  t.equal(after(OVERLAY, { kind: 'value', text: 'perhaps' }), OPTIONS);
  t.match(told, [/overlay/], 'what means nothing is told');
});
