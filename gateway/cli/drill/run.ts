/** `tensorgate drill URL`: runs the attacks that can be tested from outside against a deployed endpoint. */
import { hidePassword } from '../../config/passwords.ts';
import { ConfigError } from '../../config/read.ts';
import { columns, createOutput } from '../output.ts';
import { ADDRESSES } from './a-addresses.ts';
import { FETCHES } from './b-fetches.ts';
import { PICTURES } from './c-pictures.ts';
import { type Check, type Drill, type RunnableCheck, Skip } from './check.ts';
import { REQUESTS } from './d-requests.ts';
import { INSIDE } from './e-to-h.ts';
import { createEndpoint } from './endpoint.ts';
import { scorePicture, statusAndKind } from './expect.ts';
import { startOrigin } from './origin.ts';
import { respondWith } from './pages.ts';
import { png } from './pictures.ts';

export type DrillOptions = {
  /** API key, sent as a bearer token. */
  readonly key?: string;
  /** NAME:PORT at which the endpoint reaches this machine. */
  readonly originHost?: string;
  /** Letters and ids, separated by commas. All checks by default. */
  readonly only?: string;
  readonly json?: boolean;
};

type CheckResult = {
  readonly id: string;
  readonly result: 'pass' | 'fail' | 'skip';
  readonly sent: string;
  /** What came back, or why the check was skipped. */
  readonly came: string;
};

const CHECKS: readonly Check[] = [...ADDRESSES, ...FETCHES, ...PICTURES, ...REQUESTS, ...INSIDE];
/** The running request is then aborted and no more are sent. The whole drill ends within two minutes. */
const TOTAL_TIMEOUT_MS = 95_000;

/** Runs the checks one after the other and prints a table. The exit code is 1 if one failed. Throws ConfigError. */
export async function runDrill(url: string, { key, originHost, only, json }: DrillOptions): Promise<void> {
  const checks = selectChecks(only);
  const signal = AbortSignal.timeout(TOTAL_TIMEOUT_MS);
  const endpoint = createEndpoint({ url: readUrl('URL', url), key, signal });
  const output = createOutput(json === true);
  const address = originHost === undefined ? undefined : readUrl('--origin-host', `http://${originHost}`);
  const origin = await startOrigin(address);
  try {
    const drill: Drill = { endpoint, origin, picture: await png(), refusals: new Set() };
    await requirePrediction(drill);
    const unreachable = address ? await whyUnreachable(drill) : 'needs --origin-host NAME:PORT';
    const results: CheckResult[] = [];
    for (const check of checks) {
      const reason = signal.aborted ? 'no time left' : reasonToSkip(check, unreachable);
      const outcome = await (reason === undefined && 'run' in check ? runCheck(check, drill) : skipped(reason));
      results.push({ id: check.id, sent: check.sends, ...outcome });
      output.progress(`${check.id} ${outcome.result}`);
    }
    report(results, output);
  } finally {
    origin.close();
  }
}

function reasonToSkip(check: Check, unreachable: string | undefined): string | undefined {
  if ('skipReason' in check) return check.skipReason;
  return check.needs === 'origin' ? unreachable : undefined;
}

type Outcome = Pick<CheckResult, 'result' | 'came'>;

const skipped = (came = ''): Outcome => ({ result: 'skip', came });

/** Runs a check. A good request must still be answered afterwards. */
async function runCheck(check: RunnableCheck, drill: Drill): Promise<Outcome> {
  try {
    const came = await check.run(drill);
    await scorePicture(drill.endpoint, drill.picture, 'the good request afterwards');
    return { result: 'pass', came };
  } catch (thrown) {
    const { message } = thrown as Error;
    if (thrown instanceof Skip) return skipped(message);
    return { result: 'fail', came: `${message}; expected: ${check.expects}` };
  }
}

/** Without scores for a good picture the results would mean nothing. Throws ConfigError. */
async function requirePrediction({ endpoint, picture }: Drill): Promise<void> {
  try {
    await scorePicture(endpoint, picture);
  } catch (cause) {
    const { message } = cause as Error;
    const hint = 'POST /predict must score a picture; pass an API key with --key, a model with URL?model=NAME';
    throw new ConfigError(`${endpoint.url.origin}: ${message}: ${hint}`, { cause });
  }
}

/** Why the endpoint cannot fetch from the drill's origin; undefined if it can. */
async function whyUnreachable({ endpoint, origin, picture }: Drill): Promise<string | undefined> {
  const page = origin.page(respondWith(200, picture));
  const response = await endpoint.predictJson({ url: page.url });
  if (response.status === 200) return undefined;
  return `the endpoint cannot fetch from ${new URL(page.url).host}: ${statusAndKind(response)}`;
}

function report(results: readonly CheckResult[], output: ReturnType<typeof createOutput>): void {
  const count = (wanted: CheckResult['result']) => results.filter(({ result }) => result === wanted).length;
  const summary = { passed: count('pass'), failed: count('fail'), skipped: count('skip') };
  const rows = results.map(({ id, result, sent, came }) =>
    [id, result === 'fail' ? 'FAIL' : result, sent, came].map(oneLine),
  );
  const table = columns(['id', 'result', 'sent', 'came'], rows);
  const words = `${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`;
  output.result({ ...summary, lines: results }, `${table}\n\n${words}`);
  process.exitCode = summary.failed > 0 ? 1 : 0;
}

/** Responses are untrusted: one printable line of at most 160 characters. */
const oneLine = (text: string) => {
  const line = text.replace(/\p{Cc}+/gu, ' ');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
};

/** The checks of --only, in the order of the table. A range such as E1-E21 is selected by its letter. */
function selectChecks(only: string | undefined): readonly Check[] {
  const wanted = only
    ?.toUpperCase()
    .split(',')
    .map((one) => one.trim());
  if (!wanted) return CHECKS;
  const wrong = wanted.filter((one) => !CHECKS.some(({ id }) => id === one || id[0] === one));
  if (wrong.length > 0)
    throw new ConfigError(`--only ${wrong.join(',')}: needs letters and ids separated by commas, such as A,B5`);
  return CHECKS.filter(({ id }) => wanted.includes(id) || wanted.includes(id[0] ?? ''));
}

function readUrl(what: string, text: string): URL {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.username === '') return url;
  const form = what === 'URL' ? 'an http or https URL, such as https://predict.example.com' : 'NAME:PORT';
  throw new ConfigError(`${what} ${hidePassword(text)}: needs ${form}`);
}
