import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { A, AAAA, readAnswer, writeQuery } from './dns-message.ts';

const CNAME = 5;
const [RESPONSE, POINTER_TO_QUESTION] = [0x8180, [0xc0, 12]];

const nameOf = (host: string) =>
  host
    .split('.')
    .flatMap((label) => [label.length, ...Buffer.from(label)])
    .concat(0);

/** A record: its owner as bytes, its type and its data. */
function record(owner: readonly number[], type: number, data: readonly number[]): number[] {
  return [...owner, 0, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255, ...data];
}

/** An answer to the query with these records. */
function answer(query: Buffer, records: readonly (readonly number[])[], flags = RESPONSE): Buffer {
  const message = Buffer.concat([query, ...records.map((bytes) => Buffer.from(bytes))]);
  message.writeUInt16BE(flags, 2);
  message.writeUInt16BE(records.length, 6);
  return message;
}

const query = writeQuery('img.example', A);
const ADDRESS = [8, 8, 8, 8];

describe('readAnswer', () => {
  test('reads addresses of the question, and of what its CNAMEs lead to', () => {
    const records = [
      record(POINTER_TO_QUESTION, CNAME, nameOf('cdn.example')),
      record(nameOf('CDN.example'), CNAME, nameOf('edge.example')),
      record(nameOf('edge.example'), A, ADDRESS),
    ];
    assert.deepEqual(readAnswer(answer(query, records), query), {
      code: 0,
      isTruncated: false,
      addresses: ['8.8.8.8'],
    });
    const six = writeQuery('img.example', AAAA);
    const data = [0x20, 1, ...Array(13).fill(0), 1];
    assert.deepEqual(readAnswer(answer(six, [record(POINTER_TO_QUESTION, AAAA, data)]), six)?.addresses, ['2001::1']);
  });

  test('A08: leaves out addresses of other names, of other types and of a wrong length', () => {
    const records = [
      record(nameOf('other.example'), A, ADDRESS),
      record(POINTER_TO_QUESTION, AAAA, Array(16).fill(1)),
      record(POINTER_TO_QUESTION, A, [8, 8, 8]),
    ];
    assert.deepEqual(readAnswer(answer(query, records), query)?.addresses, []);
  });

  test('A08: looks at 32 records', () => {
    const same = record(POINTER_TO_QUESTION, A, ADDRESS);
    assert.equal(readAnswer(answer(query, Array(4000).fill(same)), query)?.addresses.length, 32);
    const chain = Array.from({ length: 100 }, (_, i) => record(nameOf(`${i}.x`), CNAME, nameOf(`${i + 1}.x`)));
    const loop = record(POINTER_TO_QUESTION, CNAME, nameOf('img.example'));
    for (const records of [[...chain, same], Array(100).fill(loop)]) {
      assert.deepEqual(readAnswer(answer(query, records), query)?.addresses, []);
    }
  });

  test('A08: a name that points at itself or ahead ends the reading', () => {
    const first = query.length;
    for (const target of [first, first + 1, first + 100, 0x3fff]) {
      const endless = record([0xc0 | (target >> 8), target & 255], A, ADDRESS);
      assert.deepEqual(readAnswer(answer(query, [endless]), query)?.addresses, [], String(target));
    }
  });

  test('does not take a message that answers another query, or none', () => {
    const other = Buffer.from(query);
    other.writeUInt16BE(query.readUInt16BE(0) ^ 1, 0);
    const records = [record(POINTER_TO_QUESTION, A, ADDRESS)];
    for (const message of [
      answer(other, records),
      answer(writeQuery('evil.example', A), records),
      query,
      Buffer.alloc(5),
    ]) {
      assert.equal(readAnswer(message, query), undefined);
    }
  });

  test('of a truncated message, the records before the end are read', () => {
    const one = record(POINTER_TO_QUESTION, A, ADDRESS);
    const records = [one, one];
    const whole = answer(query, records, RESPONSE | 0x0200);
    for (let cut = query.length; cut <= whole.length; cut += 1) {
      const read = readAnswer(whole.subarray(0, cut), query);
      assert.equal(read?.isTruncated, true);
      assert.equal(read?.addresses.length, Math.floor((cut - query.length) / one.length));
    }
  });

  test('any bytes after the question give an answer or none, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(65_535), (bytes, count) => {
        const message = answer(query, [[...bytes]]);
        message.writeUInt16BE(count, 6);
        assert.ok(readAnswer(message, query));
      }),
    );
  });
});
