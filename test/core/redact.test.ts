/**
 * Secrets of a kernel command line stay out of what is shown and out of reports.
 */
import t from 'tap';
import { reportText } from '../../src/core/failure-report.ts';
import { redactCommandLine, redactText, secretsOf } from '../../src/core/redact.ts';

/** A command line, and what may be shown of it. */
const LINES: readonly (readonly [string, string])[] = [
  ['quiet root=UUID=1 ro', 'quiet root=UUID=1 ro'],
  ['password=hunter2 x', 'password=[redacted] x'],
  ['rd.luks.key=/keyfile:UUID=1', 'rd.luks.key=[redacted]'],
  ['svinit_TOKEN="a b" quiet', 'svinit_TOKEN=[redacted] quiet'],
  ['systemd.set_credential=passwd.hash:abc', 'systemd.set_credential=[redacted]'],
  ['root=http://me:hunter2@host/r', 'root=http://[redacted]@host/r'],
  ['url=https://tok3n@host:80/r?x=1', 'url=https://[redacted]@host:80/r?x=1'],
  ['root=http://host/a@b', 'root=http://host/a@b'],
  ['rootflags=user=me,password=hunter2,ro', 'rootflags=user=me,password=[redacted],ro'],
  ['"a b" k="v w"', '"a b" "k=v w"'],
  ['x -- --secret=hunter2 y', 'x -- --secret=[redacted] y'],
  ['secret', 'secret'],
  ['secret=', 'secret=[redacted]'],
];

t.test('redactCommandLine() keeps what is named a secret to itself', async (t) => {
  for (const [line, shown] of LINES) t.equal(redactCommandLine(line), shown);
});

t.test('secretsOf() finds them wherever they stand, to take them out of other text', async (t) => {
  const line =
    'pass=hunter2 root=http://me:hunter3@h/ rootflags=a,token=hunter4 key=ab -- secret=x9x9';
  const secrets = secretsOf(line);
  t.same([...secrets].sort(), ['hunter2', 'hunter3', 'hunter4', 'me:hunter3', 'x9x9']);
  const kernel = 'Unknown parameters "pass=hunter2", mounted hunter3 with hunter4 for ab';
  const shown = redactText(kernel, secrets);
  t.notMatch(shown, /hunter/);
  t.match(shown, /for ab$/, 'what is as short as a word stays');
});

t.test('redactText() of hostile text takes no time and leaves no address whole', async (t) => {
  const texts = [
    'key'.repeat(20_000),
    `${'a'.repeat(50_000)}=`,
    '://'.repeat(20_000),
    `http://${'u:'.repeat(400)}@h`,
    'pass ='.repeat(10_000),
  ];
  for (const text of texts) t.type(redactText(text), 'string');
  t.equal(redactText(texts[3] ?? ''), 'http://[redacted]@h');
});

t.test(
  'reportText() has no secret in any of its parts, and nothing acts on a terminal',
  async (t) => {
    const text = reportText({
      why: ['Cannot mount http://me:hunter2@h/r: \u001b[2J'],
      when: 'now',
      about: ['svinit'],
      commandLine:
        'secret=hunter2 rd.break=hunter2 root=http://me:hunter2@h/r svinit.target=hunter2',
      sections: [
        { title: 'kernel', lines: ['Kernel command line: secret=hunter2'], none: '' },
        { title: 'modules', lines: [], none: 'there are none' },
      ],
    });
    t.notMatch(text, /hunter2/);
    t.match(text, '== modules\n(there are none)\n');
    t.match(text, /^[\x20-\x7e\n\ufffd…]*$/, 'printable');
  },
);
