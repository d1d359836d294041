/**
 * Hears of everything that moves, by the method `watch`: no question is asked again and again. An
 * svinit that does not know it, or has no place for one more who waits, is asked each second.
 */
import type { ServiceView } from '../core/methods.ts';
import type { Session } from './session.ts';

/** Until a lost connection is made anew. */
const AGAIN_MS = 1000;

/**
 * Calls `moved` whenever something may have moved, once at the beginning too.
 * @returns what ends it.
 */
export function follow(session: Session, moved: () => void): () => void {
  let timer: NodeJS.Timeout | null = null;
  let isOver = false;
  const listen = (): void => {
    // What is asked after it on the same connection is answered after it was noted.
    const end = (): void => {
      if (!isOver) timer = setTimeout(listen, AGAIN_MS);
    };
    session.watch(moved).then(end, end);
    moved();
  };
  listen();
  return () => {
    isOver = true;
    if (timer !== null) clearTimeout(timer);
  };
}

/** A service as it will be told in `ms` milliseconds if nothing moves until then. */
export function aged(view: ServiceView, ms: number): ServiceView {
  const { forMs, lastExitMs, nextTryMs } = view;
  return {
    ...view,
    forMs: forMs + ms,
    lastExitMs: lastExitMs === null ? null : lastExitMs + ms,
    nextTryMs: nextTryMs === null ? null : Math.max(0, nextTryMs - ms),
  };
}
