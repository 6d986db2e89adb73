/** The lines of the acceptance table that no test is named by, and why. A line that gets a test leaves this list. */

const CLUSTER = 'on a cluster: make test-cluster';
const REST = "comes with TF-Serving's REST routes";

export const NOT_YET: Readonly<Record<string, string>> = {
  B19: 'comes with data: URLs; they are refused as B1 has it',
  B20: 'comes with gs:// and s3:// URLs; they are refused as B1 has it',

  C15: 'the original weights are not at hand; the photo and its tensor are held by C14',

  D13: REST,
  D14: 'comes with the Open Inference Protocol',
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
