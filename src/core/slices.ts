/**
 * Slices: a bundle with the key `cgroup` has a cgroup of its own, in which those of its members
 * are, so that its limits hold all of them together. This says who is in which, and where that is;
 * it touches no file.
 */
import { cgroupOf, SERVICES_CGROUP, serviceIn } from './cgroup.ts';
import type { Graph } from './graph.ts';
import type { Spec } from './spec.ts';
import type { CgroupLimits } from './spec-cgroup.ts';

type System = {
  readonly definitions: ReadonlyMap<string, Spec>;
  readonly graph: Graph;
};

export type Slice = { readonly bundle: string; readonly limits: CgroupLimits };

/** Where a process is in the tree of svinit. */
export type CgroupPlace = {
  readonly service: string;
  /** The bundle whose slice it is in; null: in none. */
  readonly bundle: string | null;
  /** The cgroup of the service below the mount point, with a leading `/`. */
  readonly path: string;
};

/**
 * The slice of each service that is in one. Of several bundles the first by name has it: a service
 * is in one cgroup only. Members of members count, so a slice never has slices in it.
 */
export function slicesOf(
  definitions: ReadonlyMap<string, Spec>,
  { members }: Pick<Graph, 'members'>,
): ReadonlyMap<string, Slice> {
  const slices = new Map<string, Slice>();
  const bundles = [...definitions.values()].filter(isSlice).map(({ name }) => name);
  for (const bundle of bundles.sort()) {
    const limits = definitions.get(bundle)?.cgroup ?? {};
    for (const name of members.get(bundle) ?? []) {
      if (!slices.has(name)) slices.set(name, { bundle, limits });
    }
  }
  return slices;
}

/** `slicesOf` of a system as it is when it is asked: a scan replaces its graph. */
export function slicesIn(system: System): (name: string) => Slice | null {
  let graph: Graph | null = null;
  let slices: ReadonlyMap<string, Slice> = new Map();
  return (name) => {
    if (graph !== system.graph) slices = slicesOf(system.definitions, system.graph);
    graph = system.graph;
    return slices.get(name) ?? null;
  };
}

/** The directory of a slice below `svinit.services`; no service has a `=` in its name. */
export const sliceDirectory = (bundle: string): string => `${PREFIX}${bundle}`;

/** The bundle whose slice a directory is; null: it is the cgroup of a service. */
export const bundleIn = (directory: string): string | null =>
  directory.startsWith(PREFIX) ? directory.slice(PREFIX.length) : null;

/** Where the cgroup of a service is, below `svinit.services`. */
export function serviceDirectory(name: string, slice: Slice | null): string {
  const own = cgroupOf(name);
  return slice === null ? own : `${sliceDirectory(slice.bundle)}/${own}`;
}

/**
 * Whose a process is by the text of its /proc/PID/cgroup (cgroups(7)), whatever it has made in the
 * cgroup of its service; null when svinit has no place for it.
 */
export function placeOf(text: string): CgroupPlace | null {
  const line = text.split('\n').find((each) => each.startsWith('0::/')) ?? '';
  const [root = '', head = '', ...rest] = line.slice('0::'.length).split('/');
  if (root !== '' || head !== SERVICES_CGROUP) return null;
  const bundle = bundleIn(rest[0] ?? '');
  const parts = rest.slice(0, bundle === null ? 1 : 2);
  const own = parts.at(-1) ?? '';
  if (own === '' || (bundle !== null && parts.length < 2)) return null;
  return { service: serviceIn(own), bundle, path: `/${[head, ...parts].join('/')}` };
}

const PREFIX = 'slice=';

const isSlice = ({ type, cgroup }: Spec): boolean =>
  type === 'bundle' && Object.keys(cgroup ?? {}).length > 0;
