import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { parseBackends } from '../backend/grpc/resolver.ts';
import { ModelCardError, parseCard } from './card.ts';
import { readCards } from './folders.ts';
import { newCardText } from './new-card.ts';

const GOOD = 'name: m\nimage: {size: [4, 6], scale: tf}\nclasses: [a, b]\n';

test('fields left out of model.yaml have the defaults of the original pipeline', () => {
  assert.deepEqual(parseCard(GOOD, '/models/m'), {
    name: 'm',
    signature: 'serving_default',
    mayTakePixels: true,
    image: {
      size: [4, 6],
      resize: 'nearest',
      engine: 'pillow',
      antialias: false,
      fit: 'stretch',
      scale: 'tf',
      color: 'rgb',
      layout: 'NHWC',
      pillow: 13,
    },
    classes: ['a', 'b'],
    scores: 'logits',
    folder: '/models/m',
  });
});

test('only a model of resized pictures without a signature, or with auto, may take pixels', () => {
  const of = (text: string) => {
    const { signature, mayTakePixels } = parseCard(text, '/models/m');
    return [signature, mayTakePixels];
  };
  assert.deepEqual(of(`${GOOD}signature: auto`), ['serving_default', true]);
  assert.deepEqual(of(`${GOOD}signature: serving_default`), ['serving_default', undefined]);
  assert.deepEqual(of(`${GOOD}signature: other`), ['other', undefined]);
  assert.deepEqual(of('name: m\nimage: {encoded: true}\nclasses: [a, b]'), ['serving_default', undefined]);
  assert.deepEqual(of('name: m\nsignature: auto'), ['serving_default', undefined]);
});

test('A2 (08): names are the text of the file, whatever YAML would make of them', () => {
  const names = '00000 08 1e3 4006381333931000001 True no null ~ 0x1F .inf -0 1_000 2024-01-31'.split(' ');
  for (const list of [`[${names.join(', ')}]`, names.map((name) => `\n  - ${name}`).join('')]) {
    assert.deepEqual(parseCard(GOOD.replace('[a, b]', list), '/models/m').classes, names);
  }
  const fields =
    'name: 007\nsignature: 1.0\nimage: {input: 0x1, size: [4, 6], scale: tf}\noutput: True\nclasses: ["1", \'0\']';
  const { name, signature, image, output, classes } = parseCard(fields, '/models/m');
  assert.deepEqual([name, signature, image?.input, output, classes], ['007', '1.0', '0x1', 'True', ['1', '0']]);
});

for (const [what, text, line] of [
  ['not YAML', 'name: [', /^m\/model.yaml:1: not YAML: Flow/],
  ['a list', '- a', /^m\/model.yaml:1: needs fields/],
  ['an empty file', '', /^m\/model.yaml:1: needs fields/],
  ['an unknown alias', 'name: *a', /^m\/model.yaml:1: not YAML: Unresolved alias/],
  ['an unknown field', `${GOOD}scoers: logits\n`, /scoers/],
  ['an unknown resize', GOOD.replace('scale: tf', 'scale: tf, resize: cubic'), /image\.resize: /],
  [
    'a filter of the other engine',
    GOOD.replace('scale: tf', 'scale: tf, resize: area'),
    /image\.resize: engine pillow has nearest/,
  ],
  [
    'antialias with Pillow',
    GOOD.replace('scale: tf', 'scale: tf, antialias: true'),
    /image\.antialias: only engine tensorflow/,
  ],
  [
    'a grayscale caffe',
    GOOD.replace('scale: tf', 'scale: caffe, color: grayscale'),
    /image\.scale: caffe needs the three/,
  ],
  [
    'a crop that does not fit',
    GOOD.replace('scale: tf', 'scale: tf, fit: {shorter: 5}'),
    /image\.fit: shorter: 5 cannot hold/,
  ],
  ['an image without classes', 'name: m\nimage: {size: [4, 6], scale: tf}\n', /classes: an image model needs/],
  ['two classes of one name', GOOD.replace('[a, b]', '[a, a]'), /classes: every class/],
] as const) {
  test(`${what} is refused with the file and the field`, () => {
    assert.throws(
      () => parseCard(text, '/models/m'),
      (error: unknown) => error instanceof ModelCardError && line.test(error.message),
    );
  });
}

const WRONG = `name: my pets
signatur: serving_default
image:
  size: [224]
  resize: cubic
  engine: tensorflow
  antialias: yes
  fit: {shortest: 256}
  color: gray
  layout: channels_last
  classes: [cat]
  antialias: true
classes:
  - cat
  - dog: 1
  -
scores: Softmax
colour: rgb
`;

test('F29: every mistake is named at once, with its line, the nearest right word and an example', () => {
  const methods = 'nearest, box, bilinear, hamming, bicubic, lanczos, area or lanczos3';
  assert.deepEqual(mistakesOf(WRONG), [
    '1: name: takes letters, digits, dots, dashes and underscores, not "my pets". Example: name: pets',
    '2: signatur: no such field; did you mean signature? Example: signature: auto',
    '3: image.scale: is missing; takes tf, mul127, div255, mul255, torch, caffe, none or {mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}. Example: scale: tf',
    '4: image.size: takes height and width, whole numbers from 1 to 8192, not [224]. Example: size: [224, 224]',
    `5: image.resize: takes ${methods}, not "cubic"; did you mean bicubic? Example: resize: nearest`,
    '8: image.fit: takes stretch, crop, {shorter: 256}, pad or {pad: 114, place: center}, not {"shortest":256}. Example: fit: stretch',
    '9: image.color: takes rgb or grayscale, not "gray"; did you mean grayscale? Example: color: rgb',
    '10: image.layout: takes NHWC or NCHW, not "channels_last"; did you mean NHWC? Example: layout: NHWC',
    '11: image.classes: belongs at the top. Example: classes: [cat, dog]',
    '12: antialias is there twice',
    '15: classes[1]: takes a list of names; quote a name that has a comma, a colon or #, not {"dog":"1"}. Example: classes: [cat, dog]',
    '16: classes[2]: takes a list of names; quote a name that has a comma, a colon or #, not "". Example: classes: [cat, dog]',
    '17: scores: takes logits, probabilities, sigmoid-logits or values, not "Softmax"; did you mean probabilities? Example: scores: logits',
    '18: colour: no such field; there are name, signature, image, columns, record, inputs, classes, output, scores, decision, background, redact, traffic, shadow, guard, backend, timeout, max_in_flight',
  ]);
});

test('F29: rules about several fields are checked where those fields are right', () => {
  const found = mistakesOf('image: {size: [4, 6], resize: area, fit: {shorter: 5}, scal: tf}\nclasses: [a, a]\n');
  assert.deepEqual(
    found.map((line) => /^\d+: [\w.]+: [\w ]+/.exec(line)?.[0]),
    [
      '1: name: is missing',
      '1: image.scale: is missing',
      '1: image.scal: no such field',
      '1: image.resize: engine pillow has nearest',
      '1: image.fit: shorter',
      '2: classes: every class needs a name of its own',
    ],
  );
});

test('redact of an image model names fields of pictures', () => {
  const card = (redact: string) =>
    parseCard(`name: m\nimage: {size: [2, 2], scale: tf}\nclasses: [a, b]\nredact: ${redact}`, '/m');
  assert.deepEqual(card('[url, id]').redact, ['url', 'id']);
  assert.throws(() => card('[age]'), { message: /:4: redact: an image model has url and id, and no age$/ });
});

test('F29: a new file is right, and its fields are all that there are', () => {
  const card = parseCard(newCardText('pets'), '/models/pets');
  assert.deepEqual(card, {
    ...parseCard(GOOD, '/models/pets'),
    name: 'pets',
    image: card.image,
    classes: ['cat', 'dog'],
  });
  const complete = parseCard(newCardText('pets').replaceAll(/^( *)# ([a-z]+: )/gm, '$1$2'), '/models/pets');
  assert.deepEqual([complete.output, complete.image?.input], ['scores', 'image']);
  const table = newCardText('churn', 'tables');
  assert.deepEqual(parseCard(table, '/models/churn'), parseCard('name: churn', '/models/churn'));
  const completeTable = parseCard(table.replaceAll(/^# ([a-z]+: )/gm, '$1'), '/models/churn');
  assert.deepEqual(completeTable.columns, ['age', 'job']);
  assert.deepEqual(completeTable.record, { in: 'ride', id: 'ride_id' });
  assert.deepEqual(completeTable.inputs?.get('age'), { about: 'in years', minimum: 18, maximum: 99 });
  assert.deepEqual(completeTable.decision, { output: 'probability', threshold: 0.5, name: 'churn' });
});

const image = (fields: string) => parseCard(`name: m\nimage: {${fields}}\nclasses: [a, b]\n`, '/models/m').image;

test('F26: letterbox, own mean and deviation, and encoded pictures are read with their defaults', () => {
  const size = 'size: [4, 6]';
  const read = (fields: string) => image(fields) as { fit?: unknown; scale?: unknown };
  assert.deepEqual(read(`${size}, scale: tf, fit: pad`).fit, { pad: 0, place: 'center' });
  assert.deepEqual(read(`${size}, scale: tf, fit: {pad: [1, 2, 3], place: top-left}`).fit, {
    pad: [1, 2, 3],
    place: 'top-left',
  });
  const own = read(`${size}, color: grayscale, scale: {mean: [0.1307], std: [0.3081]}`);
  assert.deepEqual(own.scale, { divide: 255, mean: [0.1307], std: [0.3081] });
  assert.deepEqual(image('encoded: true, input: bytes'), { encoded: true, input: 'bytes' });
});

for (const [what, fields, line] of [
  [
    'a mean of bytes',
    'scale: {mean: [123, 117, 104], std: [1, 1, 1]}',
    /image\.scale: the mean is of x \/ 255.* add divide: 1/,
  ],
  ['one mean for three channels', 'scale: {mean: [0.5], std: [0.5]}', /image\.scale: mean and std have 3 numbers/],
  ['a deviation of zero', 'scale: {mean: [0, 0, 0], std: [0, 1, 1]}', /image\.scale\.std\[0\]: takes tf, /],
  ['a colour for grayscale', 'scale: tf, color: grayscale, fit: {pad: [1, 2, 3]}', /image\.fit: pad takes one number/],
  ['a size for encoded pictures', 'encoded: true', /image\.size: not with encoded/],
] as const) {
  test(`F26: ${what} is refused`, () => assert.throws(() => image(`size: [4, 6], ${fields}`), line));
}

/** The mistakes of a model.yaml, without the name of the file. */
function mistakesOf(text: string): string[] {
  try {
    parseCard(text, '/models/m');
  } catch (error) {
    assert.ok(error instanceof ModelCardError);
    return error.message.replaceAll('m/model.yaml:', '').split('\n');
  }
  return [];
}

test('a models folder is read by model name, with linked folders, and reports all mistakes at once', async (t) => {
  const models = await mkdtemp(path.join(tmpdir(), 'cards-'));
  t.after(() => rm(models, { recursive: true }));
  await assert.rejects(readCards(models), /no NAME\/model.yaml/);
  await assert.rejects(readCards(path.join(models, 'absent')), /cannot be read/);

  await mkdir(path.join(models, 'one'));
  await writeFile(path.join(models, 'one', 'model.yaml'), GOOD);
  await writeFile(path.join(models, 'notes.txt'), 'not a model');
  assert.deepEqual([...(await readCards(models)).keys()], ['m']);

  await symlink(path.join(models, 'one'), path.join(models, 'two'));
  await mkdir(path.join(models, 'three'));
  await writeFile(path.join(models, 'three', 'model.yaml'), 'name: a/b');
  await assert.rejects(readCards(models), /three\/model.yaml:1: name: [\s\S]*two\/model.yaml: name: m is taken/);
});

test('a model may have servers, a deadline and a limit of its own', () => {
  const text = 'name: m\nbackend: {host: "a:8500, dns:///b:8500"}\ntimeout: 500ms\nmax_in_flight: 4\n';
  const { backend, timeoutMs, maxInFlight } = parseCard(text, '/models/m');
  assert.deepEqual(backend, { host: 'a:8500, dns:///b:8500', protocol: 'tf-serving' });
  assert.deepEqual([timeoutMs, maxInFlight], [500, 4]);
});

test('a right `backend.host` is one that a client can be opened for, and no other', () => {
  const hosts = ['a:1', 'a:65535', '[::1]:8500', 'dns:a:1', 'dns:///a:1', 'unix:/a', 'a:1,b:2'];
  const wrong = ['a', 'a:0', 'a:65536', 'a:1,', 'http://a:1', 'unix:', 'a b:1', '', 'a:1:2'];
  const isRight = (host: string) => {
    try {
      return parseCard(`name: m\nbackend: {host: "${host}"}`, '/m').backend?.host === host;
    } catch {
      return false;
    }
  };
  assert.deepEqual(
    hosts.filter((host) => !isRight(host)),
    [],
  );
  assert.deepEqual(wrong.filter(isRight), []);
  for (const host of hosts) parseBackends(host);
  for (const host of wrong) assert.throws(() => parseBackends(host), host);
});

for (const [fields, wanted] of [
  ['image: {size: [4, 6], scale: tf}\nclasses: [a]\ncolumns: [b]', /columns: is for models without image$/],
  ['inputs: {age: {minimum: 9, maximum: 1}}', /inputs.age.minimum: is above the maximum 1$/],
  ['inputs: {age: {choices: [1], maximum: 9}}', /inputs.age.choices: not with minimum or maximum$/],
  ['inputs: {age: {choises: [1]}}', /inputs.age.choises: no such field; did you mean choices\? Example: choices: \[/],
  ['inputs: {age: {minimum: low}}', /inputs.age.minimum: takes a number, not "low". Example: minimum: 18$/],
  ['columns: [a, a]', /columns: every column needs a name of its own; a is there twice/],
  ['decision: {output: p}', /decision\.name: is missing; takes a name that no output has\. Example: name: churn/],
  ['record: {of: ride}', /record\.of: no such field; did you mean id\?|record\.of: no such field/],
  [
    'backend: {host: "a:1", protocol: tensorflow}',
    /backend\.protocol: takes tf-serving or open-inference, .*did you mean tf-serving\?/,
  ],
  ['timeout: 5', /timeout: takes a duration such as 500ms, 20s or 2m, not "5"/],
  ['max_in_flight: 0', /max_in_flight: takes a whole number above zero, not 0/],
] as const) {
  test(`${fields} is a mistake`, () => {
    assert.throws(() => parseCard(`name: m\n${fields}`, '/m'), { message: wanted });
  });
}

test('shadow and guard are read, and their mistakes are named', () => {
  const read = (yaml: string) => parseCard(`name: m\nclasses: [a, b]\n${yaml}`, '/m');
  assert.deepEqual(read('shadow: {version: 5, share: 20%}').shadow, { version: 5, share: 0.2 });
  const backend = { host: 'gpu:8500', protocol: 'tf-serving' };
  assert.deepEqual(read('shadow: {version: 5, share: 20%, backend: {host: "gpu:8500"}}').shadow?.backend, backend);
  assert.deepEqual(read('guard: {max_latency_ratio: 1.5}').guard, {
    windowMs: 300_000,
    minRequests: 200,
    maxLatencyRatio: 1.5,
  });
  const all =
    '{window: 10m, min_requests: 50, max_error_rate_increase: 1%, max_latency_ratio: 2, min_top1_agreement: 95%}';
  assert.deepEqual(read(`guard: ${all}`).guard, {
    windowMs: 600_000,
    minRequests: 50,
    maxErrorRateIncrease: 0.01,
    maxLatencyRatio: 2,
    minTop1Agreement: 0.95,
  });
  for (const [yaml, mistake] of [
    ['shadow: {version: 5}', /shadow\.share: /],
    ['shadow: {version: next, share: 20%, backend: {host: "gpu:8500"}}', /shadow\.version: is the number of a version/],
    ['guard: {window: 5m}', /guard\.max_error_rate_increase: a guard needs /],
    ['guard: {max_latency_ratio: 0.5}', /guard\.max_latency_ratio: takes a number from 1/],
    ['guard: {min_requests: 5, max_latency_ratio: 2}', /guard\.min_requests: takes a whole number from 10/],
    ['scores: values\nguard: {min_top1_agreement: 95%}', /guard: min_top1_agreement is for models with classes/],
  ] as const)
    assert.throws(() => read(yaml), { message: mistake });
});

test('traffic is read, and its mistakes are named', () => {
  const read = (traffic: string) => parseCard(`name: m\ntraffic: ${traffic}`, '/m').traffic;
  assert.deepEqual(read('{stable: 3, canary: {version: next, share: 2.5%}, sticky: header X-User-Id}'), {
    stable: 3,
    canary: { version: 'next', share: 0.025 },
    sticky: { from: 'header', name: 'x-user-id' },
  });
  assert.deepEqual(read('{stable: stable}'), { stable: 'stable' });
  for (const [traffic, mistake] of [
    [
      '{canary: {version: 4, share: 0.1}}',
      /traffic\.canary\.share: takes a percentage, not "0\.1"\. Example: share: 10%/,
    ],
    ['{canary: {version: 4, share: 101%}}', /traffic\.canary\.share: takes a percentage/],
    ['{canary: {version: 4}}', /traffic\.canary\.share: /],
    ['{stable: 4, canary: {version: 4, share: 10%}}', /traffic\.canary: is the stable version/],
    ['{stable: "3"}', /traffic\.stable: takes a version or a label/],
    [
      '{canary: {version: 4, share: 10%}, sticky: cookie a}',
      /traffic\.sticky: takes header NAME, query NAME or instance id/,
    ],
  ] as const)
    assert.throws(() => read(traffic), mistake);
});
