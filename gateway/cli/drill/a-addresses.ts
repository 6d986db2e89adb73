/** A: addresses that the endpoint must not fetch from. */

import { type Check, Mismatch, type RunnableCheck } from './check.ts';
import { expectEach, expectRefused, expectResponse } from './expect.ts';
import { redirect } from './pages.ts';

const REFUSED = '403, the same text each time, no request to the address';

/** Hosts that must be refused on port 80 and on the port of the drill's origin, which would see a request. */
function hosts(id: string, ...spellings: readonly string[]): RunnableCheck {
  return {
    id,
    sends: spellings.join(' '),
    expects: REFUSED,
    async run(drill) {
      const page = drill.origin.page((_request, response) => response.end(drill.picture));
      const came = await expectRefused(
        drill,
        spellings.flatMap((host) => [`http://${host}/`, page.at(host)]),
      );
      if (page.requests.length > 0) throw new Mismatch(`${came}, but the drill's origin received a request`);
      return came;
    },
  };
}

/** Redirects from the origin that must not be followed. */
function redirects(
  id: string,
  sends: string,
  ...targets: readonly (readonly [status: number, location: string])[]
): RunnableCheck {
  return {
    id,
    sends,
    expects: REFUSED,
    needs: 'origin',
    run: (drill) =>
      expectRefused(
        drill,
        targets.map(([status, location]) => drill.origin.page(redirect(status, location)).url),
      ),
  };
}

export const ADDRESSES: readonly Check[] = [
  hosts('A1', '127.0.0.1'),
  hosts('A2', 'localhost', 'LOCALHOST', 'localhost.'),
  hosts('A3', '2130706433', '0x7f000001', '017700000001'),
  hosts('A4', '0177.0.0.1', '0x7f.1', '127.1'),
  hosts('A5', '0', '0.0.0.0'),
  hosts('A6', '①②⑦.⓪.⓪.①', '%31%32%37.%30.0.1'),
  hosts('A7', '[::1]', '[::]'),
  hosts('A8', '[::ffff:127.0.0.1]', '[::ffff:a9fe:a9fe]'),
  hosts('A9', '[::127.0.0.1]'),
  hosts('A10', '[64:ff9b::7f00:1]', '[64:ff9b::a9fe:a9fe]'),
  hosts('A11', '[64:ff9b:1:7f00:0:100::]'),
  hosts('A12', '[2002:7f00:1::]', '[2002:a9fe:a9fe::]'),
  hosts('A13', '[2001:0:4136:e378:8000:63bf:f5ff:fffe]'),
  hosts('A14', '[2a00:1450::5efe:10.0.0.1]'),
  hosts('A15', '100.64.0.1', '100.127.255.255'),
  hosts('A16', '10.0.0.1', '172.16.0.1', '192.168.0.1', '198.18.0.1', '192.0.2.1', '240.0.0.1', '255.255.255.255'),
  {
    id: 'A17',
    sends: '[fc00::1] [fd00:ec2::254] [fe80::1], and one with a zone',
    expects: `${REFUSED}; 400 with a zone`,
    async run(drill) {
      const { endpoint } = drill;
      const came = await expectRefused(drill, ['http://[fc00::1]/', 'http://[fd00:ec2::254]/', 'http://[fe80::1]/']);
      const zone = await endpoint.predictJson({ url: 'http://[fe80::1%25eth0]/' });
      return `${came}, ${expectResponse(zone, '400 invalid_url')}`;
    },
  },
  hosts('A18', '169.254.169.254', 'metadata.google.internal', '169.254.170.2', '168.63.129.16'),
  hosts('A19', '224.0.0.1', '[ff02::1]'),
  {
    id: 'A20',
    sends: 'kubernetes.default.svc, kubernetes.default.svc.cluster.local, model',
    expects: '403, or 502 if the name does not exist, with the same text',
    run: (drill) =>
      expectRefused(
        drill,
        ['kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'model'].map((host) => `http://${host}/`),
        '502 source_failed',
      ),
  },
  {
    id: 'A21-A24',
    sends: 'names that resolve to private addresses, DNS rebinding',
    skipReason: 'needs its own name server',
  },
  redirects('A25', '302 to 127.0.0.1', [302, 'http://127.0.0.1/']),
  redirects(
    'A26',
    '307 to a private name, 308 to a decimal host',
    [307, 'http://localhost/'],
    [308, 'http://2130706433/'],
  ),
  redirects('A27', '//127.0.0.1/x and \\\\127.0.0.1', [302, '//127.0.0.1/x'], [302, '\\\\127.0.0.1']),
  redirects(
    'A28',
    'redirects to file, gopher, data, ftp',
    [302, 'file:///etc/passwd'],
    [302, 'gopher://a.example/'],
    [302, 'data:image/png;base64,AAAA'],
    [302, 'ftp://a.example/a.png'],
  ),
  { id: 'A29', sends: 'a redirect from https to http', skipReason: "needs a certificate for the drill's origin" },
  { id: 'A30', sends: 'a name that changes to a private address', skipReason: 'needs its own name server' },
  redirects('A31', 'redirects to address literals', [302, 'http://10.0.0.1/'], [302, 'http://[::1]/']),
  {
    id: 'A32-A34',
    sends: 'proxies, allow-lists',
    skipReason: 'depends on the settings of the endpoint: use its own tests or tensorgate doctor',
  },
  {
    id: 'A35',
    sends: 'a host of 254 characters, a label of 64',
    expects: '400 invalid_url',
    run: ({ endpoint }) =>
      expectEach(
        { host: `${'a.'.repeat(126)}aa`, label: `${'a'.repeat(64)}.example` },
        (host) => endpoint.predictJson({ url: `http://${host}/` }),
        '400 invalid_url',
      ),
  },
  {
    id: 'A36',
    sends: "ports 22, 25, 6379, 8500, 9090, 10250 of the drill's origin",
    expects: '403, the same text each time',
    needs: 'origin',
    run(drill) {
      const { hostname } = new URL(drill.origin.page(() => {}).url);
      return expectRefused(
        drill,
        [22, 25, 6379, 8500, 9090, 10250].map((port) => `http://${hostname}:${port}/`),
      );
    },
  },
];
