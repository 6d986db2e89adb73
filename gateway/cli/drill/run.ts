/** `tensorgate drill URL`: what of the acceptance table can be seen from outside, tried on a deployed endpoint. */
import { ConfigError } from '../../config.ts';
import { columns, createOutput } from '../output.ts';
import { ADDRESSES } from './a-addresses.ts';
import { FETCHES } from './b-fetches.ts';
import { PICTURES } from './c-pictures.ts';
import { REQUESTS } from './d-requests.ts';
import { INSIDE } from './e-to-h.ts';
import { createEndpoint } from './endpoint.ts';
import { cameOf, scorePicture } from './expect.ts';
import { type Drill, type DrillLine, type RunLine, Skip } from './line.ts';
import { startOrigin } from './origin.ts';
import { answer } from './pages.ts';
import { png } from './pictures.ts';

export type DrillOptions = {
  /** An API key, sent as a bearer token. */
  readonly key?: string;
  /** NAME:PORT under which the endpoint reaches this machine. */
  readonly originHost?: string;
  /** Letters and ids by comma; all lines by default. */
  readonly only?: string;
  readonly json?: boolean;
};

type LineResult = {
  readonly id: string;
  readonly result: 'pass' | 'fail' | 'skip';
  readonly sent: string;
  /** What came back, or why the line was skipped. */
  readonly came: string;
};

const LINES: readonly DrillLine[] = [...ADDRESSES, ...FETCHES, ...PICTURES, ...REQUESTS, ...INSIDE];
/** Then the request under way is given up and no more is sent: the whole drill stays below two minutes. */
const TOTAL_MS = 95_000;

/** Runs the lines one after the other and prints a table. The exit code is 1 where one failed. Throws ConfigError. */
export async function runDrill(url: string, { key, originHost, only, json }: DrillOptions): Promise<void> {
  const lines = chosen(only);
  const signal = AbortSignal.timeout(TOTAL_MS);
  const endpoint = createEndpoint({ url: readUrl('URL', url), key, signal });
  const output = createOutput(json === true);
  const address = originHost === undefined ? undefined : readUrl('--origin-host', `http://${originHost}`);
  const origin = await startOrigin(address);
  try {
    const drill: Drill = { endpoint, origin, picture: await png(), refusals: new Set() };
    await requirePrediction(drill);
    const unreached = address ? await whyUnreached(drill) : 'needs --origin-host NAME:PORT';
    const results: LineResult[] = [];
    for (const line of lines) {
      const reason = signal.aborted ? 'no time was left' : reasonToSkip(line, unreached);
      const outcome = await (reason === undefined && 'run' in line ? runLine(line, drill) : skipped(reason));
      results.push({ id: line.id, sent: line.sends, ...outcome });
      output.progress(`${line.id} ${outcome.result}`);
    }
    report(results, output);
  } finally {
    origin.close();
  }
}

function reasonToSkip(line: DrillLine, unreached: string | undefined): string | undefined {
  if ('unseen' in line) return line.unseen;
  return line.needs === 'origin' ? unreached : undefined;
}

type Outcome = Pick<LineResult, 'result' | 'came'>;

const skipped = (came = ''): Outcome => ({ result: 'skip', came });

/** Runs a line; after it a good request has to be answered as before. */
async function runLine(line: RunLine, drill: Drill): Promise<Outcome> {
  try {
    const came = await line.run(drill);
    await scorePicture(drill.endpoint, drill.picture, 'the good request after it');
    return { result: 'pass', came };
  } catch (thrown) {
    const { message } = thrown as Error;
    if (thrown instanceof Skip) return skipped(message);
    return { result: 'fail', came: `${message}; expected: ${line.expects}` };
  }
}

/** A drill of an endpoint that does not even score a good picture would say nothing. Throws ConfigError. */
async function requirePrediction({ endpoint, picture }: Drill): Promise<void> {
  try {
    await scorePicture(endpoint, picture);
  } catch (cause) {
    const { message } = cause as Error;
    const hint =
      'it has to answer POST /predict with a picture; a key goes into --key, a model into the query: URL?model=NAME';
    throw new ConfigError(`${endpoint.url.origin}: ${message}: ${hint}`, { cause });
  }
}

async function whyUnreached({ endpoint, origin, picture }: Drill): Promise<string | undefined> {
  const page = origin.page(answer(200, picture));
  const came = await endpoint.predictJson({ url: page.url });
  if (came.status === 200) return undefined;
  return `the endpoint cannot fetch from ${new URL(page.url).host}: ${cameOf(came)}`;
}

function report(results: readonly LineResult[], output: ReturnType<typeof createOutput>): void {
  const count = (wanted: LineResult['result']) => results.filter(({ result }) => result === wanted).length;
  const summary = { passed: count('pass'), failed: count('fail'), skipped: count('skip') };
  const rows = results.map(({ id, result, sent, came }) =>
    [id, result === 'fail' ? 'FAIL' : result, sent, came].map(cut),
  );
  const table = columns(['id', 'result', 'sent', 'came'], rows);
  const words = `${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`;
  output.result({ ...summary, lines: results }, `${table}\n\n${words}`);
  process.exitCode = summary.failed > 0 ? 1 : 0;
}

/** What came may hold a stranger's text: one printable line of bounded length. */
const cut = (text: string) => {
  const line = text.replace(/\p{Cc}+/gu, ' ');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
};

/** The lines of --only, in the table's order. A range such as E1-E21 is meant by its letter. */
function chosen(only: string | undefined): readonly DrillLine[] {
  const wanted = only
    ?.toUpperCase()
    .split(',')
    .map((one) => one.trim());
  if (!wanted) return LINES;
  const wrong = wanted.filter((one) => !LINES.some(({ id }) => id === one || id[0] === one));
  if (wrong.length > 0)
    throw new ConfigError(`--only ${wrong.join(',')}: needs letters and ids by comma, such as A,B5`);
  return LINES.filter(({ id }) => wanted.includes(id) || wanted.includes(id[0] ?? ''));
}

function readUrl(what: string, text: string): URL {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.username === '') return url;
  const form = what === 'URL' ? 'an http or https URL, such as https://predict.example.com' : 'NAME:PORT';
  throw new ConfigError(`${what} ${text}: needs ${form}`);
}
