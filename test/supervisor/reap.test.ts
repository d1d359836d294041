/** Who has ended: what is noted before the kernel forgets, what of strangers, and in which bursts. */
import t from 'tap';
import type { SystemEvent } from '../../src/core/system.ts';
import { ms, type Pid, pid } from '../../src/core/units.ts';
import { Reaper } from '../../src/supervisor/reap.ts';

type Setup = {
  readonly ended: readonly number[];
  readonly services?: readonly number[];
  readonly errands?: readonly number[];
  readonly isQuiet?: boolean;
  /** What a child takes, in milliseconds. */
  readonly each?: number;
  readonly post?: (event: SystemEvent) => void;
  /** Whom the kernel does not let go. */
  readonly stuck?: number;
};

function begin({ ended, services = [], errands = [], isQuiet = true, each = 0, ...more }: Setup) {
  const zombies = [...ended];
  const done: string[] = [];
  let now = 0;
  const named = (pids: readonly number[]): Map<Pid, string> =>
    new Map(pids.map((one) => [pid(one), `n${one}`]));
  const reaper = new Reaper({
    kernel: {
      monotonic: () => ms(now),
      peekAny: () => {
        const [first] = zombies;
        return first === undefined ? null : { pid: pid(first), status: 0 };
      },
      reap: (one) => {
        if (one === more.stuck) return false;
        now += each;
        done.push(`reap ${one}`);
        zombies.splice(zombies.indexOf(one), 1);
        return true;
      },
    },
    system: { pids: named(services), errands: named(errands) },
    cgroups: { oomKills: () => 0 },
    looker: { ended: (one) => one === 8 },
    loop: {
      gather: (act) => act(),
      isQuiet: () => isQuiet,
      post: (event) => {
        done.push(event.type === 'exited' ? `note ${event.pid}` : event.type);
        more.post?.(event);
      },
    },
    spawner: { forget: (one) => done.push(`forget ${one}`) },
    trial: { ended: (one) => one === 9 },
  });
  return { reaper, done, zombies };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('what is ours is noted before the kernel forgets it; strangers are not', async (t) => {
  const { reaper, done } = begin({ ended: [5, 6, 7], services: [6], errands: [7] });
  reaper.reap();
  t.same(done, [
    ...['forget 5', 'reap 5'],
    ...['forget 6', 'note 6', 'reap 6'],
    ...['forget 7', 'note 7', 'reap 7'],
  ]);
});

t.test('as long as it is not known what has been started nobody is a stranger', async (t) => {
  const { reaper, done } = begin({ ended: [5], isQuiet: false });
  reaper.reap();
  t.same(done, ['forget 5', 'note 5', 'reap 5']);
});

t.test('what looks at something for svinit is told to who has started it', async (t) => {
  const { reaper, done } = begin({ ended: [8, 9] });
  reaper.reap();
  t.same(done, ['reap 8', 'reap 9']);
});

t.test('one whose note fails is reaped all the same', async (t) => {
  const post = (): never => {
    throw new Error('no');
  };
  const { reaper, zombies } = begin({ ended: [5], services: [5], post });
  t.throws(() => reaper.reap(), { message: 'no' });
  t.same(zombies, []);
});

t.test('one that the kernel does not let go waits for the next look', async (t) => {
  const { reaper, done } = begin({ ended: [5, 6], stuck: 5 });
  reaper.reap();
  await turn();
  t.same(done, ['forget 5']);
});

t.test('the loop has its turn between bursts, of which never two are due', async (t) => {
  const ended = Array.from({ length: 40 }, (_, i) => 100 + i);
  const { reaper, zombies } = begin({ ended, each: 1 });
  reaper.reap();
  t.equal(zombies.length, 32, 'no more than 5 ms at once, looked at after eight');
  reaper.reap();
  t.equal(zombies.length, 24, 'whoever asks is served');
  await turn();
  t.equal(zombies.length, 16, 'but only one goes on by itself');
  await turn();
  t.equal(zombies.length, 8);
  await turn();
  await turn();
  t.equal(zombies.length, 0, 'to the end');
});
