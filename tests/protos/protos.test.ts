/** Every message, field number, label, type and enum value of protos/ stands in the public protos too. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));

/** The output of dump_descriptors.py. A field is "2 one google.protobuf.Int64Value in version_choice". */
type Descriptors = {
  messages: Record<string, Record<string, string>>;
  enums: Record<string, Record<string, number>>;
  methods: Record<string, [request: string, response: string]>;
};

/** The reliable parts of a protobufjs descriptor. A type name may lack its package. */
type EnumDescriptor = { name: string; value: { name: string; number: number }[] };
type FieldDescriptor = { name: string; number: number; label: string; type: string; typeName: string };
type MessageDescriptor = {
  name: string;
  field: FieldDescriptor[];
  nestedType: MessageDescriptor[];
  enumType: EnumDescriptor[];
  oneofDecl: { name: string }[];
  options: { mapEntry: boolean } | null;
};

const descriptors = async (file: string) =>
  JSON.parse(await readFile(new URL(file, import.meta.url), 'utf8')) as Descriptors;
const [tensorflow, inference] = [await descriptors('descriptors.json'), await descriptors('inference.json')];
const original: Descriptors = {
  messages: { ...tensorflow.messages, ...inference.messages },
  enums: { ...tensorflow.enums, ...inference.enums },
  methods: { ...tensorflow.methods, ...inference.methods },
};
const files = await Array.fromAsync(glob('**/*.proto', { cwd: PROTOS }));
const definitions = Object.entries(loadSync(files, { includeDirs: [PROTOS], keepCase: true, oneofs: true })).filter(
  ([name]) => /^(tensorflow|inference)\./.test(name),
);

/** All messages and enums of protos/ by full name, including nested ones. */
const ours = { messages: new Map<string, MessageDescriptor>(), enums: new Map<string, EnumDescriptor>() };

function addMessage(name: string, message: MessageDescriptor): void {
  ours.messages.set(name, message);
  for (const nested of message.nestedType) {
    addMessage(`${name}.${nested.options?.mapEntry ? entryName(nested.name) : nested.name}`, nested);
  }
  for (const one of message.enumType) ours.enums.set(`${name}.${one.name}`, one);
}

/** The entry type of the map version_labels is `VersionLabelsEntry` in protoc and `Version_labels` in protobufjs. */
function entryName(name: string): string {
  return `${name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}Entry`;
}

for (const [name, definition] of definitions) {
  if (!('type' in definition)) continue;
  const type = definition.type as MessageDescriptor | EnumDescriptor;
  if ('field' in type) addMessage(name, type);
  else ours.enums.set(name, type);
}

test('protos/ has exactly the messages and enums that are compared', () => {
  const topLevel = Object.keys(original.messages).filter((name) =>
    /^(tensorflow(\.serving)?|inference)\.[A-Z]\w*$/.test(name),
  );
  for (const name of topLevel) assert.ok(ours.messages.has(name), `${name} is missing`);
  for (const name of ours.messages.keys()) assert.ok(original.messages[name], `${name} is not compared`);
  for (const name of ours.enums.keys()) assert.ok(original.enums[name], `${name} is not compared`);
});

test('fields have the numbers, labels and types of the original protos', () => {
  for (const [name, { field: fields, nestedType }] of ours.messages) {
    for (const field of fields) {
      const theirs = original.messages[name]?.[field.name];
      assert.ok(theirs, `${name} has no field ${field.name}`);
      const [number, label, type = ''] = theirs.split(' ');
      assert.equal(`${field.number}`, number, `number of ${name}.${field.name}`);
      assert.equal(field.label === 'LABEL_REPEATED' ? 'repeated' : 'one', label, `label of ${name}.${field.name}`);
      const isMap = nestedType.some((nested) => nested.name === field.typeName && nested.options?.mapEntry);
      const ourType = field.typeName ? `.${isMap ? entryName(field.typeName) : field.typeName}` : scalar(field.type);
      assert.ok(
        `.${type}`.endsWith(ourType),
        `${name}.${field.name} is ${ourType} in protos/ and ${type} in the original`,
      );
    }
  }
});

function scalar(type: string): string {
  return `.${type.replace('TYPE_', '').toLowerCase()}`;
}

test('oneofs have the same fields', () => {
  let compared = 0;
  for (const [name, definition] of definitions) {
    if (!ours.messages.has(name)) continue;
    const { serialize, deserialize } = definition as MessageTypeDefinition<object, Record<string, unknown>>;
    for (const [field, theirs] of Object.entries(original.messages[name] ?? {})) {
      const [, oneof] = / in (\w+)$/.exec(theirs) ?? [];
      const here = ours.messages.get(name)?.field.find((one) => one.name === field);
      if (!oneof || !here) continue;
      const decoded = deserialize(serialize({ [field]: here.typeName ? {} : 'x' }));
      assert.equal(decoded[oneof], field, `${name}.${field} is not in ${oneof}`);
      compared += 1;
    }
  }
  // The name in TensorInfo, version and label in ModelSpec, the list in ModelServerConfig, three lists in Feature, two in
  // Input, and three kinds of InferParameter.
  assert.equal(compared, 12);
});

test('the version policy is a oneof of latest, all and specific', () => {
  const [, definition] = definitions.find(([name]) => name === 'tensorflow.serving.ModelConfig') ?? [];
  const { serialize, deserialize } = definition as MessageTypeDefinition<object, { model_version_policy: object }>;
  const theirs = original.messages['tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy'] ?? {};
  for (const choice of ['latest', 'all', 'specific']) {
    assert.match(theirs[choice] ?? '', / in policy_choice$/);
    const { model_version_policy: policy } = deserialize(serialize({ model_version_policy: { [choice]: {} } }));
    assert.equal('policy_choice' in policy && policy.policy_choice, choice);
  }
});

test('enum values have the numbers of the original protos', () => {
  for (const [name, { value: values }] of ours.enums) {
    for (const { name: value, number } of values) {
      assert.equal(number, original.enums[name]?.[value], `${name}.${value}`);
    }
  }
});

test('methods have the paths, request types and response types of the original protos', () => {
  const services = definitions.filter(([, definition]) => !('type' in definition));
  const paths = services.flatMap(([, service]) =>
    Object.values(service).map(({ path, requestType, responseType }) => {
      const [request = '', response = ''] = original.methods[path] ?? [];
      assert.ok(request.endsWith(`.${requestType.type.name}`), path);
      assert.ok(response.endsWith(`.${responseType.type.name}`), path);
      return path;
    }),
  );
  assert.deepEqual(paths.sort(), [
    '/inference.GRPCInferenceService/ModelInfer',
    '/inference.GRPCInferenceService/ModelMetadata',
    '/inference.GRPCInferenceService/ModelReady',
    '/inference.GRPCInferenceService/RepositoryIndex',
    '/inference.GRPCInferenceService/ServerLive',
    '/inference.GRPCInferenceService/ServerMetadata',
    '/inference.GRPCInferenceService/ServerReady',
    '/tensorflow.serving.ModelService/GetModelStatus',
    '/tensorflow.serving.ModelService/HandleReloadConfigRequest',
    '/tensorflow.serving.PredictionService/Classify',
    '/tensorflow.serving.PredictionService/GetModelMetadata',
    '/tensorflow.serving.PredictionService/Predict',
    '/tensorflow.serving.PredictionService/Regress',
  ]);
});
