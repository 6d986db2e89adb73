import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from './finding.ts';
import { createGuard, type GuardOptions } from './guard.ts';
import { parseSourceUrl } from './source-url.ts';

const DEFAULTS: GuardOptions = { allow: [], deny: [], allowPrivate: false, ports: [80, 443] };

/** Why the guard refuses this URL if its host has this address. Undefined if it does not refuse. */
function refusal(options: Partial<GuardOptions>, text: string, address: string): string | undefined {
  const guard = createGuard({ ...DEFAULTS, ...options });
  const url = parseSourceUrl(text);
  try {
    guard.checkUrl(url);
    guard.checkAddress(address, url);
    return undefined;
  } catch (thrown) {
    assert.ok(thrown instanceof Refusal);
    return thrown.message;
  }
}

const PUBLIC = '8.8.8.8';

/** Addresses where clouds have their metadata services, and any other link-local address. */
const LINK_LOCAL = [
  ...['169.254.169.254', '169.254.169.252', '169.254.0.23', '169.254.170.2', '169.254.1.1', '192.0.0.192'],
  ...['168.63.129.16', '100.100.100.200', '192.80.8.124', 'fe80::1', 'fe80::a9fe:a9fe', 'fd00:ec2::254'],
  ...['fd20:ce::254', 'fd00:42::42', 'fd00:c1::a9fe:a9fe', 'fd00:a9fe:a9fe::1'],
].map((address) => [address, `http://${address.includes(':') ? `[${address}]` : address}/`] as const);

describe('with default settings', () => {
  test('public addresses on ports 80 and 443 are open', () => {
    for (const text of ['http://example.com/', 'https://example.com/', 'http://example.com:443/', 'http://8.8.8.8/']) {
      assert.equal(refusal({}, text, PUBLIC), undefined, text);
    }
  });

  test('A36: all other ports are closed', () => {
    for (const port of [0, 22, 25, 6379, 8500, 9090, 10250]) {
      assert.match(refusal({}, `http://example.com:${port}/`, PUBLIC) ?? '', /port \d+ is closed; FETCH_PORTS/);
    }
  });

  test('B1: schemes other than http and https are refused', () => {
    for (const text of [
      'file:///etc/passwd',
      'ftp://a.com/x',
      'gopher://a.com/',
      'blob:x',
      'javascript:1',
      'data:,x',
    ]) {
      assert.match(refusal({}, text, PUBLIC) ?? '', /neither http nor https/, text);
    }
  });

  test('A2, A18, A20: names that public DNS cannot have are refused before any lookup', () => {
    const names = ['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'metadata.google.internal', 'metadata'];
    for (const host of [...names, 'kubernetes.default.svc', 'model.ns.svc.cluster.local', 'tensorgate', 'model']) {
      assert.notEqual(refusal({}, `http://${host}/`, PUBLIC), undefined, host);
    }
  });

  test('the error has the reason and the setting that would allow it', () => {
    assert.match(
      refusal({}, 'http://a.com/', '10.1.2.3') ?? '',
      /10\.1\.2\.3 is private, RFC 1918; FETCH_ALLOW=10\.1\.2\.3 \(or its CIDR\), or FETCH_ALLOW_PRIVATE=true/,
    );
    assert.match(
      refusal({}, 'http://a.com/', '224.0.0.1') ?? '',
      /reserved \(multicast\); FETCH_ALLOW=224\.0\.0\.1 \(or its CIDR\)/,
    );
    assert.match(
      refusal({}, 'http://a.com/', '169.254.169.254') ?? '',
      /metadata .*FETCH_ALLOW=169\.254\.169\.254 \(exactly this address\)/,
    );
  });
});

describe('FETCH_ALLOW_PRIVATE', () => {
  const options = { allowPrivate: true };

  test('opens private addresses and every port on them, and private names', () => {
    for (const address of ['127.0.0.1', '::1', '10.0.0.1', '172.17.0.2', '192.168.0.1', 'fd12::1']) {
      assert.equal(refusal(options, 'http://localhost:9000/', address), undefined, address);
    }
  });

  test('opens no port on public addresses', () => {
    assert.match(refusal(options, 'http://example.com:9000/', PUBLIC) ?? '', /port 9000 is closed/);
  });

  test('A18: opens no metadata service and no reserved address', () => {
    const addresses = ['169.254.169.254', '169.254.170.2', 'fd00:ec2::254', '168.63.129.16', '::ffff:a9fe:a9fe'];
    for (const address of [...addresses, '0.0.0.0', '224.0.0.1', '240.0.0.1', '2002:7f00:1::']) {
      assert.notEqual(refusal(options, 'http://a.com/', address), undefined, address);
    }
    assert.match(refusal(options, 'http://metadata.google.internal/', '127.0.0.1') ?? '', /cloud metadata service/);
  });
});

describe('a CIDR in FETCH_ALLOW', () => {
  test('opens its addresses and keeps public addresses open', () => {
    const options = { allow: ['10.0.0.0/8'] };
    assert.equal(refusal(options, 'http://10.1.2.3/', '10.1.2.3'), undefined);
    assert.equal(refusal(options, 'http://minio.storage.svc/', '10.1.2.3'), undefined);
    assert.equal(refusal(options, 'http://minio.storage.svc/', '::ffff:10.1.2.3'), undefined);
    assert.equal(refusal(options, 'http://example.com/', PUBLIC), undefined);
    assert.notEqual(refusal(options, 'http://example.com/', '192.168.0.1'), undefined);
    assert.match(refusal(options, 'http://10.1.2.3:9000/', '10.1.2.3') ?? '', /port 9000 is closed/);
  });

  test('A16: opens link-local and metadata addresses only one by one', () => {
    for (const [address, url] of LINK_LOCAL) {
      for (const options of [{ allowPrivate: true }, { allow: ['0.0.0.0/0', '::/0'] }, { allow: ['127.0.0.1'] }]) {
        assert.match(refusal(options, url, address) ?? '', /is metadata .*\(exactly this address\)/, address);
      }
      const alone = [address, `${address}/${address.includes(':') ? 128 : 32}`];
      for (const entry of alone) assert.equal(refusal({ allow: [entry] }, url, address), undefined, entry);
    }
  });
});

describe('a host in FETCH_ALLOW', () => {
  test('closes all other hosts, and address literals outside the CIDRs', () => {
    const options = { allow: ['img.example.com', '10.0.0.0/8'] };
    assert.equal(refusal(options, 'http://img.example.com/', PUBLIC), undefined);
    assert.equal(refusal(options, 'http://IMG.example.com./', PUBLIC), undefined);
    assert.equal(refusal(options, 'http://10.1.2.3/', '10.1.2.3'), undefined);
    assert.match(refusal(options, 'http://example.com/', PUBLIC) ?? '', /not in FETCH_ALLOW/);
    assert.match(refusal(options, 'http://8.8.8.8/', PUBLIC) ?? '', /not in FETCH_ALLOW/);
  });

  test('opens no address: the addresses of the host are still checked', () => {
    assert.match(refusal({ allow: ['img.example.com'] }, 'http://img.example.com/', '10.0.0.1') ?? '', /is private/);
  });

  test('A33: an origin is compared part by part, never as text', () => {
    const options = { allow: ['https://img.example.com/'] };
    assert.equal(refusal(options, 'https://img.example.com/a.jpg', PUBLIC), undefined);
    const others = ['https://img.example.com.evil.test/', 'https://img.example.com@evil.test/'];
    others.push('https://img.example.com%2eevil.test/', 'http://img.example.com/', 'https://img.example.com:80/');
    for (const text of others) assert.match(refusal(options, text, PUBLIC) ?? '', /not in FETCH_ALLOW/, text);
  });

  test('A34: a wildcard matches every name below, at any depth, and not the name itself', () => {
    for (const allow of [['https://*.example.com/'], ['*.example.com']]) {
      assert.equal(refusal({ allow }, 'https://a.b.example.com/', PUBLIC), undefined);
      for (const text of ['https://example.com/', 'https://evilexample.com/', 'https://a.example.com.evil.test/']) {
        assert.notEqual(refusal({ allow }, text, PUBLIC), undefined, text);
      }
    }
  });

  test('A35: a similar name in another script is another host', () => {
    const allow = ['img.example.com', 'bücher.example'];
    assert.notEqual(refusal({ allow }, 'https://img.ex\u0430mple.com/', PUBLIC), undefined);
    assert.equal(refusal({ allow }, 'https://xn--bcher-kva.example/', PUBLIC), undefined);
  });

  test('an origin opens its port on its own host only', () => {
    const options = { allow: ['http://img.example.com:8080', '*.example.com'] };
    assert.equal(refusal(options, 'http://img.example.com:8080/', PUBLIC), undefined);
    assert.match(refusal(options, 'http://other.example.com:8080/', PUBLIC) ?? '', /port 8080 is closed/);
  });
});

describe('FETCH_DENY', () => {
  test('takes precedence over FETCH_ALLOW and FETCH_ALLOW_PRIVATE', () => {
    const options = { deny: ['10.1.0.0/16', 'img.example.com'], allow: ['10.0.0.0/8'], allowPrivate: true };
    assert.match(refusal(options, 'http://a.com/', '10.1.2.3') ?? '', /in FETCH_DENY/);
    assert.match(refusal(options, 'http://a.com/', '::ffff:10.1.2.3') ?? '', /in FETCH_DENY/);
    assert.match(refusal(options, 'http://img.example.com/', PUBLIC) ?? '', /in FETCH_DENY/);
    assert.equal(refusal(options, 'http://a.com/', '10.2.0.1'), undefined);
  });

  test('C16 (30): a leading dot means the domain and every name below it', () => {
    for (const deny of [['.corp.example'], ['http://.corp.example']]) {
      for (const host of ['corp.example', 'img.corp.example', 'a.b.corp.example']) {
        assert.match(refusal({ deny }, `http://${host}/`, PUBLIC) ?? '', /in FETCH_DENY/, host);
      }
      assert.equal(refusal({ deny }, 'http://evilcorp.example/', PUBLIC), undefined);
    }
    const allow = ['.example.com'];
    for (const host of ['example.com', 'a.example.com'])
      assert.equal(refusal({ allow }, `http://${host}/`, PUBLIC), undefined);
    assert.match(refusal({ allow }, 'http://notexample.com/', PUBLIC) ?? '', /not in FETCH_ALLOW/);
  });

  test('C16: an IPv4-mapped CIDR is the IPv4 one', () => {
    const deny = ['::ffff:93.184.216.0/120', '::ffff:1.2.3.4'];
    for (const address of ['93.184.216.34', '::ffff:93.184.216.34', '64:ff9b::5db8:d822', '1.2.3.4']) {
      assert.match(refusal({ deny }, 'http://a.com/', address) ?? '', /in FETCH_DENY/, address);
    }
    assert.equal(refusal({ deny }, 'http://a.com/', '93.184.217.34'), undefined);
    assert.equal(refusal({ allow: ['::ffff:10.0.0.0/104'] }, 'http://a.com/', '10.1.2.3'), undefined);
  });

  test('A20: refuses a public range in each of its spellings', () => {
    const options = { deny: ['34.0.0.0/10', '64:ff9b::/96'] };
    for (const address of ['34.1.2.3', '::ffff:34.1.2.3', '64:ff9b::8.8.8.8']) {
      assert.match(refusal(options, 'http://a.com/', address) ?? '', /in FETCH_DENY/, address);
    }
  });
});

test('entries that cannot be parsed throw one error that names them all and their setting', () => {
  const allow = [
    '*',
    'http://a.com/path',
    'ftp://a.com',
    'a.com:8080',
    '127.1',
    '10.0.0.0/40',
    '::ffff:0:0/130',
    'a.com:80',
    'a.*.com',
    '*.*.com',
    '..a.com',
    'a..com',
    'a.com..',
    `${'a'.repeat(64)}.com`,
    '*.10.0.0.1',
    'https://*.10.0.0.1',
    'u:p@a.com',
    '',
  ];
  assert.throws(
    () => createGuard({ ...DEFAULTS, allow: ['example.com', ...allow] }),
    (error: Error) =>
      error.message.startsWith('FETCH_ALLOW: ') &&
      allow.every((entry) => error.message.includes(JSON.stringify(entry))) &&
      !error.message.includes('"example.com"'),
  );
  assert.throws(() => createGuard({ ...DEFAULTS, deny: ['http://'] }), /FETCH_DENY: "http:\/\/"/);
});

test('A15: an entry that would have no effect stops the start', () => {
  const useless = ['64:ff9b::/96', '64:ff9b::a00:1', '169.254.0.0/16', '169.254.169.254/31', 'fe80::/10'];
  for (const entry of [...useless, '93.184.216.0/24', '93.184.216.34', '2606:4700::/32', '::ffff:93.184.216.0/120']) {
    assert.throws(() => createGuard({ ...DEFAULTS, allow: [entry] }), /^Error: FETCH_ALLOW: .* opens nothing/, entry);
  }
  for (const entry of ['http://93.184.216.34', 'https://[2606:4700::1]:8443', 'http://[::ffff:1.2.3.4]']) {
    assert.throws(() => createGuard({ ...DEFAULTS, deny: [entry] }), /^Error: FETCH_DENY: .* address alone/, entry);
  }
});

test('A15: an entry has its effect in every spelling that is accepted', () => {
  const denied: readonly (readonly [entry: string, url: string, address?: string])[] = [
    ...(['EVIL.test', 'evil.test.', '.EVIL.test', '.evil.test.', 'http://evil.test:80'] as const).map(
      (entry) => [entry, 'http://evil.test/'] as const,
    ),
    ...['*.evil.test', '.evil.test', '*.EVIL.test.'].map((entry) => [entry, 'http://a.Evil.test./'] as const),
    ['b\u00fccher.test', 'http://xn--bcher-kva.test/'],
    ['*.b\u00fccher.test', 'http://a.xn--bcher-kva.TEST/'],
    ['93.184.216.99/24', 'http://a.test/', '93.184.216.34'],
    ['::ffff:93.184.216.99/120', 'http://a.test/', '93.184.216.34'],
    ['::ffff:0:0/96', 'http://a.test/', '93.184.216.34'],
    ['2606:4700:0::1234/32', 'http://a.test/', '2606:4700::1111'],
  ];
  for (const [entry, url, address = PUBLIC] of denied) {
    assert.match(refusal({ deny: [entry] }, url, address) ?? '', /in FETCH_DENY/, entry);
  }
  const allow = ['http://[::ffff:93.184.216.34]', '93.184.216.0/24'];
  assert.equal(refusal({ allow }, 'http://93.184.216.34/', '93.184.216.34'), undefined);
  assert.notEqual(refusal({ allow }, 'http://93.184.217.34/', '93.184.217.34'), undefined);
});

test('an address that is open for one origin is judged anew for another', () => {
  const guard = createGuard({ allow: ['http://a.example:8080'], deny: [], allowPrivate: false, ports: [80] });
  const [open, closed] = [new URL('http://a.example:8080/1'), new URL('http://a.example:8081/1')];
  for (let time = 0; time < 2; time += 1) {
    guard.checkAddress('93.184.215.14', open);
    assert.throws(() => guard.checkAddress('93.184.215.14', closed), Refusal);
    assert.throws(() => guard.checkAddress('10.0.0.1', open), Refusal);
  }
});
