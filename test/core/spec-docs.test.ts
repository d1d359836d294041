/** What is written about service.json: the published schema and the manual. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { serviceSchemaText } from '../../scripts/schema.ts';
import { good } from './spec-texts.ts';

const ROOT = new URL('../../', import.meta.url);

t.test('docs/service.schema.json is what scripts/schema.ts writes', async (t) => {
  t.equal(readFileSync(new URL('docs/service.schema.json', ROOT), 'utf8'), serviceSchemaText());
});

t.test('services/README.md has every key, and its example is good', async (t) => {
  const readme = readFileSync(new URL('services/README.md', ROOT), 'utf8');
  const { properties } = JSON.parse(serviceSchemaText());
  for (const key of Object.keys(properties)) {
    if (key !== '$schema') t.match(readme, `\`${key}\``);
  }
  const [, example = ''] = /```json\n(.*?)```/s.exec(readme) ?? [];
  t.equal(good({ 'service.json': example }).restart.limit, 5);
});
