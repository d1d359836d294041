/**
 * What the benchmark knows of an init or a supervisor: how services are written down for it, how it
 * is started as PID 1, and the commands its users would type. One file a peer in peers/.
 */

/** How N services are to be. */
export type Services = {
  readonly count: number;
  /** The program in /usr/lib/bench. */
  readonly program: 'tick' | 'tick-ready' | 'tick-10ms';
  /** Each service needs all of the group before: waves of so many. Absent: none needs another. */
  readonly wave?: number;
};

/** A file of the root: its text, a program of /usr/lib/bench as a file of its own, or a link. */
export type File = string | { readonly program: string } | { readonly link: string };

/** Files by path, without a leading slash. A text that begins with `#!` can be executed. */
export type Files = Readonly<Record<string, File>>;

export type Peer = {
  readonly name: string;
  /** Where its programs are: the built image of svinit, or the packages of the peers. */
  readonly root: 'bun' | 'node' | 'peers';
  readonly files: (services: Services) => Files;
  /** What PID 1 executes; a function of the number of services where it must be told. */
  readonly init: (services: Services) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Ends all services, and need not end with them. */
  readonly stop?: readonly string[];
  /** Shows one service; `NAME` stands for it. */
  readonly status?: readonly string[];
  /** The same program when it has nothing to do: what it takes to start at all. */
  readonly bare?: readonly string[];
  /** Ends one service and starts it again. */
  readonly restart?: readonly string[];
  /** It starts nothing again. */
  readonly once?: boolean;
  /** Its services say that they are ready, where that is not what is measured. */
  readonly readiness: boolean;
  /** It knows when a service is ready, and starts what needs it after that. */
  readonly waves: boolean;
  /** More than so many services it cannot have, or only in times that nobody waits for. */
  readonly most: number;
  /** PID 1 has a control socket whose round trip is measured: its path, and a line to ask. */
  readonly talk?: { readonly socket: string; readonly line: string };
  /** Without one: a FIFO that what is written to ends the first service and starts it again. */
  readonly control?: { readonly fifo: string; readonly text: string };
  /** A minute or longer for what others do in seconds: fewer rounds. */
  readonly slow?: boolean;
};

/** The names of the services, in the order of their waves. */
export function names({ count }: Services): string[] {
  return Array.from({ length: count }, (_, i) => `n${String(i).padStart(4, '0')}`);
}

/** Those that the service with this index needs: all of the wave before its own. */
export function needs(services: Services, index: number): string[] {
  const { wave } = services;
  if (wave === undefined) return [];
  const first = index - (index % wave);
  return names(services).slice(Math.max(0, first - wave), first);
}

/** Files of every service under one directory each. */
export function eachIn(
  directory: string,
  services: Services,
  files: (name: string, index: number) => Files,
): Files {
  const all: Record<string, File> = {};
  for (const [index, name] of names(services).entries()) {
    for (const [path, file] of Object.entries(files(name, index))) {
      all[`${directory}/${name}/${path}`] = file;
    }
  }
  return all;
}

/** The program as users would name it. */
export const programOf = ({ program }: Services): string => `/usr/lib/bench/${program}`;
