import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonDecimal, parseExactJson, plainNumber } from './exact-json.ts';

/** The value, or the text of the error. */
function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (thrown) {
    assert.ok(thrown instanceof SyntaxError);
    return thrown.message;
  }
}

/** The value with its numbers as JSON.parse reads them. */
function plain(value: unknown): unknown {
  const number = plainNumber(value);
  if (typeof number !== 'object' || number === null) return number;
  if (Array.isArray(number)) return number.map(plain);
  const copy = Object.create(Object.getPrototypeOf(number));
  for (const [name, member] of Object.entries(number)) {
    Object.defineProperty(copy, name, { value: plain(member), enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

const check = (text: string) =>
  assert.deepEqual(
    outcome(() => plain(parseExactJson(text))),
    outcome(() => JSON.parse(text)),
    text,
  );

const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.constantFrom('0', '1', '90', '123456789012345', '1234567890123456', '9223372036854775807', '00'),
    fc.constantFrom('', '.0', '.5', '.', '.25000000000000001'),
    fc.constantFrom('', 'e1', 'E+2', 'e-7', 'e400', 'e'),
  )
  .map((parts) => parts.join(''));
const blank = fc.constantFrom('', ' ', '\n\t', '\r', '\u00a0');
const text = fc.oneof(
  fc.constantFrom('""', '"a"', '"é𝄞"', '"\\n"', '"\\u0031"', '"\u0001"', '"a', 'true', 'false', 'null', 'nul', ''),
  number,
);
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    text,
    fc
      .tuple(blank, fc.array(tie('json'), { maxLength: 4 }), blank)
      .map(([a, items, b]) => `${a}[${items.join(`${b},`)}]`),
    fc
      .tuple(
        fc.array(fc.tuple(fc.constantFrom('"a"', '"b"', '"7"', '"__proto__"', 'a'), tie('json')), { maxLength: 3 }),
        blank,
      )
      .map(([members, b]) => `{${members.map(([name, value]) => `${name}${b}:${b}${value}`).join(',')}}`),
  ),
}));

test('any text is read, or refused, as JSON.parse does', () => {
  // 1.5 has the numbers read exactly.
  fc.assert(
    fc.property(json, (one) => check(`[1.5,${one}]`)),
    { numRuns: 3000 },
  );
  fc.assert(fc.property(fc.jsonValue(), (value) => check(JSON.stringify([1.5, value], undefined, 1))));
});

test('integers keep all digits, and decimals are told from them', () => {
  const long =
    '[9007199254740993, -9223372036854775808, 18446744073709551615, 7, -0, 1.0, 1e3, 2.5, "1.0", {"a": [1E0]}]';
  assert.deepEqual(parseExactJson(long), [
    9007199254740993n,
    -9223372036854775808n,
    18446744073709551615n,
    7,
    -0,
    new JsonDecimal(1),
    new JsonDecimal(1000),
    2.5,
    '1.0',
    { a: [new JsonDecimal(1)] },
  ]);
  for (const unusual of ['"\\u00e9"', `${'['.repeat(300)}${']'.repeat(300)}`, '{"__proto__": 2}']) {
    const [decimal, value] = parseExactJson(`[1.0, ${unusual}]`) as unknown[];
    assert.deepEqual([decimal, value], [new JsonDecimal(1), JSON.parse(unusual)]);
  }
});
