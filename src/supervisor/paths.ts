/**
 * Where things are below the run directory. One place, so that svinit, svctl and svlog agree.
 */

export type Paths = {
  /** The private directory, `/run/svinit` unless that cannot be had. */
  readonly run: string;
  readonly control: string;
  readonly status: string;
  /** Where services say what they are about (sd_notify(3)). */
  readonly notify: string;
  /** One FIFO a service, made and held by PID 1. */
  readonly fifos: string;
  /** One FIFO a service that reads what others print, which svlog has nothing to do with. */
  readonly pipes: string;
  /** Locks that services hold as long as they live. */
  readonly locks: string;
  /** Pseudo-terminals that are held for services, one directory for each. */
  readonly terminals: string;
  /** Definitions added at run time. */
  readonly services: string;
};

export const pathsIn = (run: string): Paths => ({
  run,
  control: `${run}/control`,
  status: `${run}/status`,
  notify: `${run}/notify`,
  fifos: `${run}/log`,
  pipes: `${run}/pipes`,
  locks: `${run}/locks`,
  terminals: `${run}/terminals`,
  services: `${run}/services`,
});
