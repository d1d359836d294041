/**
 * The shape of sockets as an image leaves them to the next.
 */
import * as v from 'valibot';
import { parseSocketAddress } from './socket-address.ts';

export const SocketsSchema: v.GenericSchema = v.array(
  v.strictObject({
    listen: v.pipe(
      v.string(),
      v.check((text) => typeof parseSocketAddress(text) !== 'string'),
    ),
    type: v.picklist(['stream', 'dgram', 'seqpacket']),
    name: v.string(),
    mode: v.number(),
    user: v.exactOptional(v.string()),
    group: v.exactOptional(v.string()),
    backlog: v.number(),
    reusePort: v.boolean(),
    freeBind: v.boolean(),
    v6only: v.boolean(),
  }),
);
