/**
 * What a service.json can say, once it has been read: its keys and what they hold. How it is read,
 * and told what is wrong with it, is in spec-json.ts.
 */

import type { AliveProbe } from './probe.ts';
import type { Dialect, RestartPolicy, ServiceType, Spec } from './spec.ts';
import type { CgroupLimits } from './spec-cgroup.ts';
import type { ConductKeys } from './spec-conduct.ts';
import { type ConfinementJson, confinementOf } from './spec-confinement.ts';
import { type Privileges, privilegesOf } from './spec-privileges.ts';
import type { ReadyJson } from './spec-probe.ts';
import type { SocketKeys } from './spec-sockets.ts';
import type { Millis } from './units.ts';

/** What a service.json says; a key that is absent says nothing. `null` as a timeout: never. */
export type ServiceJson = Privileges &
  ConductKeys &
  ConfinementJson &
  SocketKeys & {
    readonly description?: string;
    readonly type?: ServiceType;
    readonly dialect?: Dialect;
    readonly command?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly needs?: readonly string[];
    readonly wants?: readonly string[];
    readonly after?: readonly string[];
    readonly before?: readonly string[];
    readonly contents?: readonly string[];
    readonly ready?: ReadyJson;
    readonly initially?: Spec['initially'];
    readonly early?: boolean;
    readonly essential?: boolean;
    readonly tty?: string;
    readonly stop?: { readonly signal?: number; readonly timeout?: Millis | null };
    readonly start?: { readonly timeout?: Millis | null };
    readonly finish?: { readonly timeout?: Millis | null };
    readonly watchdog?: Millis;
    readonly alive?: AliveProbe;
    readonly cgroup?: CgroupLimits;
    readonly restart?: {
      readonly when?: RestartPolicy['when'];
      readonly limit?: number | null;
      readonly window?: Millis;
    };
  };

/** Where there is no service.json. */
export const NO_JSON: ServiceJson = {};

/** The keys that mean in a Spec what they say, without a file that could say otherwise. */
export function asTheySay(
  json: ServiceJson,
): Pick<Spec, 'watchdog' | 'alive' | 'privileges' | 'confinement' | 'envFiles' | 'cgroup'> {
  const { watchdog, alive, cgroup } = json;
  return {
    ...privilegesOf(json),
    ...confinementOf(json),
    ...(watchdog === undefined ? {} : { watchdog }),
    ...(alive === undefined ? {} : { alive }),
    ...(cgroup === undefined ? {} : { cgroup }),
  };
}
