/**
 * The kernel command line: the kernel's quoting, and what svinit makes of the words.
 */
import t from 'tap';
import { BOOT_KEYS } from '../../src/core/boot-keys.ts';
import { BOOT_DEFAULTS, type BootOptions } from '../../src/core/boot-options.ts';
import { bootUsage, parseArguments, parseCommandLine } from '../../src/core/cmdline.ts';
import { COMMAND_LINE_MAX, plainKey, splitKernelWords } from '../../src/core/kernel-words.ts';

/** Checked against the C functions of lib/cmdline.c: `|` parts words, `=>` key and value. */
const QUOTING: readonly (readonly [string, string])[] = [
  ['', ''],
  ['  \t\n ', ''],
  ['a  b\tc\n', 'a|b|c'],
  ['k=v k= =v ==v', 'k=>v|k=>|=v|==>v'],
  ['a=b=c', 'a=>b=c'],
  ['k="v w" x', 'k=>v w|x'],
  ['"k=v w" x', 'k=>v w|x'],
  ['"a b" c', 'a b|c'],
  ['a"b c"d e', 'a"b c"d|e'],
  ['k="v w"x y', 'k=>v w"x|y'],
  ['k=v" w"x y', 'k=>v" w"x|y'],
  ['k="v \\" w"', 'k=>v \\|w"'],
  ['k="open to the end', 'k=>open to the end'],
  ['"', ''],
  ['"" x', '|x'],
  ['k="" x', 'k=>|x'],
  ['k=" x', 'k=> x'],
  ['"k="v w" x"', 'k=>v|w" x"'],
];

t.test('splitKernelWords() quotes as the kernel does', async (t) => {
  for (const [line, expected] of QUOTING) {
    const { words } = splitKernelWords(line);
    const shown = words.map(({ key, value }) => (value === null ? key : `${key}=>${value}`));
    t.equal(shown.join('|'), expected, JSON.stringify(line));
  }
});

t.test('splitKernelWords() gives init what stands after --', async (t) => {
  const { words, rest } = splitKernelWords('quiet -- --main web k="v w" "a b" -- x=');
  t.same(words, [{ key: 'quiet', value: null }]);
  t.same(rest, ['--main', 'web', 'k=v w', 'a b', '--', 'x=']);
  t.same(splitKernelWords('a "--" b').rest, ['b'], 'quotes do not hide it');
  t.same(splitKernelWords('--=x b').rest, [], 'with a value it is a key');
});

t.test('splitKernelWords() never gives half a word of a text that is too long', async (t) => {
  const head = 'a'.repeat(COMMAND_LINE_MAX - 8);
  const { words, cut } = splitKernelWords(`${head} svinit.target=rescue`);
  t.equal(cut, true);
  t.equal(words.length, 1);
  t.equal(splitKernelWords(`${head} quiet`).cut, false);
  t.equal(parseCommandLine(`${head} quiet and more of it`).notices.length, 1);
});

t.test('plainKey() makes - and _ equal', async (t) => {
  t.equal(plainKey('svinit.tmpfs-size'), plainKey('svinit.tmpfs_size'));
});

/** What each line changes against the defaults. */
const LINES: readonly (readonly [string, Partial<BootOptions>])[] = [
  ['', {}],
  [
    'BOOT_IMAGE=/vmlinuz root=UUID=1 ro BUN_OPTIONS=--preload=/x LD_PRELOAD=y nosplash',
    { root: 'UUID=1' },
  ],
  ['quiet', { quiet: true }],
  ['quiet=1 quiet=no', { quiet: false }],
  ['quiet=on', { quiet: true }],
  ['quiet=Yes', { quiet: true }],
  ['loglevel=3 loglevel=7', { loglevel: 7 }],
  ['console=tty0 console=ttyS0,115200n8', { consoles: ['tty0', 'ttyS0'] }],
  ['console=ttyS0 console=tty0 console=ttyS0', { consoles: ['tty0', 'ttyS0'] }],
  ['console= console=null', {}],
  ['svinit.target=web', { target: 'web' }],
  ['svinit.target=web single', { target: 'rescue' }],
  ['single svinit.target=web', { target: 'web' }],
  ['s', { target: 'rescue' }],
  ['S', { target: 'rescue' }],
  ['1', { target: 'rescue' }],
  ['rescue', { target: 'rescue' }],
  ['emergency', { target: 'emergency' }],
  ['emergency=no', {}],
  ['systemd.unit=rescue.target', { target: 'rescue' }],
  ['systemd.unit=emergency.target', { target: 'emergency' }],
  ['systemd.unit=multi-user.target', {}],
  ['svinit.scan=/a,/b svinit.scan=/c', { scan: ['/a', '/b', '/c'] }],
  ['svinit.scan=runit:/etc/sv,/b', { scan: ['runit:/etc/sv', '/b'] }],
  ['svinit.scan="/with space"', { scan: ['/with space'] }],
  ['svinit.parallel=4', { parallel: 4 }],
  ['svinit.tmpfs-size=32m', { tmpfsSize: 32 * 1024 * 1024 }],
  ['svinit.memory_min=0', { memoryMin: 0 }],
  ['svinit.memory-min=96M', { memoryMin: 96 * 1024 * 1024 }],
  ['svinit.tmpfs_size=2097152', { tmpfsSize: 2 * 1024 * 1024 }],
  ['systemd.show_status=no', { quiet: true }],
  ['quiet systemd.show_status', { quiet: false }],
  ['systemd.show_status=error', { quiet: true }],
  ['systemd.watchdog_sec=30', { watchdog: 30 }],
  ['svinit.main=web', { main: 'web' }],
  ['systemd.hostname=a hostname=b-1.example', { hostname: 'b-1.example' }],
  ['root=/dev/vda1 root=LABEL="my disk"', { root: 'LABEL="my disk"' }],
  ['root="LABEL=my disk"', { root: 'LABEL=my disk' }],
  ['rootfstype=ext4,xfs', { rootfstype: 'ext4,xfs' }],
  ['rootflags=noatime rootflags=subvol=@,discard', { rootflags: 'noatime,subvol=@,discard' }],
  ['rw', { rw: true }],
  ['rw ro', { rw: false }],
  ['ro rw', { rw: true }],
  ['rootdelay=5', { rootdelay: 5 }],
  ['rootwait', { rootwait: true }],
  ['rootwait rootwait=7', { rootwait: false, rootTimeout: 7 }],
  ['rd.timeout=90', { rootTimeout: 90 }],
  ['rd.timeout=0', { rootwait: true }],
  ['init=/lib/systemd/systemd', { init: '/lib/systemd/systemd' }],
  ['svinit.handover=stay', { handover: 'stay' }],
  ['svinit.handover=classic', { handover: 'classic' }],
  ['systemd.volatile', { overlay: 'yes' }],
  ['systemd.volatile=state', { overlay: 'state' }],
  ['systemd.volatile=off', { overlay: 'no' }],
  ['svinit.overlay=overlay', { overlay: 'overlay' }],
  ['rd.overlay', { overlay: 'overlay' }],
  ['rd.overlay=yes', { overlay: 'overlay' }],
  ['rd.overlay=0', { overlay: 'no' }],
  ['svinit.etc-overlay', { etcOverlay: true }],
  ['fsck.mode=force fsck.repair=yes', { fsckMode: 'force', fsckRepair: 'yes' }],
  ['fastboot', { fsckMode: 'skip' }],
  ['forcefsck fsckfix', { fsckMode: 'force', fsckRepair: 'yes' }],
  ['forcefsck=no', {}],
  ['rd.break', { breaks: ['pre-pivot'] }],
  ['rd.break=cmdline,mount rd.break=mount', { breaks: ['cmdline', 'mount'] }],
  ['break=premount break=bottom', { breaks: ['pre-mount', 'pre-pivot'] }],
  [
    'break=top,modules,mountroot,init',
    { breaks: ['cmdline', 'pre-trigger', 'pre-mount', 'cleanup'] },
  ],
  ['svinit.interactive', { interactive: true }],
  ['rd.cmdline=ask', { interactive: true }],
  ['rd.shell=0 rd.emergency=poweroff', { shell: false, emergency: 'poweroff' }],
  ['rd.emergency=halt rd.emergency=reboot', { emergency: 'reboot' }],
  ['svinit.ask=0', { askTimeout: 0 }],
  ['rd.ctty=tty2', { ctty: '/dev/tty2' }],
  ['rd.ctty=/dev/ttyS1', { ctty: '/dev/ttyS1' }],
  ['quiet -- quiet --main x', { quiet: true, initArguments: ['quiet', '--main', 'x'] }],
];

t.test('parseCommandLine() understands', async (t) => {
  for (const [line, expected] of LINES) {
    t.same(parseCommandLine(line), { ...BOOT_DEFAULTS, ...expected }, JSON.stringify(line));
  }
});

/** A refused value names its key, itself and what was expected; the rest of the line counts. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['quiet=maybe', "Cannot use quiet: it says 'maybe', expected yes or no"],
  ['loglevel', 'Cannot use loglevel: it says nothing, expected a number from 0 to 15'],
  ['loglevel=16', "Cannot use loglevel: it says '16', expected a number from 0 to 15"],
  [
    'svinit.parallel=0',
    "Cannot use svinit.parallel: it says '0', expected a number from 1 to 1000",
  ],
  [
    'svinit.parallel=4x',
    "Cannot use svinit.parallel: it says '4x', expected a number from 1 to 1000",
  ],
  [
    'svinit.parallel=-1',
    "Cannot use svinit.parallel: it says '-1', expected a number from 1 to 1000",
  ],
  ['svinit.scan=', "Cannot use svinit.scan: it says '', expected absolute paths, at most 16"],
  [
    'svinit.scan=daemontools:/a',
    "Cannot use svinit.scan: it says 'daemontools:/a', expected absolute paths, at most 16",
  ],
  [
    'svinit.scan=/a,b',
    "Cannot use svinit.scan: it says '/a,b', expected absolute paths, at most 16",
  ],
  ['svinit.target=-f', "Cannot use svinit.target: it says '-f', expected the name of a bundle"],
  [
    'svinit.target=__proto__',
    "Cannot use svinit.target: it says '__proto__', expected the name of a bundle",
  ],
  [
    'svinit.tmpfs_size=1k',
    "Cannot use svinit.tmpfs_size: it says '1k', expected bytes from 1M to 1T, with K, M, G or T behind the number",
  ],
  ['console=-x', "Cannot use console: it says '-x', expected a terminal such as ttyS0,115200"],
  [
    'hostname="a b"',
    "Cannot use hostname: it says 'a b', expected at most 64 letters, digits, dots and hyphens",
  ],
  ['root=', "Cannot use root: it says '', expected a device, or a tag such as LABEL=root"],
  [
    'rootwait=soon',
    "Cannot use rootwait: it says 'soon', expected nothing, or a number from 0 to 3600",
  ],
  ['init=sbin/init', "Cannot use init: it says 'sbin/init', expected an absolute path"],
  ['fsck.mode=yes', "Cannot use fsck.mode: it says 'yes', expected auto, force or skip"],
  [
    'systemd.volatile=all',
    "Cannot use systemd.volatile: it says 'all', expected no, state, overlay, yes",
  ],
  [
    'rd.break=later',
    "Cannot use rd.break: it says 'later', expected one or more of cmdline, pre-udev, pre-trigger, initqueue, pre-mount, mount, pre-pivot, cleanup",
  ],
  [
    'rd.ctty=/etc/passwd',
    "Cannot use rd.ctty: it says '/etc/passwd', expected a terminal such as /dev/tty2",
  ],
  ['svinit.targt=x', "Unknown key 'svinit.targt' is ignored, did you mean 'svinit.target'?"],
  ['quiet=\u001b[2J', "Cannot use quiet: it says '\\u{1b}[2J', expected yes or no"],
];

t.test('parseCommandLine() refuses with a reason, and goes on', async (t) => {
  for (const [line, notice] of REFUSED) {
    const options = parseCommandLine(`${line} svinit.main=web`);
    t.same(options, { ...BOOT_DEFAULTS, main: 'web', notices: [notice] }, JSON.stringify(line));
  }
});

t.test('parseCommandLine() keeps the phases that are, beside one that is none', async (t) => {
  const { breaks, notices } = parseCommandLine('rd.break=mount,later,cleanup');
  t.same(breaks, ['mount', 'cleanup']);
  t.equal(notices.length, 1);
});

t.test('parseCommandLine() keeps the last good value of a scalar', async (t) => {
  const { parallel, notices } = parseCommandLine('svinit.parallel=4 svinit.parallel=many');
  t.equal(parallel, 4);
  t.equal(notices.length, 1);
});

t.test('parseCommandLine() takes words of objects for unknown keys', async (t) => {
  const words = ['__proto__=x', 'constructor', 'toString=1', 'hasOwnProperty'];
  t.same(parseCommandLine(words.join(' ')), BOOT_DEFAULTS);
});

t.test('C16 parseCommandLine() of any text at all gives bounded options', async (t) => {
  const alphabet = ['"', '=', ' ', '-', '--', '\0', '\n', 'é', '\ud800', '/', ',', '9'];
  const pieces = [...alphabet, ...BOOT_KEYS.flatMap((row) => row.names)];
  let seed = 1;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  for (let run = 0; run < 2000; run++) {
    const line = Array.from({ length: random(60) }, () => pieces[random(pieces.length)]).join('');
    const options = parseCommandLine(line);
    const sound = options.notices.length <= 16 && options.notices.every((n) => n.length < 256);
    if (!sound || (options.scan ?? []).some((root) => !/^((s6|runit|svinit):)?\//.test(root))) {
      t.fail(`options of ${JSON.stringify(line)}`, { options });
    }
  }
  t.equal(parseCommandLine('quiet=x '.repeat(8000)).notices.length, 16);
});

t.test('parseCommandLine() of 4 KiB of hostile words keeps what it understands', async (t) => {
  const nonsense = [
    ...['__proto__=x', 'svinit.__proto__=x', 'rd.break=__proto__', 'init=', 'root=\u001b[2J'],
    ...['svinit.target=../../etc/passwd', 'svinit.handover=constructor', 'fsck.mode=valueOf'],
    ...['rootflags=\0', 'rootdelay=99999999999', 'rd.timeout=-1', 'rd.ctty=/dev/../etc/shadow'],
    ...['"svinit.overlay=', 'x=" y"z', '=', '==', '"', 'break=,,,,'],
  ];
  const line = ['rescue', ...Array.from({ length: 200 }, (_, i) => nonsense[i % nonsense.length])];
  const text = line.join(' ').slice(0, 4096);
  const { target, breaks, notices, ctty, root, handover } = parseCommandLine(text);
  t.equal(target, 'rescue');
  t.same({ breaks, ctty, root, handover }, { breaks: [], ctty: null, root: null, handover: null });
  t.equal(notices.length, 16);
});

const fromLine = parseCommandLine('quiet svinit.target=web svinit.scan=/line svinit.main=a');

/** Arguments, and what they change against the command line above. */
const ARGUMENTS: readonly (readonly [readonly string[], Partial<BootOptions>, string[] | null])[] =
  [
    [[], {}, null],
    [['--scan', '/x', '--scan=/y,/z'], { scan: ['/x', '/y', '/z'] }, null],
    [
      ['--target', 'db', '--main=b', '--parallel', '2'],
      { target: 'db', main: 'b', parallel: 2 },
      null,
    ],
    [['--quiet=no'], { quiet: false }, null],
    [['--quiet', '--run', '/tmp/r'], { quiet: true, run: '/tmp/r' }, null],
    [['--quiet', '--', 'sh', '-c', '--quiet'], {}, ['sh', '-c', '--quiet']],
  ];

t.test('parseArguments() wins over the command line', async (t) => {
  for (const [argv, expected, command] of ARGUMENTS) {
    const parsed = parseArguments(argv, fromLine);
    t.same(parsed, { ok: true, options: { ...fromLine, ...expected }, command }, argv.join(' '));
  }
});

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [['--targt', 'x'], "Unknown argument '--targt', did you mean '--target'?"],
  [['x'], "Unknown argument 'x'"],
  [['--main'], '--main needs a value: the name of a service'],
  [['--main', '../x'], "Cannot use --main: it says '../x', expected the name of a service"],
  [['--run', 'r'], "Cannot use --run: it says 'r', expected an absolute path"],
  [['--'], 'No command stands after --'],
  [['--__proto__'], "Unknown argument '--__proto__'"],
];

t.test('parseArguments() answers a slip with reason and usage', async (t) => {
  for (const [argv, reason] of WRONG) {
    t.same(parseArguments(argv, fromLine), { ok: false, reason, usage: bootUsage() });
  }
});

t.test('bootUsage() comes from the table', async (t) => {
  const options = BOOT_KEYS.flatMap(({ option }) => option ?? []);
  for (const option of options) t.match(bootUsage(), `[${option}`);
  t.match(bootUsage(), /^svinit \[--quiet\] .* \[-- COMMAND \[ARGUMENT…\]\]$/);
});

t.test('BOOT_KEYS names every key and every option once', async (t) => {
  const names = BOOT_KEYS.flatMap((row) => row.names).map(plainKey);
  t.equal(new Set(names).size, names.length);
  const options = BOOT_KEYS.flatMap(({ option }) => option ?? []);
  t.equal(new Set(options).size, options.length);
});
