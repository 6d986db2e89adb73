/** Fuzzes the parser of name servers' answers. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { A, AAAA, readAnswer, writeQuery } from '../../gateway/fetch/dns-message.ts';
import type { Parser } from './fuzz.ts';

const QUERIES = [A, AAAA].map((type) => writeQuery('img.example', type));
const [QUERY_END, ANCOUNT] = [QUERIES[0]?.length ?? 0, 6];

/** Records as bytes: a CNAME to cdn.example and its address, and an address of the question. */
const CHAIN = '\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x10\xc0\x29\0\x01\0\x01\0\0\0\x3c\0\x04\x08\x08\x08\x08';
const ADDRESS = '\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x08\x08\x04\x04';

export const dns: Parser = {
  name: 'dns',
  seeds: async () => [CHAIN, ADDRESS, ADDRESS.repeat(40)].map((text) => Buffer.from(text, 'latin1')),
  words: ['\xc0\x0c', '\xc0\x29', '\xff\xff', '\0\x01\0\x01', '\0\x05\0\x01', '\0\x1c\0\x01', '\0\x10', '\x3f', '\0'],
  /** The input is what follows the question. */
  check(input) {
    for (const query of QUERIES) {
      const message = Buffer.concat([query, input]);
      message.writeUInt16BE(0x8180, 2);
      message.writeUInt16BE(0xffff, ANCOUNT);
      const answer = readAnswer(message, query);
      assert.ok(answer);
      assert.ok(answer.addresses.length <= 32);
      const family = query.readUInt16BE(QUERY_END - 4) === A ? 4 : 6;
      for (const address of answer.addresses) assert.equal(isIP(address), family, address);
    }
  },
};
