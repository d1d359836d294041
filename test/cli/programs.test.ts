import t from 'tap';
import { parseProgram } from '../../src/cli/programs.ts';
import { fake, svctl } from './fake.ts';

const CASES: readonly (readonly [string, string])[] = [
  ['poweroff', 'poweroff'],
  ['poweroff -p', 'poweroff'],
  ['poweroff -d --no-wall', 'poweroff'],
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
];

t.test('parseProgram() understands what people type', async (t) => {
  for (const [line, method] of CASES) {
    const [program = '', ...argv] = line.split(' ');
    t.equal(parseProgram(program, argv).method, method, line);
  }
});

t.test('parseProgram() refuses what svinit does not do', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['reboot -f', /^-f: .*not supported yet$/],
    ['poweroff --force', /^--force: /],
    ['halt -w', /^-w: writes only a record/],
    ['halt -n', /^-n: /],
    ['halt -fp', /^-f: /],
    ['poweroff now', /'now': no arguments are taken/],
    ['reboot bootloader', /'bootloader': no arguments/],
    ['halt -x', /^There is no option -x$/],
    ['shutdown', /^When\?/],
    ['shutdown -h', /^When\?/],
    ['shutdown -r +5', /^Cannot shut down at '\+5'/],
    ['shutdown 23:00', /^Cannot shut down at '23:00'/],
    ['shutdown -h now bye all', /^'bye all': messages to users are not supported/],
    ['shutdown -c', /^-c: nothing can be cancelled/],
    ['shutdown -k now', /^-k: /],
    ['shutdown -t5 now', /^-t: /],
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

  const refused = await svctl(['-f'], { env, program: 'reboot' });
  t.equal(refused.exit, 2);
  t.match(refused.err, /^reboot: -f: to go down at once.*not supported yet\n {2}usage: reboot/);
  t.equal(refused.out, '');
  const help = await svctl(['--help'], { env, program: 'halt' });
  t.match(help, { exit: 0, out: /^usage: halt .*Refused:/s, err: '' });
  t.equal(server.asked.length, 2, 'neither of them asked anything');
});
