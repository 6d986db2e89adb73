/** F3: a mixed load of good and bad requests of groups A to D, and the memory, sockets and handles it leaves behind. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { classify, PICTURE } from '../committed-model.ts';
import { IMAGE_ENV, predict, type RunningGateway, type Service, startGateway } from '../gateway.ts';
import { endless, type Origin, redirectTo, slowDrip, startOrigin } from '../origin.ts';
import { LIMITS, REFUSALS } from '../refusals.ts';

const CALLERS = 4;
/** The share of the time that fills caches and pools and is not measured. */
const WARM_UP = 0.3;
const SAMPLE_MS = 1000;
/** Idle connections to origins are closed after 4 s. */
const SETTLE_MS = 8000;

/** TCP_ESTABLISHED in /proc/net/tcp. */
const ESTABLISHED = '01';

/** The kind of a request that the client aborted. */
const DISCONNECTED = 'gone';

type Sample = { readonly atHours: number; readonly rssMb: number; readonly loopP99Ms: number };
type Open = { readonly fds: number; readonly sockets: number; readonly handles: number };
type Case = { readonly ask: (gateway: Service) => Promise<Response>; readonly kind: string };

export type SoakReport = {
  readonly seconds: number;
  readonly answers: Readonly<Record<string, number>>;
  /** Answers with another kind than expected. */
  readonly unexpected: readonly string[];
  readonly rssMb: {
    readonly start: number;
    readonly end: number;
    readonly slopePerHour: number;
    readonly error: number;
  };
  readonly open: { readonly start: Open; readonly end: Open };
  /** The median and the maximum of the p99 of each scrape interval. */
  readonly loopP99Ms: { readonly median: number; readonly largest: number };
  /** Log lines of level fatal: unhandled rejections and uncaught exceptions. */
  readonly fatal: number;
  readonly exitCode: number | null;
};

/** Runs the load for `durationMs` against a new gateway with the embedded model server, and measures. */
export async function soak(durationMs: number): Promise<SoakReport> {
  const origin = await startSource();
  const gateway = await startGateway({
    ...LIMITS,
    ...IMAGE_ENV,
    FETCH_ALLOW: '127.0.0.1/32',
    FETCH_PORTS: `80,443,${origin.port}`,
    FETCH_TIMEOUT: '800ms',
  });
  await gateway.ready();
  await classify(gateway);
  const start = await openIn(gateway);
  const load = startLoad(gateway, casesOf(origin));
  await sleep(durationMs * WARM_UP);
  const measured = await sample(gateway, durationMs * (1 - WARM_UP));
  await load.stop();
  const end = await settled(gateway, start);
  const exitCode = await gateway.stop();
  await origin.close();
  return {
    seconds: Math.round(durationMs / 1000),
    answers: load.answers,
    unexpected: load.unexpected,
    ...summary(measured),
    open: { start, end },
    fatal: gateway.log.filter(({ level }) => level === 'fatal').length,
    exitCode,
  };
}

function startSource(): Promise<Origin> {
  return startOrigin({
    '/good.jpg': PICTURE,
    '/page.html': (_request, response) => response.end('<html>log in</html>'),
    '/broken': (_request, response) => response.writeHead(500).end('oops'),
    '/loop': redirectTo('/loop'),
    '/inside': redirectTo('http://127.0.0.2/x.jpg'),
    '/slow': slowDrip,
    '/endless': endless,
    '/big': (_request, response) => response.writeHead(200, { 'Content-Length': '10000000000' }).flushHeaders(),
  });
}

/** All cases, with a good one before each bad one. */
function casesOf({ url }: Origin): Case[] {
  const page = (path: string, kind: string): Case => ({
    kind,
    ask: (gateway) => predict(gateway, { url: url + path }),
  });
  const bad: Case[] = [
    ...REFUSALS.map(([, ask, , kind]) => ({ ask, kind })),
    page('/page.html', 'source_not_image'),
    page('/broken', 'source_failed'),
    page('/nowhere', 'source_failed'),
    page('/loop', 'source_failed'),
    page('/inside', 'source_forbidden'),
    page('/slow', 'source_timeout'),
    page('/endless', 'source_too_large'),
    page('/big', 'source_too_large'),
    { kind: DISCONNECTED, ask: disconnect },
  ];
  const good: Case[] = [page('/good.jpg', 'scores'), { kind: 'scores', ask: (gateway) => classify(gateway) }];
  return bad.flatMap((one, index) => [good[index % good.length] ?? one, one]);
}

/** A client that disconnects after 5 ms. */
async function disconnect({ url }: Service): Promise<Response> {
  const signal = AbortSignal.timeout(5);
  const headers = { 'Content-Type': 'image/jpeg' };
  const sent = fetch(`${url}/predict`, { method: 'POST', headers, body: new Uint8Array(PICTURE), signal });
  return sent.catch(() => Response.json({ kind: DISCONNECTED }));
}

function startLoad(gateway: RunningGateway, cases: readonly Case[]) {
  const answers: Record<string, number> = {};
  const unexpected: string[] = [];
  let [next, isEnding] = [0, false];
  const call = async () => {
    while (!isEnding) {
      const { ask, kind: expected } = cases[next++ % cases.length] ?? cases[0] ?? { ask: classify, kind: 'scores' };
      const response = await ask(gateway);
      const { kind = 'scores' } = (await response.json()) as { kind?: string };
      answers[kind] = (answers[kind] ?? 0) + 1;
      // The answer may arrive before the client disconnects.
      if (kind !== expected && expected !== DISCONNECTED) unexpected.push(`${kind} instead of ${expected}`);
    }
  };
  const calling = Promise.all(Array.from({ length: CALLERS }, call));
  return {
    answers,
    unexpected,
    async stop() {
      isEnding = true;
      await calling;
    },
  };
}

async function metric({ adminUrl }: RunningGateway, ...names: string[]): Promise<number[]> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return names.map((name) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]));
}

/** The active handles of every type. */
async function handlesOf({ adminUrl }: RunningGateway): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const counts = text.matchAll(/^nodejs_active_handles\{.*\} (\d+)$/gm).map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function sample(gateway: RunningGateway, durationMs: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let leftMs = durationMs; leftMs > 0; leftMs -= SAMPLE_MS) {
    await sleep(SAMPLE_MS);
    const [rss = 0, p99 = 0] = await metric(
      gateway,
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    );
    samples.push({ atHours: performance.now() / 3_600_000, rssMb: rss / 1e6, loopP99Ms: p99 * 1000 });
  }
  return samples;
}

/** Waits until no more is open than at the start; for SETTLE_MS at most, when idle connections have been closed. */
async function settled(gateway: RunningGateway, start: Open): Promise<Open> {
  let now = await openIn(gateway);
  for (let waitedMs = 0; waitedMs < SETTLE_MS && now.fds > start.fds; waitedMs += 500) {
    await sleep(500);
    now = await openIn(gateway);
  }
  return now;
}

async function openIn(gateway: RunningGateway): Promise<Open> {
  const folder = `/proc/${gateway.process.pid}/fd`;
  const targets = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')));
  const handles = await handlesOf(gateway);
  const sockets = targets.filter((target) => target.startsWith('socket:')).length;
  const clients = await clientsOf(gateway);
  return { fds: targets.length - clients, sockets: sockets - clients, handles: handles - clients };
}

/** The number of open client connections, from /proc/net/tcp (proc_net(5)): clients decide when to close them. */
async function clientsOf({ url, adminUrl }: RunningGateway): Promise<number> {
  const ports = [url, adminUrl].map((each) => Number(new URL(each).port).toString(16).toUpperCase().padStart(4, '0'));
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/));
  const isOurs = (address = '') => ports.some((port) => address.endsWith(`:${port}`));
  return rows.filter(([, local, , state]) => isOurs(local) && state === ESTABLISHED).length;
}

function summary(samples: readonly Sample[]): Pick<SoakReport, 'rssMb' | 'loopP99Ms'> {
  const { slope, error } = regression(samples.map(({ atHours, rssMb }) => [atHours, rssMb]));
  const p99s = samples.map(({ loopP99Ms }) => loopP99Ms).sort((one, other) => one - other);
  const rssMb = { start: samples[0]?.rssMb ?? 0, end: samples.at(-1)?.rssMb ?? 0, slopePerHour: slope, error };
  return { rssMb, loopP99Ms: { median: p99s[p99s.length >> 1] ?? 0, largest: p99s.at(-1) ?? 0 } };
}

/** Linear least squares: the slope and its standard error. */
function regression(points: ReadonlyArray<readonly [x: number, y: number]>) {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const residuals = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(residuals / (points.length - 2) / spread) };
}
