/** The stages of the line, as wiring/stages.ts makes them. */
import type { Admission } from '../admission/admission.ts';
import type { Backend } from '../domain/backend.ts';
import type { MethodName } from '../domain/explanation.ts';
import type { CheckEncoded, FillRow, ImageSpec, MeasurePixels } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { GatewayError } from '../errors.ts';
import type { ExplainShare } from '../explain/share.ts';
import type { Normaliser } from '../image/normalise.ts';
import type { ByteBudget } from '../machine/byte-budget.ts';
import type { FindBaseline } from '../model/baselines.ts';
import type { ModelCard } from '../model/card.ts';
import type { Route } from '../model/route.ts';
import type { OnPredicted } from './predicted.ts';
import type { OnOutcome } from './version-outcome.ts';

/** `onBytes` gets the length of each chunk as it arrives, and can end the download with an error. */
export type Fetch = (
  url: string,
  field: string,
  context: Pick<RequestContext, 'signal'>,
  onBytes?: (count: number) => GatewayError | undefined,
) => Promise<Uint8Array>;

/** Told of an explanation: its method, what it cost, and the time from its place in the share to its end. */
export type OnExplained = (explained: {
  readonly method: MethodName;
  readonly calls: number;
  readonly ms: number;
}) => void;

export type Stages = {
  readonly route: Pick<Route, 'resolve' | 'again'>;
  readonly admission: Admission;
  /** The admission of a model whose model.yaml has max_in_flight. */
  readonly ownAdmission: (card: ModelCard) => Admission | undefined;
  readonly fetch: Fetch;
  /** Bounds the fetched images of all requests. */
  readonly fetchedBytes: ByteBudget;
  /** Bounds the fetched images of one request. */
  readonly maxFetchedBytes: number;
  readonly fillRow: FillRow;
  readonly measurePixels: MeasurePixels;
  /** Scales pixels into a row, as model.yaml says. */
  readonly writersOf: (spec: ImageSpec) => Normaliser;
  readonly checkEncoded: CheckEncoded;
  readonly backend: Backend;
  /** The baseline of a version, for requests that ask how unusual their input is. */
  readonly baselineOf: FindBaseline;
  readonly explainShare: ExplainShare;
  /** Told of every explanation. */
  readonly onExplained?: OnExplained | undefined;
  /** Told of every request that was predicted. Unset: nobody keeps a record. */
  readonly onPredicted?: OnPredicted | undefined;
  /** Told of every request that a version has answered or failed. */
  readonly onOutcome?: OnOutcome | undefined;
};

/** What tensors need of the line. */
export type TensorStages = Pick<
  Stages,
  | 'route'
  | 'admission'
  | 'ownAdmission'
  | 'backend'
  | 'baselineOf'
  | 'checkEncoded'
  | 'explainShare'
  | 'onExplained'
  | 'onPredicted'
  | 'onOutcome'
>;
