/**
 * The decisions on the way to a root, asked at the console one by one where the kernel command line
 * wants that. An answer that is none is told and leaves the decision as it was.
 */
import type { BootOptions } from '../core/boot-options.ts';
import { parseCommandLine } from '../core/cmdline.ts';
import { handoverOf } from '../core/root.ts';
import { type Answer, ask, holdConsole } from './pause.ts';

/** An answer means what `words` with it mean on the kernel command line. */
export type Question = {
  readonly text: string;
  readonly proposed: (options: BootOptions) => string;
  readonly words: (answer: string) => string;
  /** What of those words counts. */
  readonly take: (told: BootOptions) => Partial<BootOptions>;
  /** The answer that `skip` stands for. */
  readonly skipped: string;
};

const WHERE: Question = {
  text: 'where is the root: a device, UUID=, LABEL=, tmpfs or none?',
  proposed: ({ root }) => root ?? 'none',
  words: (answer) => `root=${answer}`,
  take: ({ root }) => ({ root }),
  skipped: 'none',
};

const HOW: readonly Question[] = [
  {
    text: 'check the filesystem of the root: auto, force or skip?',
    proposed: ({ fsckMode }) => fsckMode,
    words: (answer) => `fsck.mode=${answer}`,
    take: ({ fsckMode }) => ({ fsckMode }),
    skipped: 'skip',
  },
  {
    text: 'mount the root ro or rw?',
    proposed: ({ rw }) => (rw ? 'rw' : 'ro'),
    words: (answer) => (answer === 'rw' ? 'rw' : answer === 'ro' ? 'ro' : `ro=${answer}`),
    take: ({ rw }) => ({ rw }),
    skipped: 'ro',
  },
  {
    text: 'keep in memory what is written: no, state, overlay or yes?',
    proposed: ({ overlay }) => overlay,
    words: (answer) => `svinit.overlay=${answer}`,
    take: ({ overlay }) => ({ overlay }),
    skipped: 'no',
  },
  {
    text: 'stay outside of the root, or hand the machine to its init: stay or classic?',
    proposed: (options) => handoverOf(options),
    words: (answer) => `svinit.handover=${answer}`,
    take: ({ handover }) => ({ handover }),
    skipped: 'stay',
  },
];

/** `options` after the question where the root is. */
export const askWhere = (options: BootOptions): Promise<BootOptions> => askAll(options, [WHERE]);

/** `options` after the questions how it is brought. */
export const askHow = (options: BootOptions): Promise<BootOptions> => askAll(options, HOW);

/** `options` after `answer`; words of it that mean nothing are told. */
export function answered(
  options: BootOptions,
  question: Pick<Question, 'words' | 'take' | 'skipped'>,
  answer: Answer,
  tell: (line: string) => void,
): BootOptions {
  if (answer.kind === 'accept') return options;
  const told = parseCommandLine(question.words(quotedFor(answer, question.skipped)));
  for (const notice of told.notices) tell(notice);
  return told.notices.length > 0 ? options : { ...options, ...question.take(told) };
}

/** Blanks would begin another word; a double quote cannot be written on a kernel command line. */
function quotedFor(answer: Exclude<Answer, { kind: 'accept' }>, skipped: string): string {
  const text = answer.kind === 'skip' ? skipped : answer.text.replaceAll('"', '');
  return /\s/.test(text) ? `"${text}"` : text;
}

async function askAll(options: BootOptions, questions: readonly Question[]): Promise<BootOptions> {
  if (!options.interactive) return options;
  return holdConsole(async () => {
    let decided = options;
    for (const question of questions) {
      const answer = await ask(question.text, question.proposed(decided));
      decided = answered(decided, question, answer, (line) => process.stdout.write(`${line}\n`));
    }
    return decided;
  });
}
