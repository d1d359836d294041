/**
 * The verbs of svctl, one row each. Parsing, help and the reference page all read these rows; what
 * a verb does is loaded when it runs, because svctl is started often and does one thing.
 */
import { closest } from '../core/suggest.ts';
import { EXIT, Failure } from './failure.ts';
import type { OptionRow, Parsed } from './options.ts';
import type { Session } from './session.ts';

export type Verb = {
  readonly name: string;
  readonly group: 'look' | 'act' | 'machine' | 'more';
  /** The command line after `svctl`. */
  readonly usage: string;
  /** One line. */
  readonly about: string;
  /** Whole paragraphs for `svctl help VERB`. */
  readonly more: readonly string[];
  readonly options: readonly OptionRow[];
  /** Runs it and returns the exit code. */
  readonly run: (parsed: Parsed, session: Session) => Promise<number>;
};

const PATTERNS = 'NAME may be a pattern: quote * and ? from the shell.';

const LOOK: readonly Verb[] = [
  {
    name: 'ls',
    group: 'look',
    usage: 'ls [NAME...]',
    about: 'List services; the default verb',
    more: [
      'Failed, repeatedly failing and waiting services come first. A state that is not the ' +
        'wanted one is shown with it: up→down is up and about to be stopped. Columns that do not ' +
        'fit the terminal are left out from the right. Definitions that svinit refused follow ' +
        'the table.',
      PATTERNS,
    ],
    options: [{ name: 'failed', about: 'Only what failed or waits to be tried again' }],
    run: async (parsed, session) => (await import('./look.ts')).ls(parsed, session),
  },
  {
    name: 'status',
    group: 'look',
    usage: 'status [NAME...]',
    about: 'Show services in full, with their last log lines; no name: svinit itself and all',
    more: [
      'Exit code 0 when every named service is up or done, 3 when one of them is not. A service ' +
        'that is still starting is not up.',
      PATTERNS,
    ],
    options: [],
    run: async (parsed, session) => (await import('./look.ts')).status(parsed, session),
  },
  {
    name: 'why',
    group: 'look',
    usage: 'why NAME...',
    about: 'Say why a service is as it is: the chain of causes, and the command that helps',
    more: [],
    options: [],
    run: async (parsed, session) => (await import('./look.ts')).why(parsed, session),
  },
  {
    name: 'logs',
    group: 'look',
    usage: 'logs [NAME...]',
    about: 'Show what services printed; no name: all of them in the order of time',
    more: [
      'Without -n everything that is kept is shown; with -f the last ten lines come first. Logs ' +
        'are read from their files (SVINIT_LOG, else /run/log/svinit): no svinit is needed.',
    ],
    options: [
      { name: 'follow', short: 'f', about: 'Go on with new lines as they come' },
      { name: 'lines', short: 'n', value: 'N', about: 'The last N lines' },
      { name: 'raw', about: 'The bytes as the service wrote them' },
    ],
    run: async (parsed, session) => (await import('./look.ts')).showLogs(parsed, session),
  },
  {
    name: 'deps',
    group: 'look',
    usage: 'deps NAME...',
    about: 'Show what a service needs, as a tree',
    more: [],
    options: [],
    run: async (parsed, session) => (await import('./order.ts')).deps(parsed, session, 'needs'),
  },
  {
    name: 'rdeps',
    group: 'look',
    usage: 'rdeps NAME...',
    about: 'Show what needs a service, as a tree',
    more: [],
    options: [],
    run: async (parsed, session) => (await import('./order.ts')).deps(parsed, session, 'neededBy'),
  },
  {
    name: 'waves',
    group: 'look',
    usage: 'waves [NAME...|-]',
    about: 'Show which services can start together, one wave a line',
    more: [
      'With - pairs of names are read from standard input as tsort(1) reads them, "a b" meaning ' +
        'a before b: 1 2 and 3 4 give the waves "1 3" and "2 4". A cycle is an error (exit ' +
        'code 8).',
    ],
    options: [],
    run: async (parsed, session) => (await import('./order.ts')).waves(parsed, session),
  },
  {
    name: 'version',
    group: 'look',
    usage: 'version',
    about: 'Show the version of the svinit that runs, its runtime and its target',
    more: [],
    options: [],
    run: async (parsed, session) => (await import('./look.ts')).version(parsed, session),
  },
];

const ACT: readonly Verb[] = [
  {
    name: 'start',
    group: 'act',
    usage: 'start NAME...',
    about: 'Want services up, with all they need, and wait until they are ready',
    more: ['A service that is up already is a success.', PATTERNS],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).start(parsed, session, 'start'),
  },
  {
    name: 'stop',
    group: 'act',
    usage: 'stop NAME...',
    about: 'Want services down, and wait until nothing of them runs',
    more: ['Refused, naming them, while other services need it: see --cascade.', PATTERNS],
    options: [
      { name: 'cascade', about: 'First stop what needs these services' },
      { name: 'force', about: 'Stop even an essential service' },
    ],
    run: async (parsed, session) => (await import('./act.ts')).stop(parsed, session),
  },
  {
    name: 'restart',
    group: 'act',
    usage: 'restart NAME...',
    about: 'Stop services and start them again, with their definition as it is on disk now',
    more: [PATTERNS],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).start(parsed, session, 'restart'),
  },
  {
    name: 'wait',
    group: 'act',
    usage: 'wait NAME[:GOAL]...',
    about: 'Wait until all conditions are true: web:ready db:done x:down',
    more: [
      'GOAL is ready (the default), up (the same), down, done or failed. Exit code 5 when ' +
        '--timeout is over first.',
      PATTERNS,
    ],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).wait(parsed, session),
  },
  {
    name: 'scan',
    group: 'act',
    usage: 'scan',
    about: 'Read the service directories again and say what changed',
    more: [
      'New services start if they are wanted; changed ones keep running as they were until they ' +
        'are restarted. Exit code 8 when a definition was refused.',
    ],
    options: [{ name: 'prune', about: 'Stop what is no longer defined' }],
    run: async (parsed, session) => (await import('./act.ts')).scan(parsed, session),
  },
];

const MACHINE: readonly Verb[] = [
  machineRow('poweroff', 'Stop all services, then switch the machine off'),
  machineRow('reboot', 'Stop all services, then start the machine anew'),
  machineRow('halt', 'Stop all services, then stop the processors'),
  {
    name: 'reexec',
    group: 'machine',
    usage: 'reexec',
    about: 'Replace svinit by a fresh image of itself; services keep running',
    more: [],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).reexec(parsed, session),
  },
];

const MORE: readonly Verb[] = [
  {
    name: 'help',
    group: 'more',
    usage: 'help [VERB]',
    about: 'Show this help, or that of a verb',
    more: [],
    options: [{ name: 'markdown', about: 'Print the reference page instead' }],
    run: showHelp,
  },
];

/** Every verb, in the order in which help shows them. */
export const VERBS: readonly Verb[] = [...LOOK, ...ACT, ...MACHINE, ...MORE];

/**
 * The row of `word`; of `ls` when there is none.
 * @throws {Failure} exit 2 with a suggestion when there is no such verb.
 */
export function verbOf(word: string | null): Verb {
  const name = word ?? 'ls';
  const found = VERBS.find((verb) => verb.name === name);
  if (found !== undefined) return found;
  const near = nearVerb(name);
  const hint = near === null ? '' : `; did you mean ${near}?`;
  throw new Failure(EXIT.usage, `There is no verb '${name}'${hint}`, 'svctl help lists them all');
}

/** A word that only one verb begins with was cut short; any other was mistyped. */
function nearVerb(word: string): string | null {
  const names = VERBS.map(({ name }) => name);
  const [begun, ...more] = names.filter((name) => word !== '' && name.startsWith(word));
  return begun !== undefined && more.length === 0 ? begun : closest(word, names);
}

async function showHelp(parsed: Parsed, session: Session): Promise<number> {
  const { helpOf, markdown } = await import('./help.ts');
  const [word] = parsed.names;
  const verb = word === undefined ? null : verbOf(word);
  session.print(parsed.has('markdown') ? markdown(VERBS) : helpOf(verb, VERBS));
  return EXIT.done;
}

function machineRow(name: 'poweroff' | 'reboot' | 'halt', about: string): Verb {
  return {
    name,
    group: 'machine',
    usage: name,
    about,
    more: [`The program ${name} does the same and takes the options people know.`],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).machineVerb(parsed, session, name),
  };
}
