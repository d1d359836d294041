/**
 * Random requests to an svinit that runs: good ones, nearly good ones and rubbish, from several
 * clients at once. Each line is answered or its connection closed, and in the end all is as it was.
 * `SVINIT_SEED=N` plays one seed again.
 */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Random, randomFrom } from '../core/support/random.ts';
import { nearlyRequest, randomRequest } from '../fuzz/requests.ts';
import { longrun, needs, oneshot, script } from '../supervisor/definitions.ts';
import type { Instance } from '../supervisor/instance.ts';
import type { Peer } from '../supervisor/peer.ts';
import { before, expectOracle, machine } from './oracle.ts';

const CLIENTS = 4;
const REQUESTS = 150;
/** These end the machine, the image or a service, or are never answered: other tests have them. */
const ENDING = /"(?:poweroff|reboot|halt|kexec|switchRoot|schedule|fault|reexec|signal|watch)"/;
/** A request that waits for ever keeps its client from asking more. */
const SHORT_MS = 200;

const services = {
  web: longrun('web', needs('db')),
  db: longrun('db'),
  setup: oneshot('setup'),
  crash: { run: script('exit 1'), down: '' },
};
const NAMES = [...Object.keys(services), 'beat', 'base', '*', 'w*', 'nobody', '', '__proto__'];

for (const runtime of RUNTIMES) {
  const seed = Number(process.env['SVINIT_SEED'] ?? (runtime === 'bun' ? 1 : 2));
  t.test(`${runtime}: random requests, seed ${seed}`, async (t) => {
    const svinit = await machine(t, runtime, services);
    const was = await before(svinit);
    const clients = Array.from({ length: CLIENTS }, (_, i) => play(svinit, randomFrom(seed + i)));
    const answers = (await Promise.all(clients)).flat();
    t.comment(`${answers.filter((good) => good).length} of ${answers.length} were carried out`);
    t.ok(answers.includes(true) && answers.includes(false), 'some were good and some were not');
    const names = [...was.pids.keys()];
    t.match(await svinit.svctl('start', ...names), { code: 0 }, 'everything can be started');
    t.match(await svinit.svctl('stop', 'crash'), { code: 0 });
    await expectOracle(t, svinit, was, { moved: names });
  });
}

/** One client's requests, one after the other; whether each was carried out. */
async function play(svinit: Instance, random: Random): Promise<boolean[]> {
  const answers: boolean[] = [];
  let peer: Peer | null = null;
  for (let i = 0; i < REQUESTS; i += 1) {
    const make = random.chance(0.5) ? randomRequest : nearlyRequest;
    const line = JSON.stringify(bounded(make(random, i, NAMES)));
    if (ENDING.test(line)) continue;
    peer ??= await svinit.dial();
    peer.write(`${line}\n`);
    const reply = await peer.reply();
    if (reply === null) peer = null;
    answers.push(reply?.result !== undefined);
  }
  await peer?.close();
  return answers;
}

/** The same request, but it does not wait for long. */
function bounded(request: unknown): unknown {
  if (typeof request !== 'object' || request === null || !('params' in request)) return request;
  const { params } = request;
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return request;
  const waits = 'names' in params || 'conditions' in params;
  return waits ? { ...request, params: { ...params, timeoutMs: SHORT_MS } } : request;
}
