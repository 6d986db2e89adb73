/** Makes client/schema.ts: the types of the client, from the schemas that the gateway parses and describes its JSON with. */
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { readConfig } from '../gateway/config/read.ts';
import { describeService } from '../gateway/wiring/openapi/document.ts';

/** What the client takes and gives. The schemas that these use come along. */
const SCHEMAS = ['Picture', 'Instance', 'Predictions', 'Prediction', 'ListedScores', 'Failure', 'Model'];

const BANNER = '/** Written by `make docs` from the schemas of openapi.json. Do not edit it by hand. */';

/** The text of client/schema.ts. */
export async function clientTypes(): Promise<string> {
  const { paths, components } = structuredClone(describeService(readConfig({}, {})));
  const parameters = (paths?.['/predict']?.post?.parameters ?? []) as readonly { name: string; schema: JSONSchema }[];
  const query = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]));
  const schemas = components?.schemas as Readonly<Record<string, JSONSchema>>;
  const used = new Set<string>();
  for (const name of SCHEMAS) addUsed(name, schemas, used);
  const definitions = {
    ...Object.fromEntries([...used].sort().map((name) => [name, spread(schemas[name] ?? {})])),
    PredictQuery: { type: 'object', properties: query },
  };
  const text = JSON.stringify(definitions, withoutExamples).replaceAll('#/components/schemas/', '#/$defs/');
  const types = await compile({ type: 'object', $defs: JSON.parse(text) }, 'Unused', {
    additionalProperties: false,
    bannerComment: BANNER,
    ignoreMinAndMaxItems: true,
    unreachableDefinitions: true,
    style: { singleQuote: true, printWidth: 120 },
  });
  return types.replace('export interface Unused {}\n', '').replaceAll(REFERENCE, '').replaceAll('/**\n */\n', '');
}

/** Each alternative of an object with all its properties: the generator would forget those that alternatives share. */
function spread({ properties, oneOf, type, ...rest }: JSONSchema): JSONSchema {
  if (properties === undefined || oneOf === undefined) return { ...rest, properties, oneOf, type } as JSONSchema;
  const alternatives = oneOf.map((one) => ({
    type: 'object',
    ...one,
    properties: { ...properties, ...one.properties },
  }));
  return { ...rest, oneOf: alternatives } as JSONSchema;
}

/** What the generator adds to each description. */
const REFERENCE =
  /\n \*(?:\n \*)? This interface was referenced by `Unused`'s JSON-Schema\n \* via the `definition` "\w+"\./g;

function addUsed(name: string, schemas: Readonly<Record<string, JSONSchema>>, used: Set<string>): void {
  if (used.has(name)) return;
  used.add(name);
  const references = JSON.stringify(schemas[name], withoutExamples).matchAll(/#\/components\/schemas\/(\w+)/g);
  for (const [, other = ''] of references) addUsed(other, schemas, used);
}

const withoutExamples = (key: string, value: unknown) => (key === 'example' || key === 'examples' ? undefined : value);
