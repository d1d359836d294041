/**
 * The programs poweroff, reboot, halt, shutdown and telinit: the options people know from sysvinit
 * and systemd (halt(8), shutdown(8), telinit(8)) to what svinit is asked for. What svinit does not
 * do is refused, for an option that is taken and ignored could cost somebody a machine.
 */
import type { Descent, Method } from './down.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import { COMMON, type OptionRow, type Parsed, parseOptions } from './options.ts';
import type { Session } from './session.ts';
import { delayOf } from './when.ts';

type Level = ({ readonly act: 'down' } & Descent) | { readonly act: 'scan' | 'reexec' };
type Act = Level | { readonly act: 'cancel' | 'show' };

export type Asked =
  | (Act & { readonly parsed: Parsed; readonly usage: string })
  | { readonly act: 'help'; readonly help: readonly string[] };

const NO_RECORD = 'writes only a record, and svinit keeps none (wtmp)';
const NOT_YET = 'is not supported yet';
const FORCE =
  'services are always stopped, each within its time; svctl shutdown skip NAME gives one up';

/** Common options that these programs do not take, or have their own row for. */
const NOT_HERE: ReadonlySet<string> = new Set(['help', 'version', 'no-wait']);

const HELP: OptionRow = { name: 'help', about: 'Show this help' };
const NO_WALL: OptionRow = {
  name: 'no-wall',
  about: 'Tell nobody; only of what is scheduled people are told',
};

const USAGES: ReadonlyMap<string, string> = new Map([
  ['shutdown', 'shutdown [-P|-r|-H|-h] [now|+MINUTES|HH:MM] [MESSAGE...]'],
  ['telinit', 'telinit 0|6|q|u'],
]);

const TELINIT_ROWS: readonly OptionRow[] = [
  refused('delay', 't', `a delay between signals ${NOT_YET}: see stop timeouts of services`),
  refused('env', 'e', 'svinit has no environment that can be changed'),
  NO_WALL,
];

const HALT_ROWS: readonly OptionRow[] = [
  { name: 'poweroff', short: 'p', about: 'Switch the machine off' },
  { name: 'reboot', about: 'Start the machine anew' },
  { name: 'halt', about: 'Stop the processors' },
  { name: 'no-wtmp', short: 'd', about: 'Write no record of it; it never does' },
  NO_WALL,
  refused('force', 'f', FORCE),
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
  { name: 'cancel', short: 'c', about: 'Call off what is scheduled' },
  { name: 'show', about: 'Show what is scheduled, or what the way down waits for' },
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
  const usage = USAGES.get(program) ?? `${program} [-p] [--help]`;
  const rows = isShutdown ? SHUTDOWN_ROWS : program === 'telinit' ? TELINIT_ROWS : HALT_ROWS;
  const own = [...rows, HELP];
  // The common options without their letters, some of which mean something else here.
  const common = COMMON.filter(({ name }) => !NOT_HERE.has(name)).map(longOnly);
  const parsed = parseOptions(argv, [...own, ...common], usage);
  if (parsed.has('help')) return { act: 'help', help: helpLines(usage, own, common) };
  const found = { parsed, usage };
  if (program === 'telinit') return { ...found, ...levelOf(parsed.names, usage) };
  const method = methodOf(program, parsed, usage);
  if (!isShutdown) {
    checkNoWords(parsed.names, usage);
    return { ...found, act: 'down', method, inMs: null, message: '' };
  }
  if (parsed.has('cancel')) return { ...found, act: 'cancel' };
  if (parsed.has('show')) return { ...found, act: 'show' };
  // systemd's shutdown waits for a minute when nobody says when, and so do people's hands.
  const [time = '+1', ...words] = parsed.names;
  const inMs = delayOf(time, usage);
  const message = words.join(' ');
  if (parsed.has('no-wall') && (inMs > 0 || message !== '')) {
    throw usageFailure('--no-wall: people are always told of what is scheduled', usage);
  }
  return { ...found, act: 'down', method, inMs: inMs === 0 ? null : inMs, message };
}

/** Asks svinit for it. */
export async function runAsked(
  asked: Exclude<Asked, { act: 'help' }>,
  session: Session,
): Promise<number> {
  const down = await import('./down.ts');
  switch (asked.act) {
    case 'down':
      return down.goDown(asked, session);
    case 'cancel':
      return down.cancel(session);
    case 'show':
      return down.shutdownVerb({ ...asked.parsed, names: [] }, session);
    case 'scan':
      return (await import('./act.ts')).scan({ ...asked.parsed, names: [] }, session);
    case 'reexec':
      return (await import('./act.ts')).reexec({ ...asked.parsed, names: [] }, session);
  }
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

/** Levels of telinit(8); 0 switches the machine off, as `shutdown -h` does. */
function levelOf(words: readonly string[], usage: string): Level {
  const [level = '', ...more] = words;
  checkNoWords(more, usage);
  switch (level.toLowerCase()) {
    case '0':
      return { act: 'down', method: 'poweroff', inMs: null, message: '' };
    case '6':
      return { act: 'down', method: 'reboot', inMs: null, message: '' };
    case 'q':
      return { act: 'scan' };
    case 'u':
      return { act: 'reexec' };
    default: {
      const hint = 'svctl start and svctl stop take bundles of services';
      if (/^[1-5s]$/i.test(level)) {
        throw new Failure(EXIT.usage, `'${level}': svinit has no runlevels`, hint);
      }
      throw usageFailure(`'${level}' is not 0, 6, q or u`, usage);
    }
  }
}

function checkNoWords(words: readonly string[], usage: string): void {
  if (words.length === 0) return;
  const text = `'${words.join(' ')}': no arguments are taken`;
  throw new Failure(EXIT.usage, text, `usage: ${usage}`);
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
