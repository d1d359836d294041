/** Whether PID 1 is still the same process, the same image, and has let go of what it opened. */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type Instance, until } from './instance.ts';

export type Health = {
  readonly image: number;
  /** When PID 1 was started, in clock ticks since the boot of the host: proc_pid_stat(5). */
  readonly startedAt: string;
  readonly descriptors: readonly string[];
};

/** What of tap's `t` is needed. */
type Test = { same(found: unknown, wanted: unknown, message: string): unknown };

/** What to compare with later, once the watch on the definitions stands; that is after the boot. */
export async function health(svinit: Instance): Promise<Health> {
  await until('the definitions are watched', async () => {
    return svinit.descriptors().includes('anon_inode:inotify') || null;
  });
  return until('svinit answers', () => look(svinit));
}

/** Fails unless svinit answers on a new connection and soon is as it was `before`. */
export async function expectHealth(
  t: Test,
  svinit: Instance,
  before: Health,
  after = 'svinit is as it was before',
): Promise<void> {
  let now: Health | null = null;
  const same = async (): Promise<true | null> => {
    now = await look(svinit);
    return isDeepStrictEqual(now, before) || null;
  };
  try {
    // A connection that was closed here is closed there a little later.
    await until('svinit is as it was', same);
  } finally {
    t.same(now, before, after);
  }
}

/** Null: it was refused, for there are still too many clients. */
async function look(svinit: Instance): Promise<Health | null> {
  const peer = await svinit.dial();
  const reply = await peer.ask('version');
  // With the connection still open: when it is closed over there cannot be seen from here.
  const descriptors = svinit.descriptors();
  await peer.close();
  if (reply?.result === undefined) return null;
  const { image } = reply.result as { image: number };
  const stat = readFileSync(`/proc/${svinit.pid}/stat`, 'latin1');
  const startedAt = stat.replace(/^.*\) /s, '').split(' ')[19] ?? '';
  return { image, startedAt, descriptors };
}
