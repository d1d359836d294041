/**
 * What svinit says, from text: frames of JSON-RPC, and the services in them. Whatever does not have
 * the shape is not there.
 */
import { nameProblem } from '../core/names.ts';
import type { ServiceView } from '../core/service-view.ts';

export type Frame = {
  readonly id: number | null;
  /** Of a notification. */
  readonly method: string | null;
  readonly params: ReadonlyMap<string, unknown>;
  readonly result: unknown;
  /** Why it was refused; null: it was not. */
  readonly error: string | null;
};

/** Null when the line is no JSON object. */
export function parseFrame(line: string): Frame | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const frame = asMap(value);
  const [id, method, error] = [frame.get('id'), frame.get('method'), frame.get('error')];
  const message = asMap(error).get('message');
  return {
    id: typeof id === 'number' ? id : null,
    method: typeof method === 'string' ? method : null,
    params: asMap(frame.get('params')),
    result: frame.get('result') ?? null,
    error: error === undefined ? null : typeof message === 'string' ? message : 'no reason given',
  };
}

/** The services of a result of `ls`. */
export function viewsIn(result: unknown): readonly ServiceView[] {
  const services = asMap(result).get('services');
  return Array.isArray(services) ? services.flatMap((service) => viewIn(service) ?? []) : [];
}

/**
 * A service whose name may be the name of a directory; the socket is root's and the rest svinit's.
 */
export function viewIn(value: unknown): ServiceView | null {
  const name = asMap(value).get('name');
  if (typeof name !== 'string' || nameProblem(name) !== null) return null;
  return value as ServiceView;
}

function asMap(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}
