/**
 * The programs poweroff, reboot, halt and shutdown: the options people know from sysvinit and
 * systemd (halt(8), shutdown(8)) to one of three methods. What svinit does not do is refused, for
 * an option that is taken and ignored could cost somebody a machine.
 */
import { EXIT, Failure, usageFailure } from './failure.ts';
import { COMMON, type OptionRow, type Parsed, parseOptions } from './options.ts';

export type Method = 'poweroff' | 'reboot' | 'halt';

export type Asked =
  | { readonly method: Method; readonly parsed: Parsed; readonly usage: string }
  | { readonly method: null; readonly help: readonly string[] };

const NO_RECORD = 'writes only a record, and svinit keeps none (wtmp)';
const NOT_YET = 'is not supported yet';

/** Common options that these programs do not take, or have their own row for. */
const NOT_HERE: ReadonlySet<string> = new Set(['help', 'version', 'no-wait']);

const HELP: OptionRow = { name: 'help', about: 'Show this help' };
const NO_WALL: OptionRow = { name: 'no-wall', about: 'Send no message to users; it never does' };

const HALT_ROWS: readonly OptionRow[] = [
  { name: 'poweroff', short: 'p', about: 'Switch the machine off' },
  { name: 'reboot', about: 'Start the machine anew' },
  { name: 'halt', about: 'Stop the processors' },
  { name: 'no-wtmp', short: 'd', about: 'Write no record of it; it never does' },
  NO_WALL,
  refused('force', 'f', `to go down at once, without stopping services, ${NOT_YET}`),
  refused('wtmp-only', 'w', NO_RECORD),
  refused('no-sync', 'n', 'to leave written data unsaved is not supported'),
  refused('interfaces', 'i', `to shut network interfaces down first ${NOT_YET}`),
  refused('standby', 'h', `to put hard disks to standby ${NOT_YET}`),
  refused('check-inhibitors', undefined, 'svinit has no inhibitors'),
];

const SHUTDOWN_ROWS: readonly OptionRow[] = [
  { name: 'poweroff', short: 'P', about: 'Switch the machine off (the default)' },
  { name: 'reboot', short: 'r', about: 'Start the machine anew' },
  { name: 'halt', short: 'H', about: 'Stop the processors' },
  { name: 'off', short: 'h', about: 'The same as -P, unless -H is given' },
  NO_WALL,
  refused('cancel', 'c', 'nothing can be cancelled: scheduled times are not supported yet'),
  refused('show', undefined, 'nothing can be shown: scheduled times are not supported yet'),
  refused('message-only', 'k', `to send only a warning ${NOT_YET}`),
  refused('access', 'a', 'svinit has no /etc/shutdown.allow'),
  refused('delay', 't', `a delay between signals ${NOT_YET}: see stop timeouts of services`),
  refused('skip-fsck', 'f', `to skip the next file system check ${NOT_YET}`),
  refused('force-fsck', 'F', `to force the next file system check ${NOT_YET}`),
  refused('no-init', 'n', 'to go down without stopping services is not supported'),
];

/**
 * What `program` with `argv` asks for.
 * @throws {Failure} exit 2 for whatever is unknown, unsupported or contradicts itself.
 */
export function parseProgram(program: string, argv: readonly string[]): Asked {
  const isShutdown = program === 'shutdown';
  const usage = isShutdown ? 'shutdown [-P|-r|-H|-h] now' : `${program} [-p] [--help]`;
  const own = [...(isShutdown ? SHUTDOWN_ROWS : HALT_ROWS), HELP];
  // The common options without their letters, some of which mean something else here.
  const common = COMMON.filter(({ name }) => !NOT_HERE.has(name)).map(longOnly);
  const parsed = parseOptions(argv, [...own, ...common], usage);
  if (parsed.has('help')) return { method: null, help: helpLines(usage, own, common) };
  checkWords(isShutdown, parsed.names, usage);
  return { method: methodOf(program, parsed, usage), parsed, usage };
}

function methodOf(program: string, parsed: Parsed, usage: string): Method {
  const methods: readonly Method[] = ['poweroff', 'reboot', 'halt'];
  const [asked, other] = methods.filter((method) => parsed.has(method));
  if (asked !== undefined && other !== undefined) {
    throw usageFailure(`Both ${asked} and ${other} are asked for`, usage);
  }
  if (asked === 'reboot' && parsed.has('off')) {
    throw usageFailure('Both -h and -r are asked for', usage);
  }
  return asked ?? methods.find((method) => method === program) ?? 'poweroff';
}

/** shutdown takes a time and then a message; the others take nothing. */
function checkWords(isShutdown: boolean, words: readonly string[], usage: string): void {
  const [time, ...message] = isShutdown ? words : ['now', ...words];
  if (time === undefined) {
    // systemd's shutdown would wait a minute; to go down at once instead would be a surprise.
    throw usageFailure('When? Only now is supported: scheduled times are not yet', usage);
  }
  if (time !== 'now' && time !== '+0' && time !== '0') {
    throw usageFailure(`Cannot shut down at '${time}': scheduled times are not supported`, usage);
  }
  if (message.length === 0) return;
  const what = isShutdown ? 'messages to users are not supported' : 'no arguments are taken';
  throw new Failure(EXIT.usage, `'${message.join(' ')}': ${what}`, `usage: ${usage}`);
}

function refused(name: string, short: string | undefined, why: string): OptionRow {
  const row = { name, about: '', refused: why };
  return short === undefined ? row : { ...row, short };
}

function longOnly(row: OptionRow): OptionRow {
  const { short: _, ...rest } = row;
  return rest;
}

function helpLines(
  usage: string,
  own: readonly OptionRow[],
  common: readonly OptionRow[],
): readonly string[] {
  const rows = [...own, ...common].filter((row) => row.refused === undefined);
  const shown = rows.map((row) => {
    const short = row.short === undefined ? '    ' : `-${row.short}, `;
    const value = row.value === undefined ? '' : ` ${row.value}`;
    return `  ${`${short}--${row.name}${value}`.padEnd(20)}  ${row.about}`;
  });
  const not = own.flatMap(({ name, short, refused: why }) =>
    why === undefined ? [] : [`  ${short === undefined ? `--${name}` : `-${short}`}: ${why}`],
  );
  return [`usage: ${usage}`, '', ...shown, '', 'Refused:', ...not];
}
