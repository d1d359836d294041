/**
 * What the kernel says in /proc and in a wait status: a name of a process may hold anything, and
 * nothing that it holds is taken for something else.
 */
import { decodeStatus, exitWords } from '../../../src/core/exit.ts';
import { parseMountinfo } from '../../../src/core/mountinfo.ts';
import { parseStat } from '../../../src/supervisor/survey.ts';
import { bytesForm, latin1, randomBytes } from '../bytes.ts';
import { insist, insistSame, measured, shown, type Target } from '../target.ts';

export const proc: Target<Uint8Array> = {
  name: 'proc',
  form: bytesForm(['(', ')', ') (', ') S 1 1', ' - tmpfs ', '\\040', '\\', ' ']),
  rounds: 4000,
  generate: (random) => randomBytes(random, random.below(40), random.pick([undefined, ') (\n1S'])),
  run: (bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    const numbers = [...bytes, 1, 2, 3].slice(0, 3);
    checkStat(text, numbers);
    checkMounts(text);
    checkStatus((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0));
    const found = measured(() => parseStat(text));
    insist(found === null || Object.values(found).every(Number.isSafeInteger), () => shown(found));
  },
};

/** proc_pid_stat(5): TASK_COMM_LEN is 16, newlines and parentheses are as they are. */
function checkStat(name: string, [parent = 0, session = 0, start = 0]: readonly number[]): void {
  const between = Array.from({ length: 15 }, (_, i) => -i).join(' ');
  const text = `77 (${name.slice(0, 15)}) S ${parent} 5 ${session} ${between} ${start} 0 0\n`;
  insistSame(
    measured(() => parseStat(text)),
    { parent, session, start },
    shown(text),
  );
}

/** proc_pid_mountinfo(5): blanks, tabs, newlines and backslashes are octal. */
function checkMounts(path: string): void {
  const target = `/${path.replaceAll('\0', '')}`;
  const escaped = target.replace(/[ \t\n\\#]/g, (char) => {
    return `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
  const line = `36 35 98:0 / ${escaped} rw,noatime shared:1 - tmpfs tmpfs rw\n`;
  insistSame(
    measured(() => parseMountinfo(line)),
    [{ target, type: 'tmpfs' }],
    shown(line),
  );
  for (const one of measured(() => parseMountinfo(path)))
    insist(one.type !== '', () => shown(path));
}

/** bits/waitstatus.h, written down a second time. */
function checkStatus(status: number): void {
  const exit = measured(() => decodeStatus(status));
  const signal = status % 128;
  const wanted =
    signal === 0
      ? { kind: 'code', code: Math.floor(status / 256) % 256 }
      : { kind: 'signal', signal, core: Math.floor(status / 128) % 2 === 1 };
  insistSame(exit, wanted, `status ${status}`);
  insist(exitWords(exit).length < 60, () => exitWords(exit));
}

/** The same for each status there can be. */
export function checkAllStatuses(): void {
  for (let status = 0; status < 65_536; status += 1) checkStatus(status);
  checkMounts(Buffer.from(latin1('\\134')).toString('latin1'));
}
