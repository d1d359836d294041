/** What happens to the system, and what it has done about it: its whole contact with the world. */
import type { Exit } from './exit.ts';
import type { HaltKind, Look, SwitchTarget } from './halt.ts';
import type { FaultKind, Request } from './methods.ts';
import type { Notification } from './notify.ts';
import type { ErrandRole, Role } from './phase.ts';
import type { Asker, RpcError } from './protocol.ts';
import type { Asked } from './requests-probe.ts';
import type { Problem, Spec } from './spec.ts';
import type { Survivor } from './survivors.ts';
import type { Pid } from './units.ts';

export type SystemEvent =
  | {
      readonly type: 'scanned';
      readonly specs: readonly Spec[];
      readonly problems: readonly Problem[];
      readonly notices: readonly string[];
      readonly prune: boolean;
      readonly asker: Asker | null;
      /** What was found running, when the state of the image before is lost. */
      readonly survivors?: readonly Survivor[];
    }
  | {
      readonly type: 'spawned';
      readonly name: string;
      readonly pid: Pid;
      /** It is none of the lifecycle's processes. */
      readonly errand?: ErrandRole;
    }
  | {
      readonly type: 'spawnFailed';
      readonly name: string;
      readonly reason: string;
      readonly transient: boolean;
      readonly errand?: ErrandRole;
    }
  | {
      readonly type: 'exited';
      readonly pid: Pid;
      readonly exit: Exit;
      /** Processes of it that were killed for want of memory; absent: none. */
      readonly oomKills?: number;
    }
  | { readonly type: 'ready'; readonly pid: Pid }
  | { readonly type: 'notified'; readonly pid: Pid; readonly said: Notification }
  | { readonly type: 'request'; readonly asker: Asker; readonly request: Request }
  | { readonly type: 'hangup'; readonly client: number }
  /** A connection waits for a lazy service, or its sockets cannot be opened. */
  | { readonly type: 'called'; readonly name: string; readonly cause: string }
  /** What came of a `look`: why it cannot be done, or null. */
  | (Look & { readonly type: 'looked'; readonly problem: string | null })
  | { readonly type: 'tick' }
  /** A fresh image goes on with what it was left, and looks at all of it once. */
  | { readonly type: 'resumed' }
  | { readonly type: 'halt'; readonly kind: HaltKind; readonly cause: string };

export type SystemEffect =
  | {
      readonly do: 'spawn';
      readonly name: string;
      readonly role: Role | ErrandRole;
      /** Which of its errands: a letter of `control/`, or `reload`. */
      readonly run?: string;
      readonly spec: Spec;
      /** The last exit and the pid that had it, for the arguments of `finish`. */
      readonly exit: Exit | null;
      readonly exitPid: Pid | null;
    }
  | { readonly do: 'signal'; readonly pid: Pid; readonly signal: number; readonly group: boolean }
  /** The input of that service is held for writing from now on, or not. */
  | { readonly do: 'pipe'; readonly name: string; readonly hold: boolean }
  | { readonly do: 'reply'; readonly asker: Asker; readonly result: unknown }
  | { readonly do: 'refuse'; readonly asker: Asker; readonly error: RpcError }
  | {
      readonly do: 'notify';
      readonly client: number;
      readonly method: string;
      readonly params: unknown;
    }
  | { readonly do: 'scan'; readonly prune: boolean; readonly asker: Asker }
  | {
      readonly do: 'reexec';
      readonly asker: Asker;
      /** Another program to become; null: the same. */
      readonly binary: string | null;
    }
  | (Look & { readonly do: 'look' })
  | { readonly do: 'examine'; readonly asker: Asker }
  /** How these are asked is to be told. */
  | { readonly do: 'probes'; readonly asker: Asker; readonly asked: readonly Asked[] }
  | { readonly do: 'fault'; readonly kind: FaultKind }
  /** A line for everybody at a terminal. */
  | { readonly do: 'wall'; readonly text: string }
  /** Boot has settled: everything wanted is up, done or has failed once. */
  | { readonly do: 'booted' }
  /** Services are down (or out of time): kill the rest, sync, unmount, end. */
  | {
      readonly do: 'halt';
      readonly kind: HaltKind;
      readonly code: number;
      readonly to: SwitchTarget | null;
    };
