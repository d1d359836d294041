import t from 'tap';
import { parseProgram } from '../../src/cli/programs.ts';
import { fake, svctl } from './fake.ts';

const CASES: readonly (readonly [
  line: string,
  method: string,
  inMs?: number | null,
  message?: string,
])[] = [
  ['poweroff', 'poweroff'],
  ['poweroff -p', 'poweroff'],
  ['poweroff -d --no-wall', 'poweroff'],
  ['poweroff -n -i -h', 'poweroff'],
  ['reboot -d -n -i --check-inhibitors=no', 'reboot'],
  ['poweroff --halt', 'halt'],
  ['halt', 'halt'],
  ['halt -p', 'poweroff'],
  ['halt --reboot', 'reboot'],
  ['reboot', 'reboot'],
  ['reboot -p', 'poweroff'],
  ['shutdown now', 'poweroff'],
  ['shutdown -h now', 'poweroff'],
  ['shutdown -h +0', 'poweroff'],
  ['shutdown -hP now', 'poweroff'],
  ['shutdown -hH now', 'halt'],
  ['shutdown -P 0', 'poweroff'],
  ['shutdown -r now', 'reboot'],
  ['shutdown -H now', 'halt'],
  ['shutdown now -r', 'reboot'],
  ['shutdown', 'poweroff', 60_000],
  ['shutdown -h', 'poweroff', 60_000],
  ['shutdown -r +5', 'reboot', 300_000],
  ['shutdown -r 90 new kernel', 'reboot', 5_400_000, 'new kernel'],
  ['shutdown -h now bye all', 'poweroff', null, 'bye all'],
  ['shutdown --no-wall now', 'poweroff'],
  ['shutdown --no-wall +5', 'poweroff', 300_000],
  ['shutdown -t1 -a -r now', 'reboot'],
  ['shutdown -f -F -t 5 now', 'poweroff'],
  ['telinit 0', 'poweroff'],
  ['telinit 6', 'reboot'],
  ['telinit -t 5 6', 'reboot'],
];

t.test('parseProgram() understands what people type', async (t) => {
  for (const [line, method, inMs = null, message = ''] of CASES) {
    const [program = '', ...argv] = line.split(' ');
    t.match(parseProgram(program, argv), { act: 'down', method, inMs, message }, line);
  }
  for (const [line, act] of [
    ['shutdown -c', 'cancel'],
    ['shutdown -c never mind', 'cancel'],
    ['shutdown --show', 'show'],
    ['shutdown -k now bye', 'warn'],
    ['halt -w', 'nothing'],
    ['reboot -w -f', 'nothing'],
    ['telinit q', 'scan'],
    ['telinit Q', 'scan'],
    ['telinit u', 'reexec'],
  ] as const) {
    const [program = '', ...argv] = line.split(' ');
    t.equal(parseProgram(program, argv).act, act, line);
  }
});

t.test('parseProgram() tells force from what is no hurry', async (t) => {
  for (const [line, force] of [
    ['reboot', false],
    ['reboot -f', true],
    ['poweroff --force', true],
    ['poweroff -ff', true],
    ['halt -fpn', true],
    ['shutdown -f now', false],
    ['shutdown -n now', true],
    ['telinit 6', false],
  ] as const) {
    const [program = '', ...argv] = line.split(' ');
    t.match(parseProgram(program, argv), { act: 'down', force }, line);
  }
});

t.test('parseProgram() refuses what svinit does not do', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['poweroff now', /'now': no arguments are taken/],
    ['reboot bootloader', /'bootloader': no arguments/],
    ['halt -x', /^There is no option -x$/],
    ['shutdown -r soon', /^'soon' is no time: now, /],
    ['shutdown 24:00', /^'24:00' is not a time of day/],
    ['shutdown +99999', /^'\+99999' is too far away/],
    ['telinit', /^'' is not 0, 6, q or u/],
    ['telinit 3', /^'3': svinit has no runlevels/],
    ['telinit 6 6', /^'6': no arguments are taken/],
    ['telinit -e A=b 6', /^-e: svinit has no environment/],
    ['shutdown -rH now', /^Both reboot and halt/],
    ['shutdown -hr now', /^Both -h and -r/],
  ];
  for (const [line, message] of cases) {
    const [program = '', ...argv] = line.split(' ');
    t.throws(() => parseProgram(program, argv), { message, exit: 2 }, line);
  }
});

t.test('the programs ask svinit, by whatever path they are called', async (t) => {
  const server = await fake(t, ({ method }, answer) => answer.result({ halting: method }));
  const env = { SVINIT_RUN: server.run };
  const off = await svctl([], { env, program: '/sbin/poweroff' });
  t.strictSame(off, { exit: 0, out: 'Going down (poweroff): services are stopping\n', err: '' });
  const again = await svctl(['-r', 'now', '--json'], { env, program: 'shutdown' });
  t.strictSame(again, { exit: 0, out: '{"halting":"reboot"}\n', err: '' });
  t.match(server.asked, [{ method: 'poweroff' }, { method: 'reboot' }]);

  const refused = await svctl(['-e', 'A=b', '6'], { env, program: 'telinit' });
  t.equal(refused.exit, 2);
  t.match(refused.err, /^telinit: -e: svinit has no environment.*\n {2}usage: telinit/);
  t.equal(refused.out, '');
  const help = await svctl(['--help'], { env, program: 'halt' });
  t.match(help, { exit: 0, out: /^usage: halt .*--force.*Taken, and without effect:.* -n: /s });
  const record = await svctl(['-w'], { env, program: 'halt' });
  t.strictSame(record, { exit: 0, out: '', err: '' });
  t.equal(server.asked.length, 2, 'none of them asked anything');

  const forced = await svctl(['-f'], { env, program: 'reboot' });
  t.equal(forced.exit, 0);
  t.match(server.asked.at(-1), { method: 'reboot', params: { force: true } });
  await svctl(['-k', '+5', 'bye'], { env, program: 'shutdown' });
  const params = { kind: 'poweroff', inMs: 300_000, message: 'bye', pretend: true };
  t.match(server.asked.at(-1), { method: 'schedule', params });
});
