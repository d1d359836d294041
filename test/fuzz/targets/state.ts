/**
 * What an image left to the next: whatever the bytes say, they are a state or a reason. One that is
 * taken can be lived with: no event makes the core fail.
 */
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/core/checkpoint.ts';
import { turnRecord } from '../../../src/core/ledger.ts';
import { step } from '../../../src/core/step.ts';
import type { System, SystemEvent } from '../../../src/core/system.ts';
import { type Fd, ms } from '../../../src/core/units.ts';
import { Ledger, type LedgerRecord } from '../../../src/supervisor/ledger.ts';
import { readLegacy } from '../../../src/supervisor/reexec.ts';
import { fakeLibc } from '../../../src/sys/fake.ts';
import { type Kernel, openKernel } from '../../../src/sys/kernel.ts';
import { SysError } from '../../../src/sys/libc.ts';
import { exitOf, optionsOf } from '../../core/support/builder.ts';
import type { Random } from '../../core/support/random.ts';
import { World } from '../../core/support/world.ts';
import { type Json, jsonForm, listOf, member, mutateJson, numberOf, textOf } from '../json.ts';
import { insist, measured, type Target } from '../target.ts';

const WORDS: readonly string[] = [
  ...['system', 'fifos', 'notifications', 'listeners', 'clients', 'askers', 'revivals', 'k'],
  ...['turn', 'fifo', 'notify', 'client', 'version', 'image', 'units', 'jobs', 'intents', 'halt'],
  ...['name', 'service', 'phase', 'at', 'pid', 'up', 'down', 'spawning', 'undoing', 'spec'],
];
/** What may be said of a state that is not taken. */
const REASON_CHARS_MAX = 1000;
const EVENTS = 30;

export const state: Target<Json> = {
  name: 'state',
  form: jsonForm(WORDS),
  rounds: 1200,
  generate: (random) => {
    const whole = left(random);
    if (random.chance(0.2)) return whole;
    const inside = random.chance(0.6) ? withinSystem(random, whole) : whole;
    return random.chance(0.5) ? mutateJson(random, inside, WORDS) : inside;
  },
  run: (input) => {
    const kernel = openKernel(fakeLibc());
    const fd = written(kernel, input);
    const taken = measured(() => read(kernel, fd));
    if (taken !== null) measured(() => liveOn(taken));
  },
};

/** What a real life leaves: a state, records, and where the bytes are cut or flipped. */
function left(random: Random): Json {
  const world = new World({ seed: random.below(1e6) });
  world.chaos(random.below(40));
  const { system } = world;
  const turns = Array.from({ length: random.below(4) }, () => ({
    k: 'turn',
    turn: turnRecord(system, random.some([...system.units.keys()], 0.5), system.jobs.keys()),
  }));
  const client = { number: 3, uid: 0, readOnly: false, fd: 30, held: '' };
  const held = { service: 'a', fd: 31, socket: null, name: 'x', isPolled: true, file: '1:2' };
  const state = {
    system: encodeCheckpoint(system),
    fifos: [...system.units.keys()].map((name, i) => [name, 10 + i]),
    notifications: [...system.pids.keys()].map((pid, i) => [pid, 40 + i]),
    listeners: [{ path: '/run/svinit/control', fd: 9 }],
    clients: [client],
    held: [held],
    askers: [{ client: 3, id: 1, uid: 0 }],
    revivals: [1, 2.5],
  };
  const records = [
    ...turns,
    { k: 'fifo', name: 'a', fd: null },
    { k: 'client', number: 3, client },
    { k: 'held', fd: 31, holding: random.chance(0.5) ? held : null },
  ];
  const damage = random.chance(0.4) ? random.below(20_000) : -1;
  return { ...plain({ state, records }), [random.pick(['cut', 'flip'])]: damage };
}

const plain = (value: unknown): { [key: string]: Json } => JSON.parse(JSON.stringify(value));

/** The state of the system is a text inside the text: it is changed there as well. */
function withinSystem(random: Random, whole: Json): Json {
  const inner = member(whole, 'state');
  const system: Json = JSON.parse(textOf(member(inner, 'system'), 'null'));
  const changed = JSON.stringify(mutateJson(random, system, WORDS));
  const state = { ...(inner as object), system: changed };
  return { ...(whole as object), state } as Json;
}

/** As the image before wrote it, then damaged. */
function written(kernel: Kernel, input: Json): Fd {
  const ledger = new Ledger(kernel);
  ledger.rewrite(member(input, 'state') ?? null);
  for (const record of listOf(member(input, 'records'))) {
    ledger.append(record as unknown as LedgerRecord);
  }
  const bytes = kernel.memfdRead(ledger.fd as Fd, 1e8);
  const flip = numberOf(member(input, 'flip'), -1);
  const cut = numberOf(member(input, 'cut'), -1);
  if (flip >= 0 && flip < bytes.length) bytes[flip] = (bytes[flip] ?? 0) ^ 0x10;
  return kernel.memfd('damaged', cut < 0 ? bytes : bytes.subarray(0, cut));
}

function read(kernel: Kernel, fd: Fd): System | null {
  try {
    const legacy = readLegacy(kernel, fd);
    const decoded = decodeCheckpoint(legacy.system, optionsOf(), legacy.turns);
    if (decoded.ok) return decoded.system;
    insist(decoded.reason.length < REASON_CHARS_MAX, () => 'a reason without end');
    return null;
  } catch (error) {
    // Ours say what is wrong; one of the runtime's would say "undefined is not a function".
    const isOurs = error instanceof SysError || / left by the image before /.test(String(error));
    insist(isOurs, () => `thrown: ${String(error)}`);
    return null;
  }
}

function liveOn(system: System): void {
  let now = ms(1e6);
  const names = [...system.units.keys()].slice(0, 20);
  const pids = [...system.pids.keys()];
  const asker = { client: 1, id: 1, uid: 0 };
  const events: SystemEvent[] = [
    { type: 'resumed' },
    ...pids.flatMap((pid): SystemEvent[] => [
      { type: 'ready', pid },
      { type: 'exited', pid, exit: exitOf(1) },
    ]),
    { type: 'request', asker, request: { method: 'ls', params: { names: [] } } },
    ...names.map(
      (name): SystemEvent => ({ type: 'spawnFailed', name, reason: '', transient: true }),
    ),
    { type: 'halt', kind: 'poweroff', cause: 'the test' },
  ];
  for (const event of [...events.slice(0, EVENTS), { type: 'tick' } as const]) {
    const { effects } = step(system, event, now);
    insist(effects.length < 10_000, () => `${effects.length} effects of one event`);
    now = ms(now + 1000);
  }
}
