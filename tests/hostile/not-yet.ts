/** The lines of the acceptance table that no test covers, and why. A line that gets a test leaves this list. */

/** Tests that the repository has under other names: `make test` runs them. */
const IN = (file: string) => `held by ${file}, whose tests are not named by lines`;
const PARTS = {
  canary: 'comes with canary releases',
  shadow: 'comes with shadow traffic',
  cache: 'comes with the result cache',
  window: 'comes with a batching window of our own; TF-Serving batches, and the embedded server does as it does',
  rest: "comes with TF-Serving's REST routes",
  oip: 'comes with the Open Inference Protocol',
  vertex: "comes with Vertex AI's and SageMaker's contracts",
  registry: 'comes with a registry that versions are fetched from',
  predictions: 'comes with the prediction log',
};
const CLUSTER = 'on a cluster: make test-cluster';
const OTHERS = 'has no test named by it yet';

export const NOT_YET: Readonly<Record<string, string>> = {
  B19: 'comes with data: URLs; until then B1 holds for them',
  B20: 'comes with gs:// and s3:// URLs; until then B1 holds for them',
};
