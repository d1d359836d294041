/** Records of s6 and runit byte by byte, letters, and the events of a life. */
import t from 'tap';
import { runitActs, s6Acts, scanActs } from '../../src/core/control-letters.ts';
import {
  encodeRunitStatus,
  pidText,
  type RunitStatus,
  statText,
} from '../../src/core/runit-records.ts';
import { addDeath, decodeS6Status, encodeS6Status } from '../../src/core/s6-records.ts';
import type { ServiceView } from '../../src/core/service-view.ts';
import { firstSeen, moved, runitStatusOf, s6StatusOf } from '../../src/core/supervised.ts';
import { view as upView } from '../cli/fake.ts';

const NOW = 1_782_086_400_000;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

t.test('the status of s6', async (t) => {
  const status = {
    changedAt: NOW,
    readyAt: NOW + 1500,
    pid: 0x1234,
    wstat: 3 << 8,
    paused: false,
    finishing: false,
    wantUp: true,
    ready: true,
  };
  const bytes = encodeS6Status(status);
  const wanted = [
    ...['400000006a387b25', '00000000', '400000006a387b26', '1dcd6500'],
    ...['0000000000001234', '0300', '0c'],
  ];
  t.equal(hex(bytes), wanted.join(''));
  t.same(decodeS6Status(bytes), status);
  t.equal(decodeS6Status(bytes.subarray(1)), null, 'too short');
  t.equal(decodeS6Status(new Uint8Array(35).fill(0xff)), null, 'nonsense');
  const flags = (more: object): number | undefined => encodeS6Status({ ...status, ...more })[34];
  t.equal(flags({ paused: true, wantUp: false, ready: false }), 1);
  t.equal(flags({ finishing: true, wantUp: false, ready: false }), 2);
  t.equal(flags({ ready: false }), 4);
  t.equal(flags({ wantUp: false }), 8);
});

t.test('the status of runit', async (t) => {
  const status: RunitStatus = {
    changedAt: NOW + 0.5,
    pid: 0x1234,
    paused: false,
    wantUp: true,
    gotTerm: false,
    state: 'run',
  };
  t.equal(hex(encodeRunitStatus(status)), '400000006a387b0a0007a1203412000000750001');
  t.same([statText(status), pidText(status)], ['run\n', '4660\n']);
  const all = { ...status, paused: true, gotTerm: true, wantUp: false };
  t.equal(hex(encodeRunitStatus(all)).slice(32), '01640101');
  t.equal(statText(all), 'run, paused, got TERM, want down\n');
  const down = { ...status, pid: null, wantUp: false, state: 'down' } as const;
  t.equal(hex(encodeRunitStatus(down)).slice(24), '0000000000640000');
  t.same([statText(down), pidText(down)], ['down\n', '']);
  t.equal(hex(encodeRunitStatus({ ...status, state: 'finish' })).slice(38), '02');
});

t.test('the tally of deaths', async (t) => {
  const one = addDeath(new Uint8Array(0), NOW, 3 << 8);
  t.equal(hex(one), '400000006a387b25000000000300');
  t.equal(
    hex(addDeath(one, NOW, 9)).slice(28),
    '400000006a387b25000000008909',
    '128 and the signal',
  );
  t.equal(addDeath(one.subarray(0, 13), NOW, 0).length, 14, 'what is cut off is left out');
  let tally: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < 150; i += 1) tally = addDeath(tally, NOW + i * 1000, 0);
  t.equal(tally.length, 100 * 14);
  t.equal(hex(tally.subarray(0, 8)), '400000006a387b57', 'the oldest is the 51st');
  let few = new Uint8Array(0);
  for (let i = 0; i < 5; i += 1) few = Uint8Array.from(addDeath(few, NOW + i * 1000, 0, 2));
  t.equal(few.length, 2 * 14, 'max-death-tally');
  t.equal(addDeath(few, NOW, 0, 0).length, 0, 'none are kept');
});

t.test('letters', async (t) => {
  t.same(s6Acts('t'), [{ do: 'signal', signal: 15, group: false }]);
  t.same(s6Acts('l'), [{ do: 'reload' }]);
  t.same(s6Acts('K'), [{ do: 'signal', signal: 9, group: true }]);
  t.same(s6Acts('D'), [{ do: 'markDown', there: true }, { do: 'stop' }]);
  t.same(s6Acts('x'), [{ do: 'leave' }, { do: 'quit', of: 's6' }]);
  t.same(runitActs('x'), [{ do: 'stop' }, { do: 'quit', of: 'runit' }], 'what x means there');
  t.same(runitActs('t'), [{ do: 'terminate' }]);
  t.same([scanActs('a'), scanActs('n'), scanActs('t')], [['scan'], ['prune'], ['end']]);
  for (const letter of ['', 'Z', '\0', '\n', 'é']) {
    t.same([s6Acts(letter), runitActs(letter), scanActs(letter)], [[], [], []]);
  }
  const known = (actsOf: (letter: string) => readonly unknown[]): string =>
    Array.from({ length: 256 }, (_, i) => String.fromCharCode(i))
      .filter((letter) => actsOf(letter).length > 0)
      .join('');
  t.equal(known(s6Acts), [...'abqhkti12pcyroduDUxOQPCKl'].sort().join(''), 's6-supervise.c');
  t.equal(known(runitActs), [...'udoxtkihaq12pc'].sort().join(''), 'runsv.c');
});

/** A service whose state has been what it is for a second. */
const view = (state: ServiceView['state'], more: Partial<ServiceView> = {}): ServiceView =>
  upView('a', { state, forMs: 1000, pid: null, announces: true, ...more });

t.test('a life is told as s6-supervise tells it', async (t) => {
  let service = firstSeen(view('down', { want: 'down' }), null, NOW);
  t.match(s6StatusOf(service), { pid: null, ready: true, wantUp: false, changedAt: NOW - 1000 });
  let events: readonly string[] = [];
  const go = (to: ServiceView, now: number): readonly string[] => {
    const step = moved(service, to, now);
    service = step.next;
    events = step.events;
    return events;
  };
  t.same(go(view('waiting'), NOW), [], 'it is wanted');
  t.same(go(view('starting', { forMs: 0 }), NOW + 10), [], 'a pid is not known yet');
  t.same(go(view('starting', { pid: 7, forMs: 5 }), NOW + 20), ['u']);
  t.match(s6StatusOf(service), { pid: 7, ready: false, wantUp: true, changedAt: NOW + 15 });
  t.same(go(view('up', { pid: 7, forMs: 0 }), NOW + 30), ['U']);
  t.match(s6StatusOf(service), { ready: true, readyAt: NOW + 30, changedAt: NOW + 15 });
  t.same(go(view('stopping', { pid: 7, want: 'down' }), NOW + 40), []);
  t.match(runitStatusOf(service), { gotTerm: true, wantUp: false, state: 'run' });
  t.match(s6StatusOf(service), { ready: true }, 'it is ready until it ends');
  const exited = { wstat: 3 << 8, lastExitMs: 2, want: 'down' } as const;
  t.same(go(view('finishing', { ...exited, forMs: 2 }), NOW + 50), [], 'finish has no pid yet');
  t.same(go(view('finishing', { ...exited, pid: 8, forMs: 3 }), NOW + 51), ['d']);
  t.match(s6StatusOf(service), { pid: 8, finishing: true, ready: false, wstat: 3 << 8 });
  t.same(go(view('down', { ...exited, forMs: 0 }), NOW + 60), ['D']);
  t.match(s6StatusOf(service), { pid: null, finishing: false, ready: true, readyAt: NOW + 60 });
  t.match(runitStatusOf(service), { gotTerm: false, state: 'down', changedAt: NOW + 60 });
});

t.test('what was not seen one by one is told all the same', async (t) => {
  const up = firstSeen(view('up', { pid: 7 }), null, NOW);
  const events = (to: ServiceView): readonly string[] => moved(up, to, NOW).events;
  t.same(events(view('up', { pid: 9 })), ['d', 'D', 'u', 'U'], 'another process');
  t.same(events(view('backoff', { lastExitMs: 5 })), ['d', 'D'], 'no finish');
  t.same(events(view('failed', { lastExitMs: 5 })), ['d', 'OD'], 'a permanent failure');
  t.same(events(view('up', { pid: 7 })), [], 'nothing');
  t.match(moved(up, view('backoff', { wstat: 9, lastExitMs: 5 }), NOW).deaths, [
    { at: NOW - 5, wstat: 9 },
  ]);
  const down = firstSeen(view('down'), null, NOW);
  t.same(moved(down, view('failed'), NOW).events, ['O'], 'it could not even be started');
  t.match(s6StatusOf(moved(down, view('failed'), NOW).next), { wantUp: false });
  const once = { pid: 7, once: true };
  t.match(s6StatusOf(moved(up, view('up', once), NOW).next), { wantUp: false }, 'it runs once');
});

t.test('what an earlier view knew of the same process is kept', async (t) => {
  const kept = { ...s6StatusOf(firstSeen(view('up', { pid: 7 }), null, 5000)), paused: true };
  const same = firstSeen(view('up', { pid: 7 }), kept, NOW);
  t.match(s6StatusOf(same), { changedAt: 4000, readyAt: 4000, paused: true });
  const other = firstSeen(view('up', { pid: 8 }), kept, NOW);
  t.match(s6StatusOf(other), { changedAt: NOW - 1000, paused: false });
  const plain = firstSeen(view('up', { pid: 8, announces: false }), null, NOW);
  t.match(s6StatusOf(plain), { ready: false }, 'one that does not say so is never ready');
});
