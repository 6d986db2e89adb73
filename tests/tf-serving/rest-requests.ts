/** Requests to TF-Serving's REST API for the models of make-models: every type, shape and form, and every kind of mistake. */

export type RestRequest = {
  readonly method?: string;
  readonly path: string;
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown;
};

/** Values of each type that JSON can hold, among them the limits. Numbers as text: JSON.stringify rounds them. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  float32: ['0', '-0.0', '1.5', '-3.25', '3.4028234e38', '1e-45', '0.1', '16777217', '1E2'],
  float64: ['0', '0.1', '-2.5e-300', '1.7976931348623157e308', '9007199254740993', '5e-324', '123456789.125'],
  int8: ['-128', '0', '127', '5'],
  int16: ['-32768', '0', '32767', '-7'],
  int32: ['-2147483648', '0', '2147483647', '42'],
  int64: ['-9223372036854775808', '9223372036854775807', '9007199254740993', '0', '-1'],
  uint8: ['0', '255', '7'],
  uint32: ['0', '4294967295', '1'],
  uint64: ['0', '18446744073709551615', '9007199254740993'],
  bool: ['true', 'false'],
  string: ['"text"', '""', '"é€𝄞"', '"a\\"b\\\\c\\n"', '{"b64":"aGVsbG8="}', '{"b64":"aGVsbG8"}', '{"b64":""}'],
};

/** What is no element of any number, of a string, or of a rectangle. */
const WRONG: readonly string[] = ['null', '"a"', 'true', '{}', '{"a":1}', '1.0', '1.5', '[1]', '[]', '{"b64":5}'];
const RAGGED: readonly string[] = [
  '[[V],V]',
  '[V,[V]]',
  '[[V,V],[V]]',
  '[[[V]],[V]]',
  '[[V],[]]',
  '[[],[V]]',
  '[[V],[V,V]]',
];
const SHAPES: readonly string[] = ['[V]', '[V,V,V]', '[[V]]', '[[V,V],[V,V]]', '[[[V],[V]]]', '[[[[V,V]]],[[[V,V]]]]'];

const TYPES = Object.keys(VALUES);

/** Replaces each V by the next value of the type. */
function fill(shape: string, values: readonly string[]): string {
  let next = 0;
  return shape.replaceAll('V', () => values[next++ % values.length] ?? 'null');
}

/** A request to the model `dtypes`, which answers a value of this type as it came. */
export function echo(type: string, field: 'instances' | 'inputs', value: string): RestRequest {
  return { path: 'dtypes:predict', body: `{"signature_name":"echo_${type}","${field}":${value}}` };
}

/** Tensors that both servers take. */
export function tensorRequests(): RestRequest[] {
  return TYPES.flatMap((type) => {
    const values = VALUES[type] ?? [];
    const named = values.map((value) => `{"x":${value}}`);
    return [
      ...SHAPES.flatMap((shape) => [
        echo(type, 'instances', fill(shape, values)),
        echo(type, 'inputs', fill(shape, values)),
      ]),
      // The server of the lab cannot write one string.
      ...(type === 'string' ? [] : [echo(type, 'inputs', values[0] ?? '')]),
      echo(type, 'instances', `[${named}]`),
      echo(type, 'inputs', `{"x":[${values}]}`),
      echo(type, 'inputs', `{"x":[${values}],"other":1}`),
    ];
  });
}

/** Values that are no tensor of their input. */
export function valueMistakes(): RestRequest[] {
  const complex = ['instances', 'inputs'].map((field) => echo('complex64', field as 'inputs', '[1]'));
  const mistakes = TYPES.flatMap((type) => {
    const [value = '', other = value] = VALUES[type] ?? [];
    const isNumber = type.startsWith('float');
    const wrong = WRONG.filter(
      (text) => !(isNumber && /^1\.|^\[/.test(text)) && !(type === 'string' && text === '"a"'),
    ).filter((text) => !(type === 'bool' && text === 'true'));
    return [
      ...wrong.map((text) => echo(type, 'instances', `[${value},${text}]`)),
      ...wrong.filter((text) => !text.startsWith('[')).map((text) => echo(type, 'inputs', text)),
      ...wrong.slice(0, 3).map((text) => echo(type, 'instances', `[{"x":${value}},{"x":${text}}]`)),
      ...RAGGED.map((shape) => echo(type, 'instances', fill(shape, [value, other]))),
      ...RAGGED.slice(0, 4).map((shape) => echo(type, 'inputs', fill(shape, [value, other]))),
      ...['{"b64":"*"}', '{"b64":"a"}']
        .filter(() => type === 'string')
        .map((text) => echo(type, 'instances', `[${text}]`)),
      ...(/int64/.test(type) ? [echo(type, 'inputs', '[9223372036854775808123]')] : []),
    ];
  });
  return [...mistakes, ...complex];
}

const ROW = { tenure: 1, monthlycharges: 70.5, contract: 'month-to-month' };
const { contract: _, ...SHORT } = ROW;

/** Requests with several inputs, and mistakes in the document and its names. */
export function documentRequests(): RestRequest[] {
  const churn = [
    { instances: [ROW, { ...ROW, tenure: 60, contract: 'two_year' }] },
    { instances: [ROW], signature_name: 'serving_default' },
    { instances: [ROW], signature_name: '' },
    { inputs: { tenure: [1, 2], monthlycharges: [70.5, 20], contract: ['one_year', 'two_year'] } },
    { inputs: { tenure: [1], monthlycharges: [70.5], contract: [{ b64: 'b25lX3llYXI=' }] } },
    { instances: [SHORT] },
    { instances: [{ ...ROW, other: 1 }] },
    { instances: [ROW, SHORT] },
    { instances: [ROW, 5] },
    { instances: [ROW, [5]] },
    { instances: [5, ROW] },
    { instances: [[1, 70.5, 'x']] },
    { instances: 5 },
    { instances: {} },
    { instances: [] },
    { instances: null },
    { inputs: [1] },
    { inputs: 5 },
    { inputs: {} },
    { inputs: { tenure: [1] } },
    { inputs: { tenure: [1], monthlycharges: ['a'], contract: ['x'] } },
    { inputs: { tenure: [1, 2], monthlycharges: [70.5], contract: ['x'] } },
    { instances: [ROW], inputs: [1] },
    { signature_name: 'serving_default' },
    { signature_name: 5, instances: [ROW] },
    { signature_name: null, instances: [ROW] },
    { signature_name: 'none', instances: [ROW] },
    {
      instances: [
        { ...ROW, tenure: 'a' },
        { ...ROW, contract: 5 },
      ],
    },
    { instances: [ROW, { ...ROW, tenure: [1, 2] }] },
    {},
  ].map((body): RestRequest => ({ path: 'churn:predict', body }));
  const texts = [
    '',
    ' ',
    'x',
    '[]',
    '5',
    '"a"',
    'null',
    '{',
    '{"a"',
    '{"instances":[1,}',
    '{"instances":[1 2]}',
    '{a:1}',
  ];
  return [
    ...churn,
    ...texts.map((body) => ({ path: 'versions:predict', body })),
    ...texts.map((body) => ({ path: 'examples:classify', body })),
    { path: 'none:predict', body: 'x' },
    { path: 'none:predict', body: { signature_name: 5 } },
    { path: 'versions:predict', body: { instances: ['a'.repeat(300)] } },
    { path: 'versions:predict', body: { instances: [Array(300).fill(1), 'x'] } },
    { path: 'versions:predict', body: { instances: [{ x: 1, y: { z: [1, 2] } }] } },
  ];
}

/** Paths, versions, labels and methods. */
export function pathRequests(): RestRequest[] {
  const body = { instances: [1, 2.5] };
  const which = [
    '',
    '/versions/1',
    '/versions/003',
    '/versions/9',
    '/labels/stable',
    '/labels/none',
    '/labels/st%61ble',
  ];
  const odd = ['/versions/', '/versions/a', '/labels/', '/versions/1/labels/stable', '/versions/99999999999999999999'];
  return [
    ...which.flatMap((part) => [
      { path: `versions${part}:predict`, body },
      { path: `versions${part}` },
      { path: `versions${part}/metadata` },
    ]),
    ...odd.flatMap((part) => [{ path: `versions${part}:predict`, body }, { path: `versions${part}` }]),
    ...['versions:guess', 'versions', 'versions:predict/', ':predict', 'versions:predict:predict'].map((path) => ({
      path,
      body,
    })),
    ...['none:predict', 'none:classify', 'none/versions/1:regress'].map((path) => ({
      path,
      body: { instances: [1], examples: [{}] },
    })),
    ...['none', 'none/metadata', 'none/versions/1', 'none/labels/a/metadata', 'versions:predict', 'versions/other'].map(
      (path) => ({ path }),
    ),
    ...['churn/metadata', 'dtypes/metadata', 'examples/metadata', 'VERSIONS', 'v%65rsions', 'a%2Fb'].map((path) => ({
      path,
    })),
    { path: 'versions:PREDICT', body },
    { path: '', method: 'GET' },
    { path: 'versions:predict', method: 'PUT', body },
    { path: 'versions', method: 'DELETE' },
  ];
}

/** Classify and Regress. */
export function exampleRequests(): RestRequest[] {
  const x = (value: unknown) => ({ examples: [{ x: value }] });
  const bodies = [
    x(2.0),
    '{"examples":[{"x":2.0},{"x":[4.5]}]}',
    '{"examples":[{"x":2}]}',
    '{"examples":[{"x":[1.5,2.5]}]}',
    '{"examples":[{"y":1.5}]}',
    '{"context":{"x":3.5},"examples":[{},{}]}',
    '{"context":{"x":3.5},"examples":[{"x":1.5}]}',
    '{"context":5,"examples":[{}]}',
    '{"examples":[{"x":2.5,"other":["a",{"b64":"/wA="}],"flag":[true,false],"none":[]}]}',
    '{"examples":[{"x":2.5,"n":[1,1.5]}]}',
    '{"examples":[{"x":2.5,"n":["a",1]}]}',
    '{"examples":[{"x":2.5,"n":9223372036854775808}]}',
    x(null),
    x({ a: 1 }),
    x([[1]]),
    x({ b64: '*' }),
    { examples: [5] },
    { examples: ['a', {}] },
    { examples: [null] },
    { examples: [[1]] },
    { examples: {} },
    { examples: 5 },
    { examples: [] },
    {},
    { instances: [1] },
  ];
  const all = ['classify', 'regress'].flatMap((method) =>
    bodies.map((body) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const separator = text === '{}' ? '' : ',';
      return { path: `examples:${method}`, body: text.replace('{', `{"signature_name":"${method}"${separator}`) };
    }),
  );
  return [
    ...all,
    { path: 'examples:regress', body: '{"examples":[{"x":2.5}]}' },
    { path: 'examples:classify', body: '{"examples":[{"x":2.5}],"signature_name":"none"}' },
    { path: 'churn:classify', body: '{"examples":[{"x":2.5}]}' },
    { path: 'versions:regress', body: '{"examples":[{"x":2.5}],"signature_name":7}' },
    { path: 'dtypes:classify', body: '{"examples":[{"x":2.5}]}' },
  ];
}
