/**
 * What is written down when a boot has failed, for whoever is to find out why, perhaps somewhere
 * else: as text that keeps no secrets and does nothing to a terminal. It gathers nothing.
 */
import { explainCommandLine } from './boot-words.ts';
import { escapeForTerminal } from './logline.ts';
import { redactCommandLine, redactText, secretsOf } from './redact.ts';

export type ReportFacts = {
  /** What failed, in the words of who failed; empty when somebody only asked. */
  readonly why: readonly string[];
  /** When, as the machine's clock says. */
  readonly when: string;
  readonly about: readonly string[];
  /** The text of /proc/cmdline. */
  readonly commandLine: string;
  /** What else there is to see, in the order in which it is of use. */
  readonly sections: readonly Section[];
};

/** Lines under a title; without lines, `none` says why. */
export type Section = {
  readonly title: string;
  readonly lines: readonly string[];
  readonly none: string;
};

/** Many lines, each safe on a terminal, without an end to the last. */
export function reportText(facts: ReportFacts): string {
  const { why, when, about, commandLine, sections } = facts;
  const secrets = secretsOf(commandLine);
  const all: readonly Section[] = [
    { title: 'what failed', lines: why, none: 'nothing: somebody asked for this report' },
    { title: 'when', lines: [when], none: '' },
    { title: 'what runs', lines: about, none: 'unknown' },
    {
      title: 'kernel command line',
      lines: [redactCommandLine(commandLine)].filter((line) => line !== ''),
      none: 'empty, or not to be read here',
    },
    { title: 'what was understood of it', lines: understood(commandLine), none: 'nothing' },
    ...sections,
  ];
  const lines = all.flatMap(({ title, lines, none }) => [
    `== ${title}`,
    ...(lines.length === 0 ? [`(${none})`] : lines),
    '',
  ]);
  return lines.map((line) => escapeForTerminal(redactText(line, secrets))).join('\n');
}

function understood(commandLine: string): readonly string[] {
  const { understood, notices } = explainCommandLine(commandLine);
  const said = understood.map(({ key, value, about }) =>
    value === null ? `${key}: ${about}` : `${key}=${value}: ${about}`,
  );
  return [...said, ...notices];
}
