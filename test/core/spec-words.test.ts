/** Whatever a key of service.json holds, a person is told in svinit's words, not in a library's. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { readServiceJson } from '../../src/core/spec-json.ts';

const BAD: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 1.5, 1e300, '', ' ', 'x', '-', 'a\0b', 'ü', 'x'.repeat(5000)],
  ...[[], {}, [[]], [{}], [''], [1], [null], ['a\0b'], { x: 1 }, { '': '' }, Array(1000).fill('x')],
];

/** What valibot says where nobody has said it better. */
const FOREIGN = /Invalid \w+:|Expected .* but received/;

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
};

const SCHEMA: Schema = JSON.parse(readFileSync('docs/service.schema.json', 'utf8'));

t.test('every key of service.json, at every depth', async (t) => {
  const tried = [...values(SCHEMA)];
  for (const value of tried) {
    const read = readServiceJson(JSON.stringify(value));
    const reasons = read.ok ? [] : read.problems.map(({ reason }) => reason);
    const foreign = reasons.filter((reason) => FOREIGN.test(reason));
    if (foreign.length > 0) t.same(foreign, [], JSON.stringify(value).slice(0, 200));
  }
  t.ok(tried.length > 1000, `${tried.length} were tried`);
});

/** Every bad value itself, and in each place that the schema has. */
function* values(schema: Schema): Generator<unknown> {
  yield* BAD;
  for (const one of schema.anyOf ?? []) yield* values(one);
  if (schema.items !== undefined) for (const item of values(schema.items)) yield [item];
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    for (const value of values(inner)) yield { [key]: value };
  }
}
