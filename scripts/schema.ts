/**
 * Writes docs/service.schema.json, the JSON Schema of service.json, from the schema that reads
 * service.json: `node scripts/schema.ts`. A test compares the two.
 */
import { writeFileSync } from 'node:fs';
import { SERVICE_SCHEMA } from '../src/core/spec-json.ts';

/** A JSON Schema, or a part of one. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The text of docs/service.schema.json. */
export function serviceSchemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'service.json of svinit',
    ...convert(SERVICE_SCHEMA),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** The parts of a valibot schema that are read here; each is plain data. */
type Node = {
  readonly type?: string;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly key?: Node;
  readonly value?: Node;
  readonly options?: readonly (Node | string)[];
  readonly literal?: unknown;
  readonly pipe?: readonly Node[];
  readonly requirement?: unknown;
  readonly description?: string;
  readonly metadata?: JsonSchema;
};

function convert(schema: unknown): JsonSchema {
  const { pipe, ...node } = schema as Node;
  const [first, ...actions] = pipe ?? [node];
  // A pipe repeats its first schema, which may be a pipe itself.
  const base = pipe === undefined ? convertType(node) : convert(first);
  return Object.assign({}, base, ...actions.map(convertAction));
}

function convertType(node: Node): JsonSchema {
  switch (node.type) {
    case 'strict_object':
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(node.entries ?? {}).map(([key, value]) => [key, convert(value)]),
        ),
        required: requiredOf(node),
        additionalProperties: false,
      };
    case 'record':
      return {
        type: 'object',
        propertyNames: convert(node.key),
        additionalProperties: convert(node.value),
      };
    case 'exact_optional':
      return convert(node.wrapped);
    case 'nullable':
      return { anyOf: [convert(node.wrapped), { type: 'null' }] };
    case 'union':
      return { anyOf: node.options?.map(convert) };
    case 'picklist':
      return { enum: node.options };
    case 'literal':
      return { const: node.literal };
    case 'array':
      return { type: 'array', items: convert(node.item) };
    case 'string':
    case 'number':
    case 'boolean':
      return { type: node.type };
    default:
      throw new TypeError(`Cannot convert the schema type ${node.type}`);
  }
}

function requiredOf({ entries }: Node): readonly string[] | undefined {
  const required = Object.entries(entries ?? {})
    .filter(([, { type }]) => type !== 'exact_optional')
    .map(([key]) => key);
  return required.length === 0 ? undefined : required;
}

/** What an action of a pipe adds; checks that JSON Schema cannot express add nothing. */
function convertAction(action: unknown): JsonSchema {
  const { type, requirement, description, metadata } = action as Node;
  switch (type) {
    case 'description':
      return { description };
    case 'metadata':
      return metadata ?? {};
    case 'regex':
      return { pattern: requirement instanceof RegExp ? requirement.source : undefined };
    case 'integer':
      return { type: 'integer' };
    case 'min_value':
      return { minimum: requirement };
    case 'max_value':
      return { maximum: requirement };
    case 'min_length':
      return { minItems: requirement };
    case 'max_length':
      return { maxLength: requirement };
    case 'check':
    case 'transform':
      return {};
    default:
      throw new TypeError(`Cannot convert the action ${type}`);
  }
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/service.schema.json', import.meta.url), serviceSchemaText());
}
