/** The gateway that a command asks where none is named. */
import { type OwnGateway, startOwnGateway } from './own.ts';

const DEFAULT_URL = 'http://localhost:9696';
const TIMEOUT_MS = 2000;

/** The gateway of `make run` if it runs, else one for this command. */
export async function findGateway(): Promise<OwnGateway | { readonly url: string; readonly ended?: undefined }> {
  if (await answers(`${DEFAULT_URL}/health/ready`)) return { url: DEFAULT_URL };
  if (process.stderr.isTTY) process.stderr.write(`No gateway at ${DEFAULT_URL}: starting one for this command.\n`);
  return startOwnGateway();
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })).ok;
  } catch {
    return false; // that is the answer
  }
}
