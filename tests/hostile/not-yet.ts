/** Lines of the acceptance table without a test, and the reason. Remove a line here when it gets a test. */

const CLUSTER = 'on a cluster: make test-cluster';

export const NOT_YET: Readonly<Record<string, string>> = {
  B20: 'comes with gs:// and s3:// URLs; they are refused, see B1',

  C15: 'the original weights are not available; C14 tests the photo and its tensor',

  D15: "comes with Vertex AI's and SageMaker's contracts",

  E16: 'comes with canary releases',
  E17: 'comes with shadow traffic',

  F6: CLUSTER,
  F15: 'comes with the result cache',

  G2: CLUSTER,
  G3: CLUSTER,
  G4: CLUSTER,
  G5: CLUSTER,
  G9: CLUSTER,
  G11: CLUSTER,
  G12: CLUSTER,

  H4: 'comes with the prediction log',
};
