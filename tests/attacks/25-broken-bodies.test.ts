/** Bodies that turn out to be no valid HTTP: the log and the metrics have the status that the client gets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useClothingGateway } from '../clothing-gateway.ts';
import { exchange } from '../raw.ts';

const service = useClothingGateway();

const HEAD =
  'POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n';

for (const [what, rest] of [
  ['chunks of one byte', '1\r\n \r\n'.repeat(16_000)],
  ['a chunk whose size is no number', 'x\r\n'],
  ['trailers of 100 kB', `0\r\n${'T: y\r\n'.repeat(16_000)}`],
  ['chunk extensions of 100 kB', `1;${'a'.repeat(100_000)}`],
] as const) {
  test(`A28: ${what}: 400 as a problem, in the log and in the metrics, by one id`, async () => {
    const answer = await exchange(service.gateway, `${HEAD}${rest}`);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /^Connection: close\r$/m);
    assert.match(answer, /^Content-Type: application\/problem\+json\r$/m);
    const lines = await service.gateway.linesOf(/X-Request-Id: (\S+)/.exec(answer)?.[1]);
    assert.deepEqual(
      lines.map(({ route, status, kind }) => [route, status, kind]),
      [['/predict', 400, 'invalid_request']],
    );
    assert.ok((await service.gateway.metrics()).includes('{route="/predict",status="400",kind="invalid_request"}'));
  });
}
