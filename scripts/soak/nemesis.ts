/**
 * The nemesis: does one bad thing after another to an instance, each drawn from a seed. Every act is
 * bounded by itself, and says what it did. What of it has to be undone is in the stage.
 */
import { constants } from 'node:os';
import { BOMB, BOMB_PROCESSES } from './cast.ts';
import { clients } from './clients.ts';
import { churn, removeAll } from './comers.ts';
import {
  ask,
  inside,
  type Mark,
  pause,
  pidsOf,
  RUN_SIZE,
  type Stage,
  someOf,
  someTime,
  unwantedOf,
  versionOf,
} from './stage.ts';

/** Does one thing and says what; null when it was not the time for it. */
type Act = (stage: Stage) => Promise<string | null>;

/** Acts go on until `isOver`; each is told of when it is done. */
export async function torment(
  stage: Stage,
  isOver: () => boolean,
  tell: (mark: Omit<Mark, 'second'>) => void,
): Promise<void> {
  while (!isOver()) {
    const [name, act] = stage.random.pick(DRAWN);
    const what = await act(stage);
    if (what !== null) tell({ act: name, what });
    await pause(someTime(stage, 200, 1500));
  }
}

/** Undoes what acts have left: nothing is stopped, frozen or half open any more. */
export async function relent(stage: Stage): Promise<void> {
  const { frozen, comers, peers, svinit } = stage;
  await signal(stage, 'CONT', [...frozen.values()]);
  frozen.clear();
  for (const peer of peers.splice(0)) await peer.close();
  await inside(stage, `rm -f /run/filler /tmp/loud; ${REMOUNT}${RUN_SIZE} /run`);
  await removeAll(stage);
  comers.clear();
  const stopped = await unwantedOf(stage);
  if (stopped.length === 0) return;
  const { code, stderr } = await svinit.svctl('start', '--no-wait', ...stopped);
  if (code !== 0) throw new Error(`Cannot start what was stopped: ${stderr}`);
}

const ACTS: Readonly<Record<string, Act>> = {
  kill: async (stage) => {
    const victims = await pidsOf(stage, someOf(stage, stage.cast.victims, 20));
    await signal(stage, 'KILL', [...victims.values()]);
    return `${victims.size} services killed`;
  },
  killLogger: async (stage) => {
    const pid = (await pidsOf(stage, [LOGGER])).get(LOGGER);
    if (pid === undefined) return null;
    // Noted before and after: the kill is between the two.
    stage.loggerKills.push(Date.now());
    await signal(stage, 'KILL', [pid]);
    stage.loggerKills.push(Date.now());
    return 'svlog killed';
  },
  freeze: async (stage) => {
    const victims = await pidsOf(stage, someOf(stage, stage.cast.victims, 10));
    await signal(stage, 'STOP', [...victims.values()]);
    for (const [name, pid] of victims) stage.frozen.set(name, pid);
    return `${victims.size} services stopped by STOP`;
  },
  thaw: async (stage) => {
    const { frozen } = stage;
    if (frozen.size === 0) return null;
    const names = someOf(stage, [...frozen.keys()], frozen.size);
    await signal(
      stage,
      'CONT',
      names.map((name) => frozen.get(name) ?? 0),
    );
    for (const name of names) frozen.delete(name);
    return `${names.length} services go on`;
  },
  freezeLogger: async (stage) => {
    const pid = (await pidsOf(stage, [LOGGER])).get(LOGGER);
    if (pid === undefined) return null;
    const milliseconds = someTime(stage, 500, 4000);
    await signal(stage, 'STOP', [pid]);
    await pause(milliseconds);
    await signal(stage, 'CONT', [pid]);
    return `svlog stopped for ${milliseconds} ms`;
  },
  rotate: async (stage) => {
    const pid = (await pidsOf(stage, [LOGGER])).get(LOGGER);
    if (pid === undefined) return null;
    await signal(stage, 'HUP', [pid]);
    return 'logs rotated';
  },
  bomb: async (stage) => {
    await inside(stage, 'echo now >&4 4<>/tmp/bomb');
    await pause(someTime(stage, 500, 1500));
    const end = stage.random.pick(['killed', 'restarted', 'left to itself']);
    if (end === 'killed') await signal(stage, 'KILL', (await pidsOf(stage, [BOMB])).values());
    if (end === 'restarted') await ask(stage, 'restart', { names: [BOMB], wait: false });
    return `a fork bomb of ${BOMB_PROCESSES}, ${end}`;
  },
  full: async (stage) => {
    const milliseconds = someTime(stage, 1000, 6000);
    const size = `$(($(df -k /run | awk 'END { print $3 }') + 64))k`;
    const fill = 'dd if=/dev/zero of=/run/filler bs=4k count=100 2>/dev/null';
    await inside(stage, `touch /tmp/loud; ${REMOUNT}${size} /run; ${fill}`);
    await pause(milliseconds);
    await inside(stage, `rm -f /tmp/loud; ${REMOUNT}${RUN_SIZE} /run; rm -f /run/filler`);
    // svlog tries again once a second: until then it holds in memory what a kill would lose.
    await pause(RETRIED_MS);
    return `disk full for ${milliseconds} ms, a writer loud`;
  },
  reexec: async (stage) => {
    const before = (await versionOf(stage)).image;
    const meanwhile = await flurry(stage);
    await ask(stage, 'reexec');
    await meanwhile.end;
    return nextImage(stage, before, `re-exec${meanwhile.what}`);
  },
  fault: async (stage) => {
    const { deaths, random, svinit } = stage;
    const recent = deaths.filter((at) => Date.now() - at < 60_000);
    if (recent.length >= DEATHS_MAX) return null;
    const before = (await versionOf(stage)).image;
    const name = random.pick(['SEGV', 'BUS', 'ABRT', 'ILL'] as const);
    const meanwhile = await flurry(stage);
    deaths.push(Date.now());
    process.kill(svinit.pid, constants.signals[`SIG${name}`]);
    await meanwhile.end;
    return nextImage(stage, before, `${name} to PID 1${meanwhile.what}`);
  },
  orders: async (stage) => {
    const method = stage.random.pick(['restart', 'stop', 'start'] as const);
    const victims = someOf(stage, stage.cast.victims, 10);
    const names = method === 'start' ? await unwantedOf(stage) : victims;
    if (names.length === 0) return null;
    const more = method === 'stop' ? { cascade: true } : {};
    await ask(stage, method, { names, wait: false, ...more });
    return `${method} of ${names.length} services`;
  },
  orphans: async (stage) => {
    const count = 50 + stage.random.below(500);
    await inside(stage, `i=0; while [ $i -lt ${count} ]; do (true &); i=$((i + 1)); done`);
    return `${count} orphans`;
  },
  definitions: churn,
  clients,
};

/** How often each is drawn; what is not here, once. */
const WEIGHTS: Readonly<Record<string, number>> = { kill: 4, definitions: 3, orders: 2 };
const DRAWN: readonly (readonly [string, Act])[] = Object.entries(ACTS).flatMap(([name, act]) =>
  Array.from({ length: WEIGHTS[name] ?? 1 }, () => [name, act] as const),
);

/** Two less than make svinit be careful (src/supervisor/lifeline.ts). */
const DEATHS_MAX = 3;
const LOGGER = 'svlog';
/** As it was mounted, but for the size. */
const REMOUNT = 'mount -o remount,nosuid,nodev,size=';
const RETRIED_MS = 2000;

/** In namespaces a pid says little outside: the signal is sent from inside. */
async function signal(stage: Stage, name: string, pids: Iterable<number>): Promise<void> {
  const all = [...pids];
  if (all.length > 0) await inside(stage, `kill -${name} ${all.join(' ')} 2>/dev/null`);
}

/** Lets much happen at once, and comes back in the middle of it, or before, or behind. */
async function flurry(stage: Stage): Promise<{ what: string; end: Promise<unknown> }> {
  const { random, cast } = stage;
  if (random.chance(0.3)) return { what: '', end: Promise.resolve() };
  const [killed, restarted] = [someOf(stage, cast.victims, 50), someOf(stage, cast.victims, 50)];
  const pids = await pidsOf(stage, killed);
  const end = Promise.all([
    signal(stage, 'KILL', pids.values()),
    ask(stage, 'restart', { names: restarted, wait: false }),
    ask(stage, 'scan'),
  ]);
  await pause(someTime(stage, 0, FLURRY_MS));
  return { what: ` amid ${pids.size} kills and ${restarted.length} restarts`, end };
}

/** About the time a command needs until it is inside. */
const FLURRY_MS = 60;

/** Waits for the image after `before`, for an order to be counted once it has been followed. */
async function nextImage(stage: Stage, before: number, what: string): Promise<string> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const { image } = await versionOf(stage);
    if (image > before) {
      stage.images += 1;
      return `${what}: image ${image}`;
    }
    await pause(LOOK_MS);
  }
  return `${what}: still image ${before}`;
}

const LOOK_MS = 50;
const LOOKS_MAX = 100;
