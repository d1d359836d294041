/**
 * One question to PID 1 over the control socket, for programs of the boot. It knows no method and
 * asks once; people have svctl.
 */
import { connect } from 'node:net';
import { RUN } from '../core/boot-options.ts';

/** Longer than PID 1 needs to look at its own state; what waits for services has its own limit. */
const ANSWER_WITHIN_MS = 90_000;

/**
 * Gives the result as it came. Fails with an Error that says why: svinit is not there, it refused,
 * or it has not answered.
 */
export function askSvinit(method: string, params: object): Promise<unknown> {
  const path = `${process.env['SVINIT_RUN'] || RUN}/control`;
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const give = (end: () => void): void => {
      end();
      socket.destroy();
    };
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_WITHIN_MS, () => {
      give(() => reject(new Error(`Cannot ask svinit to ${method}: there is no answer`)));
    });
    socket.once('error', (error) => give(() => reject(error)));
    socket.once('close', () => reject(new Error(`Cannot ask svinit to ${method}: it hung up`)));
    socket.on('data', (chunk) => {
      text += String(chunk);
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const frame of lines.map(frameOf)) {
        if (frame.get('id') !== ID) continue;
        if (frame.has('result')) give(() => resolve(frame.get('result')));
        else give(() => reject(new Error(reasonOf(frame.get('error')))));
      }
    });
    socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: ID, method, params })}\n`);
  });
}

const ID = 1;

function frameOf(line: string): ReadonlyMap<string, unknown> {
  return entriesOf(JSON.parse(line));
}

function reasonOf(error: unknown): string {
  return String(entriesOf(error).get('message') ?? 'svinit refused without a reason');
}

function entriesOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}
