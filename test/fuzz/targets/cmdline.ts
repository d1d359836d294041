/**
 * The kernel command line: words as the kernel itself takes them, and options that hold nothing but
 * what their keys allow, whatever the line says.
 */
import { BOOT_KEYS } from '../../../src/core/boot-keys.ts';
import { BOOT_DEFAULTS, type BootOptions } from '../../../src/core/boot-options.ts';
import { isHostname, isName } from '../../../src/core/boot-values.ts';
import { parseArguments, parseCommandLine } from '../../../src/core/cmdline.ts';
import { COMMAND_LINE_MAX, splitKernelWords } from '../../../src/core/kernel-words.ts';
import type { Random } from '../../core/support/random.ts';
import { bytesForm, randomBytes, randomLength, utf8 } from '../bytes.ts';
import { parseArgs } from '../next-arg.ts';
import { insist, insistSame, measured, shown, type Target } from '../target.ts';

const NAMES: readonly string[] = BOOT_KEYS.flatMap(({ names }) => names);
const OPTIONS: readonly string[] = BOOT_KEYS.flatMap(({ option }) => option ?? []);
const VALUES: readonly string[] = [
  ...['yes', 'no', '0', '1', '15', '16', '1001', '16M', '1T', '2T', 'a', 'web', '/a,/b', '/a'],
  ...['tty0', 'ttyS0,115200n8', 'null', 'rescue.target', 'x.target', 'h.example', '', '"', '/\x1b'],
  ...[`/${'x'.repeat(4100)}`, 'x'.repeat(65), '__proto__', 'svinit', ',,,,', '/a b'],
];
const NOTICES_MAX = 17;
const NOTICE_CHARS_MAX = 400;

export const cmdline: Target<Uint8Array> = {
  name: 'cmdline',
  form: bytesForm([...NAMES, ...OPTIONS, ...VALUES, ' ', '=', ' -- ', '" ', ' "', '="', '"=']),
  rounds: 12_000,
  generate: (random) => {
    const dice = random.next();
    if (dice < 0.15) return randomBytes(random, 4096);
    if (dice < 0.45) return randomBytes(random, randomLength(random, 5000), ' \t"=-_.a"= "');
    const count = random.chance(0.02) ? 8000 : random.below(30);
    return utf8(Array.from({ length: count }, () => word(random)).join(random.pick([' ', '  '])));
  },
  run: (bytes) => {
    const text = Buffer.from(bytes).toString('utf8');
    checkWords(text);
    const options = measured(() => parseCommandLine(text));
    checkOptions(options);
    insistSame(parseCommandLine(text), options, 'read again');
    checkArguments(text.split(' '), options);
  },
};

function word(random: Random): string {
  const key = random.pick([...NAMES, 'root', 'svinit.tmpfs-size', 'svinit.x', 'BUN_OPTIONS', '--']);
  const q = (): string => (random.chance(0.1) ? '"' : '');
  const value = q() + random.pick(VALUES) + q();
  return q() + (random.chance(0.2) ? key : `${key}=${value}`) + q();
}

function checkWords(text: string): void {
  const { words, rest, cut } = measured(() => splitKernelWords(text));
  insistSame(cut, text.length > COMMAND_LINE_MAX, 'whether it is cut');
  const wanted = parseArgs(text.slice(0, COMMAND_LINE_MAX));
  if (!cut) return insistSame({ words, rest }, wanted, 'the words');
  // Half of a word is another word: the last one may be missing, and nothing may be in its place.
  const [found, all] = [
    [...words, ...rest],
    [...wanted.words, ...wanted.rest],
  ];
  insist(found.length >= all.length - 2, () => `only ${found.length} of ${all.length} words`);
  insistSame(found, all.slice(0, found.length), 'the words of a line that is cut');
}

function checkOptions(options: BootOptions): void {
  for (const name of Object.keys(options)) {
    insist(name in BOOT_DEFAULTS, () => `an option ${shown(name)}`);
  }
  const { target, main, hostname, scan, consoles, parallel, tmpfsSize, notices } = options;
  insist(target === null || isName(target), () => `target ${shown(target)}`);
  insist(main === null || isName(main), () => `main ${shown(main)}`);
  insist(hostname === null || isHostname(hostname), () => `host name ${shown(hostname)}`);
  insist((scan?.length ?? 0) <= 16, () => `${scan?.length} roots`);
  insist(scan?.every((path) => /^\/[^\0-\x1f\x7f]*$/.test(path)) !== false, () => shown(scan));
  insist((consoles.length ?? 0) <= 16, () => `${consoles.length} consoles`);
  const isFew = parallel === null || (parallel >= 1 && parallel <= 1000);
  insist(isFew, () => `parallel ${parallel}`);
  const isSize = tmpfsSize >= 2 ** 20 && tmpfsSize <= 2 ** 40;
  insist(isSize, () => `a tmpfs of ${tmpfsSize} bytes`);
  insist(notices.length <= NOTICES_MAX, () => `${notices.length} notices`);
  for (const notice of notices) checkText(notice);
}

function checkArguments(argv: readonly string[], base: BootOptions): void {
  const parsed = measured(() => parseArguments(argv, base));
  if (!parsed.ok) return checkText(parsed.reason);
  checkOptions(parsed.options);
  const at = argv.indexOf('--');
  if (parsed.command === null) return insist(at < 0, () => 'the command is lost');
  insistSame(parsed.command, argv.slice(argv.length - parsed.command.length), 'the command');
}

/** Notices and reasons come to the console. */
function checkText(text: string): void {
  insist(/^[\x20-\x7e]+$/.test(text), () => `it acts on a terminal: ${shown(text)}`);
  insist(text.length <= NOTICE_CHARS_MAX, () => `a notice of ${text.length} characters`);
}
