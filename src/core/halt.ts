/**
 * How a machine, or a container, can come to its end, and what is known of an end that is under
 * way. Words only: the way down itself is in shutdown.ts.
 */
import type { Asker } from './protocol.ts';
import type { Millis } from './units.ts';

/** `kexec` starts the kernel that is loaded; `switch-root` makes another init PID 1. */
export type HaltKind = 'poweroff' | 'reboot' | 'halt' | 'kexec' | 'switch-root' | 'exit';

/** The init that is to be PID 1 next, as its root sees it. */
export type NextInit = { readonly init: string; readonly arguments: readonly string[] };

/** The same with the root it is on: a mount point. */
export type SwitchTarget = NextInit & { readonly root: string };

/** A way down that is possible only if the world is as it must be: that is looked at first. */
export type Look = { readonly asker: Asker } & (
  | { readonly kind: 'kexec' }
  | { readonly kind: 'switch-root'; readonly to: SwitchTarget }
);

export type Halt = {
  readonly kind: HaltKind;
  readonly cause: string;
  readonly by: Millis;
  /** All services are down, or time is up: the rest is the supervisor's. */
  readonly released: boolean;
  /** Services whose end is not waited for any more: somebody has given them up. */
  readonly skipped: readonly string[];
  /** Of a hand-over only. */
  readonly to?: SwitchTarget;
};

/** Where the root of the next init is mounted when nobody says otherwise: see svroot. */
export const NEXT_ROOT = '/run/svinit/roots/os';

/** What init(8) is called where nobody says otherwise (init/main.c). */
export const NEXT_INIT = '/sbin/init';
