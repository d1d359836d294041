/**
 * What every life must be, whatever failed in it: it ends as it was told to, nothing escaped, every
 * question was answered, no service ran twice, nothing leaked, and what is not as it would have
 * been is told with a reason.
 */
import type { Life } from './life.ts';
import { THROWS } from './machine.ts';

/** What is wrong with `life`, a sentence each; `quiet` is the life in which nothing failed. */
export function complaints(quiet: Life, life: Life): string[] {
  const { fault, said, ended } = life;
  const rescued = ended === 'restart' && said.some((line) => line.includes('the boot has failed'));
  // A mistake may come to where it is told and survived: supervisor/survive.ts.
  const isMistake = fault?.code === THROWS && life.uncaught.length <= 1;
  const uncaught = isMistake ? [] : life.uncaught;
  const found = [
    ...(life.isHit || fault === null ? [] : ['the call was never made']),
    ...uncaught.map((error) => `uncaught: ${firstLines(error)}`),
    ...life.doubled.map((text) => `two at a time: ${text}`),
    // The clock that puts the alarm off may be what the mistake is about: then a fresh image goes on.
    ...(life.alarms > (isMistake ? 1 : 0) ? [`it hung ${life.alarms} times`] : []),
  ];
  const isEndless = fault?.calls === Infinity;
  const isTold =
    fault === null ||
    (isEndless && (ANSWERS.has(fault.code) || MUTE.has(fault.name))) ||
    [...said, ...life.uncaught.map(String)].some((line) => isReason(line, fault.name, fault.code));
  if (rescued) return isTold ? found : [...found, 'rescue without a reason'];
  // What never works again cannot be made up for; it is told, and nothing is worse for it.
  if (isEndless && isTold && WITHOUT_END.test(ended)) return found;
  if (ended !== 'poweroff') found.push(`it ended so: ${ended}`);
  for (const question of life.unanswered) found.push(`no answer to ${question}`);

  const { more, fewer } = compare(quiet.descriptors, life.descriptors);
  const changes = [
    ...more.map((label) => `descriptor left open: ${label}`),
    ...fewer.map((label) => `no descriptor: ${label}`),
    ...statesOf(quiet, life),
    ...(life.isSafe === quiet.isSafe ? [] : ['a fatal signal or a hang would be the end']),
  ];
  if (!isTold) found.push(...changes.map((text) => `without a reason: ${text}`));
  return found;
}

/** What is no error where it may be answered: nothing yet, nobody there, interrupted. */
const ANSWERS: ReadonlySet<string> = new Set(['EAGAIN', 'EINTR', 'ECHILD', 'ESRCH']);

/** What does the telling, and what is never asked why it failed. */
const MUTE: ReadonlySet<string> = new Set(['write', 'clock_gettime', 'waitpid']);

/** Without a socket nobody can ask for a power off. */
const WITHOUT_END = /^(?:poweroff|still runs)$/;

/** The grammar of every SysError. */
function isReason(line: string, name: string, code: string): boolean {
  // What a child could not do, or that there is none, is told by the name of that call.
  const names = name === 'bsearch' ? ['clone', 'execve'] : [name];
  return names.some((one) => line.includes(`${one} failed with ${code}`));
}

function statesOf(quiet: Life, life: Life): string[] {
  const names = new Set([...Object.keys(quiet.states), ...Object.keys(life.states)]);
  return [...names].flatMap((name) => {
    const [wanted = 'unknown', state = 'unknown'] = [quiet.states[name], life.states[name]];
    return wanted === state ? [] : [`${name} is ${state}, not ${wanted}`];
  });
}

function compare(
  wanted: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): { more: string[]; fewer: string[] } {
  // One stands in for the other.
  const labels = [...new Set([...wanted.keys(), ...found.keys()])].filter(
    (label) => label !== 'open /dev/console' && label !== 'open /dev/kmsg',
  );
  const difference = (label: string) => (found.get(label) ?? 0) - (wanted.get(label) ?? 0);
  return {
    more: labels.filter((label) => difference(label) > 0),
    fewer: labels.filter((label) => difference(label) < 0),
  };
}

function firstLines(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.split('\n').slice(0, 4).join(' ');
}
