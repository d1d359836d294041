/**
 * The services of a chaos soak and what each kind is there for. They bound what they do by
 * themselves, for nobody else does: there are no cgroups to rely on. Each is one process, so that a
 * process too many shows; only the bomb has children, and they do not live long.
 */
import { type Definitions, needs, oneshot } from '../../test/supervisor/definitions.ts';

export type Cast = {
  readonly definitions: Definitions;
  /** Those that print numbered lines, LOUD among them. */
  readonly writers: readonly string[];
  /** All but LOUD and BOMB: whom the nemesis may harm at any time. */
  readonly victims: readonly string[];
};

/** A writer that prints thousands of lines a second while /tmp/loud is there. */
export const LOUD = 'loud';
/** Forks BOMB_PROCESSES that live BOMB_SECONDS when it reads a line from /tmp/bomb. */
export const BOMB = 'bomb';
export const BOMB_PROCESSES = 255;
export const BOMB_SECONDS = 15;

/** `count` services and the two special ones; all of them need nothing but what is in here. */
export function castOf(count: number): Cast {
  const some = (share: number): readonly number[] =>
    Array.from({ length: Math.max(1, Math.round(count * share)) }, (_, i) => i);
  const definitions: Record<string, Definitions[string]> = {
    ...byName('w', some(0.4), (i) => ({ run: writer(PAUSES[i % PAUSES.length] ?? '1', 1) })),
    ...byName('m', some(0.2), (i) => ({ run: mortal(2 + (i % 7), i % 3) })),
    ...byName('t', some(0.1), () => STUBBORN),
    ...byName('d', some(0.15), (i) => ({
      ...READY,
      ...needs(i % CHAIN === 0 ? 'base' : `d${i - 1}`),
    })),
    ...byName('o', some(0.1), (i, name) => oneshot(name, i === 0 ? {} : needs(`o${i - 1}`))),
    ...byName('i', some(0.05), () => ({ run: '#!/bin/sh\nexec sleep 1000000\n' })),
  };
  const victims = Object.keys(definitions);
  definitions[LOUD] = { run: writer('0.5', LOUD_LINES) };
  definitions[BOMB] = { run: BOMB_RUN };
  const writers = [...victims.filter((name) => name.startsWith('w')), LOUD];
  return { definitions, writers, victims };
}

/** Seconds between the lines of a writer. */
const PAUSES: readonly string[] = ['0.5', '0.9', '1.3', '1.7'];
/** So many need each other in a row. */
const CHAIN = 5;
/** Of 40 bytes each as svlog keeps them: in two seconds more than it keeps for one service. */
const LOUD_LINES = 3000;

function byName(
  prefix: string,
  all: readonly number[],
  make: (i: number, name: string) => Definitions[string],
): Definitions {
  return Object.fromEntries(all.map((i) => [`${prefix}${i}`, make(i, `${prefix}${i}`)]));
}

/** Opens a pipe that nobody writes to: a builtin that reads from it in vain is a pause. */
const NEVER = `mkdir -p /tmp/soak
    [ -p /tmp/soak/never ] || mkfifo /tmp/soak/never 2>/dev/null
    exec 4<>/tmp/soak/never`;

/**
 * Prints `PID NUMBER` and goes on with the next number when it is killed and started again. The
 * number is noted after it was printed, in two files in turn, for a kill may leave one of them
 * empty: so a number may be there twice at the seam of two lives, and never be missing. Where the
 * file /tmp/enough appears it says its last number.
 */
function writer(pauseSeconds: string, atOnce: number): string {
  const loud =
    atOnce === 1
      ? ''
      : `[ -e /tmp/loud ] && while [ $n -lt ${atOnce} ]; do one; n=$((n + 1)); done`;
  return `#!/bin/sh
    trap 'exit 143' TERM
    ${NEVER}
    me=/tmp/soak/\${PWD##*/}
    a=0; b=0
    [ -e $me.0 ] && read a <$me.0
    [ -e $me.1 ] && read b <$me.1
    i=\${a:-0}; [ \${b:-0} -gt $i ] && i=$b
    one() { i=$((i + 1)); echo "$$ $i"; echo $i >$me.$((i % 2)); }
    while [ ! -e /tmp/enough ]; do
      one; n=0
      ${loud}
      read -t ${pauseSeconds} line <&4
    done
    echo "$$ last $i"
    exec sleep 1000000
  `;
}

/** Ends by itself after `seconds`, until there is /tmp/enough. */
function mortal(seconds: number, code: number): string {
  return `#!/bin/sh
    [ -e /tmp/enough ] && exec sleep 1000000
    ${NEVER}
    read -t ${seconds}.2 line <&4
    exit ${code}
  `;
}

/** Ready when it says so. */
export const READY: Definitions[string] = {
  run: '#!/bin/sh\necho >&3\nexec sleep 1000000\n',
  'notification-fd': '3\n',
};

/** Takes no notice of TERM. */
const STUBBORN: Definitions[string] = {
  run: "#!/bin/sh\ntrap '' TERM\nexec sleep 1000000\n",
  'timeout-kill': '1000\n',
};

/** Every process forks two more, seven times: 255, and each ends by itself. */
const BOMB_RUN = `#!/bin/sh
  trap 'exit 143' TERM
  [ -p /tmp/bomb ] || mkfifo /tmp/bomb
  exec 4<>/tmp/bomb
  while ! read -t 5 line <&4; do :; done
  bomb() {
    [ $1 -gt 0 ] && { bomb $(($1 - 1)) & bomb $(($1 - 1)) & }
    exec sleep ${BOMB_SECONDS}
  }
  bomb 7 &
  sleep ${BOMB_SECONDS}
  exit 9
`;
