/**
 * Help and the reference page, printed from the rows of the verbs and their options.
 */
import { EXIT } from './failure.ts';
import { COMMON, type OptionRow } from './options.ts';
import type { Verb } from './verbs.ts';

const GROUPS: readonly (readonly [Verb['group'], string])[] = [
  ['look', 'Look'],
  ['act', 'Act'],
  ['machine', 'The machine'],
  ['more', 'More'],
];

/** Exit codes in words; their numbers are failure.ts's. */
const EXITS: readonly (readonly [number, string])[] = [
  [EXIT.done, 'done, or already so'],
  [EXIT.failed, 'failed'],
  [EXIT.usage, 'wrong command line'],
  [EXIT.notRunning, 'status: a service is not up'],
  [EXIT.noSuchService, 'no such service'],
  [EXIT.timeout, 'time was up first'],
  [EXIT.dependencyFailed, 'a dependency failed, or other services need it'],
  [EXIT.permission, 'permission denied'],
  [EXIT.invalidDefinition, 'a definition is invalid, or a cycle'],
  [EXIT.unreachable, 'svinit cannot be reached'],
];

const TEXT_COLUMNS = 78;

/** Help for one verb, or for all of svctl. */
export function helpOf(verb: Verb | null, verbs: readonly Verb[]): string[] {
  if (verb === null) return overview(verbs);
  const paragraphs = verb.more.flatMap((text) => ['', ...wrap(text, TEXT_COLUMNS)]);
  return [
    `usage: svctl ${verb.usage}${verb.options.length === 0 ? '' : ' [OPTIONS]'}`,
    '',
    `${verb.about}.`,
    ...paragraphs,
    ...(verb.options.length === 0 ? [] : ['', 'Options:', ...optionLines(verb.options)]),
    '',
    'Common options:',
    ...optionLines(COMMON),
  ];
}

/** docs/svctl.md. */
export function markdown(verbs: readonly Verb[]): string[] {
  const sections = GROUPS.flatMap(([group, title]) => [
    `## ${title}`,
    '',
    ...verbs.filter((verb) => verb.group === group).flatMap(verbMarkdown),
  ]);
  return [
    '# svctl',
    '',
    '`svctl [VERB] [NAME...] [OPTIONS]` asks the running svinit; without a verb it lists services.',
    'This page is printed by `svctl help --markdown`.',
    '',
    '## Common options',
    '',
    ...optionTable(COMMON),
    '',
    ...sections,
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...EXITS.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    '',
    ...NOTES,
  ];
}

const NOTES: readonly string[] = [
  '## Output',
  '',
  'Colour needs a terminal; `NO_COLOR`, `TERM=dumb` and `--no-color` switch it off, and a state is',
  'always written as a word too. The signs before names are ASCII (`x . * + -`) unless `LC_ALL`,',
  '`LC_CTYPE` or `LANG` says UTF-8, and always when `TERM` is `dumb` or `linux`. On a terminal the',
  'table fits its width (`COLUMNS`, else what the terminal says); elsewhere nothing is cut.',
  'Characters that would act on a terminal are shown escaped, in JSON too.',
  '',
  'With `--json` the result is one object on stdout; an error is one object on stderr:',
  '`{"error":{"exit":4,"message":"...","hint":"...","code":-32004}}`.',
  '',
  '## The socket',
  '',
  '`svctl` tries `control`, then `status` (it only answers questions), in `$SVINIT_RUN`; when that',
  'is not set in `/run/svinit`, `/dev/shm/svinit-UID` and `/tmp/svinit-UID`, of which the last two',
  'count only if they belong to the caller. A connection that svinit closes unanswered, as it does',
  'when it re-executes itself, is made again once and the request repeated.',
];

function overview(verbs: readonly Verb[]): string[] {
  const width = Math.max(...verbs.map(({ usage }) => usage.length));
  const groups = GROUPS.flatMap(([group, title]) => [
    '',
    `${title}:`,
    ...verbs
      .filter((verb) => verb.group === group)
      .map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`),
  ]);
  return [
    'usage: svctl [VERB] [NAME...] [OPTIONS]',
    ...groups,
    '',
    'Common options:',
    ...optionLines(COMMON),
    '',
    'svctl help VERB says more. Exit codes:',
    ...EXITS.map(([code, meaning]) => `  ${code}  ${meaning}`),
  ];
}

function optionLines(rows: readonly OptionRow[]): string[] {
  const names = rows.map((row) => optionName(row, ''));
  const width = Math.max(...names.map(({ length }) => length));
  return rows.map(({ about }, i) => `  ${(names[i] ?? '').padEnd(width)}  ${about}`);
}

function optionTable(rows: readonly OptionRow[]): string[] {
  return [
    '| option | |',
    '|---|---|',
    ...rows.map((row) => `| ${optionName(row, '`')} | ${row.about} |`),
  ];
}

/** `-v, --verbose`, `--timeout DUR`, between `quote`s. */
function optionName({ name, short, value }: OptionRow, quote: string): string {
  const long = `${quote}--${name}${value === undefined ? '' : ` ${value}`}${quote}`;
  return short === undefined ? long : `${quote}-${short}${quote}, ${long}`;
}

function verbMarkdown(verb: Verb): string[] {
  return [
    `### \`svctl ${verb.usage}\``,
    '',
    `${verb.about}.`,
    '',
    ...verb.more.flatMap((text) => [...wrap(text, 100), '']),
    ...(verb.options.length === 0 ? [] : [...optionTable(verb.options), '']),
  ];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
