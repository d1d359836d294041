/**
 * Services for tests, as files to put into an image.
 *
 * What happened when is kept as stamps: lines `UPTIME SERVICE WHAT` that all services append to one
 * file, each with one write. So their order is the order of events, and no clock is compared.
 */
import type { ExtraFile } from './harness.ts';

/** By file name in the service directory. */
export type Definition = Readonly<Record<string, string | NotExecutable>>;

/** What begins with `#!` is executable but for this. */
export type NotExecutable = { readonly notExecutable: string };

/** The administrator's definitions: they come before the image's own. */
export const SERVICES = '/etc/svinit/services';

export const STAMPS = '/run/stamps';

/**
 * Service directories in /etc/svinit/services. A definition without `type` is wanted because it is
 * there.
 */
export function serviceFiles(
  definitions: Readonly<Record<string, Definition>>,
): readonly ExtraFile[] {
  return [
    { path: '/etc/svinit', directory: true },
    { path: SERVICES, directory: true },
    { path: '/etc/svinit/stamp.sh', content: STAMP },
    ...Object.entries(definitions).flatMap(([name, files]): ExtraFile[] => [
      { path: `${SERVICES}/${name}`, directory: true },
      ...Object.entries(files).map(([file, text]) => ({
        path: `${SERVICES}/${name}/${file}`,
        ...(typeof text === 'string' ? executable(text) : { content: text.notExecutable }),
      })),
    ]),
  ];
}

function executable(content: string): { mode: number; content: string } {
  return { mode: content.startsWith('#!') ? 0o755 : 0o644, content };
}

/** A `run` that may use `stamp WHAT`. */
export function script(body: string): string {
  return `#!/bin/sh\nme=$1\n. /etc/svinit/stamp.sh\n${body}\n`;
}

/** A `run` of a longrun that does nothing for ever, after `body`. */
export function idle(body = ''): string {
  return script(`${body}\nexec sleep ${FOREVER_S}`);
}

/**
 * A longrun that needs `needs`, is ready once it has stamped `start`, and stamps `term` when it is
 * told to stop and `end` when it does, after `atEnd`, which it may take any time for.
 */
export function stamping(needs: readonly string[] = [], atEnd = ''): Definition {
  const trap = `trap 'stamp term; ${atEnd === '' ? '' : `${atEnd}; `}stamp end; kill $!; exit 0' TERM`;
  return {
    run: script(`${trap}\nstamp start\necho >&3\nexec 3>&-\nsleep ${FOREVER_S} &\nwait $!`),
    'notification-fd': '3\n',
    'timeout-kill': '0\n',
    dependencies: needs.map((name) => `${name}\n`).join(''),
  };
}

/** The same without stamps, complete in itself. */
export const IDLE: string = '#!/bin/sh\nexec sleep 2147483647\n';

/** Instead of the image's `default`, so that a boot has less to do. */
export function bundle(...names: readonly string[]): Definition {
  return { type: 'bundle\n', contents: names.map((name) => `${name}\n`).join('') };
}

export type Stamp = { readonly uptime: number; readonly what: string };

/** The stamps in a text; `what` is the rest of the line: `web start`. */
export function stampsOf(text: string): readonly Stamp[] {
  return text.split('\n').flatMap((line) => {
    const [, uptime, what] = /^(\d+\.\d+) (.*)$/.exec(line) ?? [];
    return uptime === undefined || what === undefined ? [] : [{ uptime: Number(uptime), what }];
  });
}

/** What sleep(1) of busybox takes for an hour that no test will see the end of. */
const FOREVER_S = 2_147_483_647;

const STAMP = `stamp() {
  read -r uptime _ < /proc/uptime
  echo "$uptime $me $1" >> ${STAMPS}
}
`;
