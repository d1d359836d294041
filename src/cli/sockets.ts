/**
 * Where svinit may be listening: the control socket of each run directory, and beside it the one
 * that only answers questions. It opens nothing.
 */
import { lstatSync } from 'node:fs';

export type Door = { readonly path: string; readonly readOnly: boolean };

export type Whereabouts = {
  /** A socket named by the user; nothing else is tried then. */
  readonly socket: string | null;
  /** `SVINIT_RUN`, when it is set. */
  readonly run: string | null;
  readonly uid: number;
};

const RUN = '/run/svinit';

/** Sockets to try, best first. */
export function doors({ socket, run, uid }: Whereabouts): readonly Door[] {
  if (socket !== null) return [{ path: socket, readOnly: false }];
  const directories = run === null ? [RUN, ...fallbacks(uid)] : [run];
  return directories.flatMap((directory) => [
    { path: `${directory}/control`, readOnly: false },
    { path: `${directory}/status`, readOnly: true },
  ]);
}

/**
 * Run directories of an svinit that could not write to /run. They are in places where everybody
 * may create names, so only a directory of our own counts: another's could only deceive us.
 */
export function fallbacks(uid: number): string[] {
  return [`/dev/shm/svinit-${uid}`, `/tmp/svinit-${uid}`].filter((path) => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.isDirectory() === true && found.uid === uid;
  });
}
