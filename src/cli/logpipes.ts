/**
 * What `svctl logs` cannot show: what a service prints into a pipe is with whoever reads that. Only
 * svinit knows of pipes, so nothing is said when it does not answer.
 */
import type { ServiceView } from '../core/methods.ts';
import { loggerOf } from '../core/names.ts';
import { connect } from './client.ts';
import { Failure } from './failure.ts';
import { safe } from './words.ts';

/** Nobody waits longer for a remark. */
const ANSWER_WITHIN_MS = 2000;

/** One sentence for each of `names` that prints into a pipe. */
export async function pipeRemarks(
  names: readonly string[],
  socket: string | null,
  run: string | null,
): Promise<string[]> {
  try {
    const client = await connect({ socket, run });
    try {
      const asked = { names: [] };
      const { services } = await client.request('ls', asked, { withinMs: ANSWER_WITHIN_MS });
      return services.flatMap((view) => (names.includes(view.name) ? remarkOn(view) : []));
    } finally {
      client.close();
    }
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

function remarkOn({ name, printsTo }: ServiceView): string[] {
  if (printsTo === undefined) return [];
  const who = printsTo === loggerOf(name) ? 'its own logger' : 'the next in its pipeline';
  const rest = 'what is logged here is what came to its stderr';
  return [safe(`svctl: ${name} prints to ${printsTo}, ${who}; ${rest}`)];
}
