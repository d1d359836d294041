/**
 * Where a root and what belongs to it is, in the initramfs. One place, so that whoever makes it,
 * enters it, lists it and takes it away agree.
 */

/** The one root there is: its services carry this name, and a service of it brings it. */
export const OS = 'os';

/** The service that brings the root and takes it away; all services of the root need it. */
export const ROOT_SERVICE = 'root';

export type RootPlaces = {
  /** A tmpfs of its own: nothing that is here can fill the private one of PID 1. */
  readonly all: string;
  /** Where the root is mounted, in the namespace of PID 1. */
  readonly tree: string;
  /** The disk itself, when the tree is an overlay on it. */
  readonly lower: string;
  /** A tmpfs for what is written to an overlay. */
  readonly upper: string;
  /** The mount namespace in which services of the root run, held by a bind mount. */
  readonly pin: string;
  /** A file: the definitions of the root, as they were read there. */
  readonly definitions: string;
  /** A file: what is mounted how, for people. */
  readonly state: string;
  /** A file: words that count as if they stood at the end of the kernel command line. */
  readonly words: string;
  /** A file: it has failed since the machine started, and whoever was there has been asked. */
  readonly asked: string;
};

/** Below `run`, which is /run/svinit unless that cannot be had. */
export function rootPlaces(run: string): RootPlaces {
  const all = `${run}/roots`;
  const tree = `${all}/${OS}`;
  return {
    all,
    tree,
    lower: `${tree}.lower`,
    upper: `${tree}.upper`,
    pin: `${tree}.ns`,
    definitions: `${tree}.services`,
    state: `${tree}.state`,
    words: `${run}/root-words`,
    asked: `${run}/root-asked`,
  };
}

/** Where definitions are in a root; the first that has a name wins. */
export const ROOT_SERVICES: readonly string[] = [
  '/etc/svinit/services',
  '/usr/lib/svinit/services',
];
