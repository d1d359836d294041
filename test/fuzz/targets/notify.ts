/**
 * What a service says of itself (sd_notify(3)): anybody in it may send anything, and what comes out
 * is within its limits and holds nothing that a terminal would obey.
 */
import { parseNotification } from '../../../src/core/notify.ts';
import type { Random } from '../../core/support/random.ts';
import { bytesForm, randomBytes, utf8 } from '../bytes.ts';
import { insist, measured, shown, type Target } from '../target.ts';

const KEYS: readonly string[] = [
  ...['READY', 'RELOADING', 'STOPPING', 'STATUS', 'MAINPID', 'WATCHDOG', 'WATCHDOG_USEC'],
  ...['EXTEND_TIMEOUT_USEC', 'ERRNO', 'BUSERROR', 'FDSTORE', 'FDNAME', 'BARRIER', 'X', '__proto__'],
];
const VALUES: readonly string[] = [
  ...[
    '1',
    '0',
    '',
    'trigger',
    '4194304',
    '4194305',
    '999999999999999',
    '-1',
    '1e3',
    '01',
    '\u202e',
  ],
  ...['\x1b]0;x\x07', 'x'.repeat(300), 'ü\ud800', '=', '604800000001'],
];
const WEEK_MS = 7 * 24 * 3600 * 1000;

export const notify: Target<Uint8Array> = {
  name: 'notify',
  form: bytesForm([...KEYS, ...VALUES, '=', '\n']),
  rounds: 6000,
  generate: (random) => {
    if (random.chance(0.2)) return randomBytes(random, random.below(9000));
    return utf8(Array.from({ length: random.below(20) }, () => line(random)).join('\n'));
  },
  run: (bytes) => {
    const said = measured(() => parseNotification(Buffer.from(bytes).toString('utf8')));
    const { status = '', mainPid = 1, watchdogEvery = 1, extend = 1, unknown = [] } = said;
    insist(status.length <= 1000 && isPlain(status), () => shown(said));
    insist(
      unknown.every((key) => key.length <= 200 && isPlain(key)),
      () => shown(said),
    );
    insist(mainPid >= 1 && mainPid <= 4_194_304, () => shown(said));
    for (const time of [watchdogEvery, extend]) {
      insist(Number.isSafeInteger(time) && time >= 1 && time <= WEEK_MS, () => shown(said));
    }
  },
};

const line = (random: Random): string => `${random.pick(KEYS)}=${random.pick(VALUES)}`;

const isPlain = (text: string): boolean => !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(text);
