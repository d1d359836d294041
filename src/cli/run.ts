/**
 * A command line from its words to its exit code: which verb, its options, its run, its errors.
 */
import { EXIT, Failure } from './failure.ts';
import { COMMON, parseOptions, splitVerb } from './options.ts';
import { jsonLine, Session } from './session.ts';
import { OutputClosed, openWorld, type World } from './terminal.ts';
import { safe } from './words.ts';

/** Names under which svctl is another program, with the options people know from elsewhere. */
const PROGRAMS: ReadonlySet<string> = new Set([
  ...['poweroff', 'reboot', 'halt', 'shutdown', 'telinit'],
]);

/** Runs `argv` (without the program's name) as svctl or as one of its other names. */
export async function run(
  argv: readonly string[],
  program = 'svctl',
  world: World = openWorld(),
): Promise<number> {
  const name = PROGRAMS.has(program) ? program : 'svctl';
  try {
    return await (name === 'svctl' ? runVerb(argv, world) : runProgram(argv, name, world));
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT.done;
    return report(error, argv, name, world);
  }
}

async function runVerb(argv: readonly string[], world: World): Promise<number> {
  const { VERBS, verbOf } = await import('./verbs.ts');
  const { word, rest } = splitVerb(argv);
  const verb = verbOf(word);
  const usage = `svctl ${verb.usage}`;
  const parsed = parseOptions(rest, [...verb.options, ...COMMON], usage);
  if (parsed.has('help')) {
    const { helpOf } = await import('./help.ts');
    world.write(1, `${helpOf(word === null ? null : verb, VERBS).join('\n')}\n`);
    return EXIT.done;
  }
  if (parsed.has('version')) {
    const { VERSION } = await import('../core/version.ts');
    world.write(1, `svctl ${VERSION}\n`);
    return EXIT.done;
  }
  if (parsed.has('watch')) return (await import('./watching.ts')).watching(verb, parsed, world);
  const session = new Session(world, parsed, usage);
  try {
    return await verb.run(parsed, session);
  } finally {
    session.close();
  }
}

async function runProgram(argv: readonly string[], program: string, world: World): Promise<number> {
  const { parseProgram, runAsked } = await import('./programs.ts');
  const asked = parseProgram(program, argv);
  if (asked.act === 'help') {
    world.write(1, `${asked.help.join('\n')}\n`);
    return EXIT.done;
  }
  const session = new Session(world, asked.parsed, asked.usage);
  try {
    return await runAsked(asked, session);
  } finally {
    session.close();
  }
}

/** Tells on stderr what went wrong, as text or as an object, and gives the exit code for it. */
function report(error: unknown, argv: readonly string[], program: string, world: World): number {
  const failure =
    error instanceof Failure
      ? error
      : new Failure(EXIT.failed, `Internal error: ${String(error)}`, 'This is a bug in svctl');
  const { exit, message, hint, code } = failure;
  // The command line may be what is wrong, so the wish for JSON is looked for in its words.
  const end = argv.indexOf('--');
  const asJson = (end < 0 ? argv : argv.slice(0, end)).includes('--json');
  const shown = {
    error: {
      exit,
      message,
      ...(hint === null ? {} : { hint }),
      ...(code === null ? {} : { code }),
    },
  };
  const lines = [`${program}: ${safe(message)}`, ...(hint === null ? [] : [`  ${safe(hint)}`])];
  try {
    world.write(2, asJson ? `${jsonLine(shown)}\n` : `${lines.join('\n')}\n`);
  } catch {
    // Nobody reads stderr either; the exit code still tells.
  }
  return exit;
}
