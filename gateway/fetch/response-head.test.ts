import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { GatewayError } from '../errors.ts';
import { HeadReader } from './head-reader.ts';
import { startsTidy } from './response-head.ts';
import { context, openFetch, startRawOrigin } from './test-origin.ts';

const read = (text: string) =>
  new HeadReader().read(Buffer.from(text, 'latin1'))?.map((part) => part.toString('latin1'));
const headOf = (text: string) => read(text)?.join('').split('\r\n\r\n')[0]?.split('\r\n');
const OK = 'HTTP/1.1 200 OK';
const isSourceFailure = (text: RegExp) => (error: unknown) =>
  error instanceof GatewayError && error.kind === 'source_failed' && text.test(error.message);

describe('C15 (07): heads of old servers', () => {
  const cases: Readonly<Record<string, readonly [head: string, ...fields: string[]]>> = {
    'a bare LF ends a line': [`${OK}\nA: 1\nB: 2\n\n`, 'A: 1', 'B: 2'],
    'CRLF and LF may be mixed': [`${OK}\r\nA: 1\nB: 2\r\n\n`, 'A: 1', 'B: 2'],
    'a folded line is one line': [`${OK}\r\nA: b;\r\n c=d\r\n\t e\r\n\r\n`, 'A: b; c=d e'],
    'a line without a colon is left out': [`${OK}\r\nX-A="b"\r\nB: 2\r\n\r\n`, 'B: 2'],
    'a name that is no token is left out': [`${OK}\r\nX A: 1\r\n: 2\r\nX-\xe9: 3\r\nB: 4\r\n\r\n`, 'B: 4'],
    'space before the colon is dropped': [`${OK}\r\nA \t: 1\r\n\r\n`, 'A: 1'],
    'equal lengths are one': [
      `${OK}\r\nContent-Length: 5\r\nA: 1\r\ncontent-length: 5\r\n\r\n`,
      'A: 1',
      'Content-Length: 5',
    ],
    'a list of equal lengths too': [`${OK}\r\nContent-Length: 5, 5\r\n\r\n`, 'Content-Length: 5'],
    'different lengths stay for the parser': [
      `${OK}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n`,
      'Content-Length: 5',
      'Content-Length: 6',
    ],
    'Transfer-Encoding: identity is left out': [
      `${OK}\r\nTransfer-Encoding: Identity\r\nContent-Length: 1\r\n\r\n`,
      'Content-Length: 1',
    ],
    'a head that is in order stays as it is': [`${OK}\r\nA: 1\r\nb: x:y \r\n\r\n`, 'A: 1', 'b: x:y '],
  };
  for (const [name, [head, ...fields]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(headOf(`${head}body`), [OK, ...fields]));
  }

  test('only a head that stays as it is passes the quick check', () => {
    for (const [head, ...fields] of Object.values(cases)) {
      const isSame = [OK, ...fields, '', ''].join('\r\n') === head;
      const hasTwoLengths = fields.filter((field) => /^content-length/i.test(field)).length > 1;
      assert.equal(startsTidy(Buffer.from(head, 'latin1')), isSame && !hasTwoLengths, JSON.stringify(head));
    }
    for (const head of [
      'HTTP/1.1 100 C',
      'HTTP/1.1 2OO OK',
      `${OK}\r\nA: ${'x'.repeat(16_400)}`,
      '\r\nHTTP/1.1 200 OK',
    ]) {
      assert.equal(startsTidy(Buffer.from(`${head}\r\n\r\n`)), false, head.slice(0, 30));
    }
  });

  test('empty lines and interim responses before the head are left out', () => {
    const text = '\r\n\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\nLink: x\n\nHTTP/1.0 404 Not\n\nbody';
    assert.deepEqual(read(text), ['HTTP/1.0 404 Not\r\n\r\n', 'body']);
    assert.deepEqual(headOf('HTTP/1.1 101 Switching\r\n\r\n'), ['HTTP/1.1 101 Switching']);
  });

  test('a head that is not complete is not found; what does not start as HTTP is for the parser', () => {
    for (const text of ['', '\r\n', 'H', 'HTTP/', OK, `${OK}\r\n`, `${OK}\r\nA: 1\r\n`, 'HTTP/1.1 100 C\r\n\r\n']) {
      assert.equal(read(text), undefined, JSON.stringify(text));
    }
    for (const text of ['<', 'HTTPS', 'SSH-2.0-x\r\n', '\nno']) assert.deepEqual(read(text), [text.trimStart()], text);
  });

  test('A09: eight interim responses are read, and no more', () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    assert.deepEqual(read(`${interim.repeat(8)}${OK}\r\n\r\n`)?.[0], `${OK}\r\n\r\n`);
    assert.throws(() => read(interim.repeat(9)), isSourceFailure(/more than 8 interim responses/));
    const reader = new HeadReader();
    const sendAll = () => Array.from({ length: 9 }, () => reader.read(Buffer.from(interim)));
    assert.throws(sendAll, isSourceFailure(/more than 8 interim responses/));
  });

  test('A09: a head above 16 KiB is refused, whatever its bytes and pieces', () => {
    for (const [start, more] of [
      ['', '\r\n'],
      ['', '\n'],
      [OK, ' '],
      [`${OK}\r\nA: `, 'b'],
      [`${OK}\n`, 'A: b\n'],
      [`${OK}\r\nA: b`, '\r\n c'],
    ] as const) {
      const bytes = Buffer.from(start + more.repeat(20_000));
      for (const size of [1, 1000, bytes.length]) {
        const reader = new HeadReader();
        const readAll = () => {
          for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size));
        };
        assert.throws(readAll, isSourceFailure(/head of more than 16384 bytes/), JSON.stringify([start, more, size]));
      }
    }
  });

  test('a tidied head is found again unchanged, wherever the text is cut', () => {
    const lines = fc.array(
      fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('A: 1', ' fold', 'Content-Length: 1')),
    );
    fc.assert(
      fc.property(lines, fc.constantFrom('\n', '\r\n'), (fields, end) => {
        const text = [OK, ...fields.map((field) => field.replaceAll(/[^ -~]/g, '')), '', ''].join(end);
        const [head = ''] = read(text) ?? [];
        assert.equal(read(head)?.join(''), head);
      }),
    );
  });
});

test('C15 (07): a head is read in whatever pieces it arrives, and the body after it is unchanged', async (t) => {
  const body = Buffer.from('HTTP/1.1 500 No\n\n \n\x80\xff: not a head', 'latin1');
  const response = Buffer.concat([Buffer.from(`\n${OK}\nX-A\nContent-Length : ${body.length}\n\n`), body]);
  for (const size of [1, 2, 7, 1000]) {
    const send = async (socket: Socket) => {
      for (let at = 0; at < response.length; at += size) {
        socket.write(response.subarray(at, at + size));
        await nextTurn();
      }
    };
    const url = await startRawOrigin(t, (socket) => void send(socket));
    assert.deepEqual(await openFetch(t, { allowPrivate: true })(url, 'url', context()), body);
  }
});

test('C15 (07): a kept connection carries several heads of old servers', async (t) => {
  let connections = 0;
  const url = await startRawOrigin(t, (socket) => {
    connections += 1;
    socket.on('data', () => socket.write(`${OK}\nX-A\nContent-Length: 2\nContent-Length: 2\n\nok`));
  });
  const fetch = openFetch(t, { allowPrivate: true });
  for (let times = 0; times < 3; times += 1) assert.equal(String(await fetch(url, 'url', context())), 'ok');
  assert.equal(connections, 1);
});
