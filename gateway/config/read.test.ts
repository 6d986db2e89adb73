import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecrets } from './passwords.ts';
import { ConfigError, misspeltSettings, readConfig, sourceOf } from './read.ts';
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

test("Vertex AI's variables are settings, and a route is a path", () => {
  const env = { AIP_HTTP_PORT: '8080', AIP_HEALTH_ROUTE: '/health', AIP_PREDICT_ROUTE: '/v1/endpoints/7:predict' };
  const { aipHttpPort, aipHealthRoute, aipPredictRoute } = readConfig({}, env);
  assert.deepEqual([aipHttpPort, aipHealthRoute, aipPredictRoute], [8080, '/health', '/v1/endpoints/7:predict']);
  for (const route of ['predict', '/predict?a=1', '/predict#a', '/pre dict']) {
    assert.throws(() => readConfig({}, { AIP_PREDICT_ROUTE: route }), /^Error: AIP_PREDICT_ROUTE=.*: needs a path/);
  }
});

test('a flag overrides the environment, and an empty value counts as unset', () => {
  assert.equal(readConfig({ port: '1' }, { PORT: '2' }).port, 1);
  assert.equal(readConfig({}, { PORT: '2' }).port, 2);
  assert.equal(readConfig({}, { PORT: '' }).port, 9696);
});

test('a variable that is nearly a setting is told with the nearest one', () => {
  const env = {
    MAX_QUEU: '5',
    CORS_ORIGIN: '*',
    MAX_QUEUE: '7',
    MODEL: 'm',
    SORT: '1',
    HTTP_PORT: '80',
    REDIS_PORT: '6379',
  };
  assert.deepEqual(misspeltSettings(env), [
    'MAX_QUEU in the environment is no setting. Did you mean MAX_QUEUE?',
    'CORS_ORIGIN in the environment is no setting. Did you mean CORS_ORIGINS?',
  ]);
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

const MATCHES_NOTHING = {
  CORS_ORIGINS: [
    'https://*.example.com',
    'https://.example.com',
    'https://a..b',
    'https://Example.com',
    'https://a.b:443',
  ],
  TRUSTED_PROXIES: [
    ...[
      '1,10.0.0.1',
      '10.1',
      '0x7f.0.0.1',
      'proxy.example',
      '10.0.0.0/0',
      '10.0.0.0/33',
      '10.0.0.0/8/8',
      '10.0.0.0/255.0.255.0',
    ],
    ...['::ffff:10.0.0.0/95', 'fd00::/129', '[::1]'],
  ],
} as const;

for (const [name, texts] of Object.entries(MATCHES_NOTHING)) {
  test(`C16: an entry of ${name} that matches nothing is refused`, () => {
    for (const text of texts)
      assert.throws(() => readConfig({}, { [name]: text }), new RegExp(`^Error: ${name}=`), text);
  });
}

test('C16: entries that match something are read', () => {
  const origins = [
    'https://a.example',
    'http://localhost:3000',
    'http://127.0.0.1',
    'http://[::1]:8080',
    'https://a.example.',
  ];
  assert.deepEqual(readConfig({}, { CORS_ORIGINS: origins.join() }).corsOrigins, origins);
  const proxies = ['10.0.0.1', '10.0.0.0/8', '10.0.0.0/255.0.0.0', 'fd00::/8', '::ffff:10.0.0.0/104', 'loopback'];
  assert.deepEqual(readConfig({}, { TRUSTED_PROXIES: proxies.join() }).trustedProxies, proxies);
});

test('E25: a value that may have a password is not printed, however it is written', () => {
  const password = 'hunter2';
  const wrong = {
    REDIS_URL: [
      'redis:PASS',
      'redis://:PASS',
      'http://me:PASS@a/',
      'me:PASS@a:6379',
      'redis://:PASS/w@a',
      'rediss://:PASS@',
      'PASS',
      'redis://:%PASS@a',
    ],
    FETCH_PROXY: [
      'PASS',
      'me:PASS@proxy:3128',
      'socks5://me:PASS@proxy',
      'http://me:PASS@proxy/path',
      'http://me:PASS#x@proxy:3128',
    ],
  };
  for (const [name, texts] of Object.entries(wrong)) {
    for (const text of texts) {
      assert.throws(
        () => readConfig({}, { [name]: text.replace('PASS', password) }),
        (error: Error) => error.message.startsWith(`${name}: needs `) && !error.message.includes(password),
        text,
      );
    }
  }
  const misplaced = {
    FETCH_PORTS: `80,me:${password}@proxy`,
    TRUSTED_PROXIES: `http://me:p/${password}@x@proxy`,
    LOG_LEVEL: `a:${password}@b`,
  };
  assert.throws(
    () => readConfig({}, misplaced),
    (error: Error) => !error.message.includes(password),
  );
});

test('E25: a printed URL has no user, password or query', () => {
  assert.equal(withoutSecrets('redis://me:p%40ss@cache:6379/1?password=b#c'), 'redis://***@cache:6379/1');
  assert.equal(withoutSecrets('http://proxy:3128'), 'http://proxy:3128/');
});

test('C18: FETCH_USER_AGENT is the text of a header', () => {
  assert.equal(readConfig({}, {}).fetchUserAgent, 'tensorgate');
  const contact = 'photos/1.0 (https://example.com; me@example.com)';
  assert.equal(readConfig({}, { FETCH_USER_AGENT: contact }).fetchUserAgent, contact);
  for (const text of ['a\r\nX: b', ' a', 'bücher', '\t']) {
    assert.throws(() => readConfig({}, { FETCH_USER_AGENT: text }), /FETCH_USER_AGENT=.*needs visible ASCII/s);
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

test('a value is from its flag, else from the environment, else the default', () => {
  const [port] = SETTINGS.filter(({ key }) => key === 'port');
  assert.ok(port);
  assert.equal(sourceOf(port, { port: '1' }, { PORT: '2' }), '--port');
  assert.equal(sourceOf(port, {}, { PORT: '2' }), 'environment');
  assert.equal(sourceOf(port, { port: '' }, { PORT: '' }), 'default');
});
