import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, readConfig } from './read.ts';
import { SETTINGS } from './schema.ts';

test('without any setting the documented defaults apply', () => {
  const config = readConfig({}, {});
  assert.equal(config.port, 9696);
  assert.equal(config.requestTimeoutMs, 20_000);
  assert.equal(config.maxImageBytes, 10_000_000);
  assert.equal(config.maxImagePixels, 50_000_000);
  assert.deepEqual(config.fetchPorts, [80, 443]);
  assert.equal(config.tfServingHost, undefined);
});

test('a flag overrides the environment, and an empty value counts as unset', () => {
  assert.equal(readConfig({ port: '1' }, { PORT: '2' }).port, 1);
  assert.equal(readConfig({}, { PORT: '2' }).port, 2);
  assert.equal(readConfig({}, { PORT: '' }).port, 9696);
});

test('all invalid values are reported at once, each with its setting, the value and what is allowed', () => {
  const env = { PORT: '70000', REQUEST_TIMEOUT: '5', MAX_IMAGE_BYTES: 'NaN', IMAGE_FORMATS: 'svg', FETCH_PORTS: '0' };
  assert.throws(
    () => readConfig({}, env),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.message.split('\n'), [
        'PORT=70000: needs a whole number from 0 to 65535',
        'REQUEST_TIMEOUT=5: needs a duration above zero, such as 500ms, 20s or 2m',
        'MAX_IMAGE_BYTES=NaN: needs a size above zero, such as 500kB, 10MB or 16MiB',
        'IMAGE_FORMATS=svg: needs a comma-separated choice of jpeg, png, webp, gif, avif, tiff',
        'FETCH_PORTS=0: needs a comma-separated list of ports from 1 to 65535',
      ]);
      return true;
    },
  );
});

for (const [text, ms] of [
  ['500ms', 500],
  ['1.5s', 1500],
  ['2m', 120_000],
] as const) {
  test(`a duration of ${text} is ${ms} ms`, () => {
    assert.equal(readConfig({ 'request-timeout': text }, {}).requestTimeoutMs, ms);
  });
}

for (const text of ['-1s', '0s', '1e3s', '20 parsecs', '__proto__', 's', '1s2']) {
  test(`a duration of ${text} is refused`, () => {
    assert.throws(() => readConfig({ 'request-timeout': text }, {}), ConfigError);
  });
}

test('RATE_LIMIT, TRUSTED_PROXIES, CORS_ORIGINS, REDIS_URL: invalid values are refused', () => {
  const config = readConfig({}, { RATE_LIMIT: '600/m', TRUSTED_PROXIES: '2', CORS_ORIGINS: 'https://a.example, *' });
  assert.deepEqual(config.rateLimit, { count: 600, windowS: 60 });
  assert.equal(config.trustedProxies, 2);
  assert.deepEqual(readConfig({}, { TRUSTED_PROXIES: '10.0.0.0/8,::1' }).trustedProxies, ['10.0.0.0/8', '::1']);
  assert.deepEqual(config.corsOrigins, ['https://a.example', '*']);
  for (const [name, text] of [
    ['RATE_LIMIT', '20'],
    ['RATE_LIMIT', '0/s'],
    ['RATE_LIMIT', '5/constructor'],
    ['CORS_ORIGINS', 'example.com'],
    ['CORS_ORIGINS', 'https://example.com/'],
    ['CORS_ORIGINS', 'null'],
    ['REDIS_URL', 'localhost:6379'],
  ] as const) {
    assert.throws(() => readConfig({}, { [name]: text }), new RegExp(`^Error: ${name}[=:]`), text);
  }
});

test('every setting has a unique name, a flag and a help text', () => {
  assert.equal(new Set(SETTINGS.map(({ env }) => env)).size, SETTINGS.length);
  for (const { env, flag, help } of SETTINGS) {
    assert.match(env, /^[A-Z][A-Z_]+$/);
    assert.equal(flag, env.toLowerCase().replaceAll('_', '-'));
    assert.notEqual(help, '');
  }
});
