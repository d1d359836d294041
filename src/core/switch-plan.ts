/**
 * The mounts on the way into another root: what moves along, what is taken away, in which order.
 * It knows only the table of mounts.
 */
import type { Mount } from './mountinfo.ts';

export type SwitchPlan = {
  /** The root moves there first, for it is below something that moves into it; null: it is not. */
  readonly stage: string | null;
  /** Unmounted, the last mounted first: the next init has no use for it. */
  readonly drop: readonly string[];
  /** Moved into the root, under the same names. */
  readonly move: readonly string[];
  /** `/` is the initramfs: it holds nothing but memory, and nobody can see it any more. */
  readonly isInitramfs: boolean;
};

/** What systemd expects of an initrd (systemd.io, INITRD_INTERFACE), and every init can use. */
const MOVED: readonly string[] = ['/dev', '/proc', '/sys', '/run'];
/** Where an initramfs has the root on its way (dracut(8)). */
export const STAGE = '/sysroot';

/**
 * @param root The mount point of the next root.
 * @param own Directories of svinit in which mounts mean nothing to anybody else.
 */
export function planSwitch(
  mounts: readonly Mount[],
  root: string,
  own: readonly string[],
): SwitchPlan {
  const targets = mounts.map(({ target }) => target);
  const isOwn = (target: string): boolean => own.some((path) => isWithin(target, path));
  // What the root has there already is its own, and stays.
  const move = MOVED.filter(
    (path) => targets.includes(path) && !targets.includes(`${root}${path}`),
  );
  const goes = (target: string): boolean =>
    !isOwn(target) && move.some((path) => isWithin(target, path));
  const drop = targets.filter(
    (target) => target !== '/' && !isWithin(target, root) && !goes(target),
  );
  const isBelow = move.some((path) => isWithin(root, path)) || isOwn(root);
  return {
    stage: isBelow ? STAGE : null,
    drop: drop.reverse(),
    move,
    isInitramfs: mounts.find(({ target }) => target === '/')?.type === 'rootfs',
  };
}

const isWithin = (path: string, parent: string): boolean =>
  path === parent || path.startsWith(`${parent}/`);
