/** What each method answers. */
import type { ScheduledView, ShutdownView } from './blockers.ts';
import type { Examined } from './examined.ts';
import type { FaultKind } from './faults.ts';
import type { ProbeView } from './probe.ts';
import type { Outcome, ServiceView } from './service-view.ts';
import type { Problem } from './spec.ts';

export type Results = {
  readonly version: {
    readonly version: string;
    readonly runtime: string;
    readonly pid: number;
    readonly uptimeMs: number;
    readonly target: string;
    /** 1 for the first image, one more after each re-exec. */
    readonly image: number;
    readonly halting: string | null;
    readonly scheduled: ScheduledView | null;
    /** Nothing is started or stopped after too many deaths of svinit itself. */
    readonly safe: boolean;
  };
  readonly ls: {
    readonly services: readonly ServiceView[];
    readonly problems: readonly Problem[];
    readonly halting: string | null;
  };
  readonly status: { readonly services: readonly ServiceView[] };
  readonly start: { readonly services: readonly Outcome[] };
  readonly signal: { readonly signalled: readonly string[] };
  readonly reload: { readonly services: readonly Outcome[] };
  readonly stop: { readonly services: readonly Outcome[] };
  readonly restart: { readonly services: readonly Outcome[] };
  readonly wait: { readonly services: readonly Outcome[] };
  readonly scan: {
    readonly added: readonly string[];
    readonly changed: readonly { readonly name: string; readonly fields: readonly string[] }[];
    readonly removed: readonly string[];
    readonly refused: readonly Problem[];
    readonly notices: readonly string[];
  };
  /** Never answered. */
  readonly watch: Record<string, never>;
  /** What svinit has found and chosen, for `svctl doctor`. */
  readonly examine: Examined;
  readonly probes: { readonly probes: readonly ProbeView[] };
  /** False: another process runs by now, or it is not to be asked any more. */
  readonly probed: { readonly taken: boolean };
  readonly poweroff: { readonly halting: string };
  readonly reboot: { readonly halting: string };
  readonly halt: { readonly halting: string };
  readonly kexec: { readonly halting: string };
  readonly switchRoot: { readonly halting: string };
  readonly schedule: ScheduledView;
  readonly cancel: { readonly cancelled: ScheduledView | null };
  readonly shutdown: ShutdownView;
  readonly skip: { readonly skipped: readonly string[] };
  readonly reexec: { readonly image: number };
  readonly fault: { readonly kind: FaultKind };
};
