/** Written by `make docs` from the schemas of openapi.json. Do not edit it by hand. */

/**
 * Comes back with the prediction. null: none.
 */
export type InstanceId = string | number | boolean | null;
/**
 * A record, a list of its values in the order of the columns, or one value.
 */
export type Instance = Record | Value;
/**
 * An element of a tensor, or nested lists of elements. `NaN`, `Infinity` and `-Infinity` are strings. GET /models has the types and shapes of each model.
 */
export type Value = number | string | boolean | Bytes | Value[];
/**
 * Classes with their scores: `format=list`.
 */
export type ScoreList = {
  class: string;
  score: number;
}[];
/**
 * A picture by its URL or in base64.
 */
export type Picture =
  | {
      url: string;
      /**
       * The encoded picture in base64 (RFC 4648), or a data: URL.
       */
      b64?: string | null;
      id?: InstanceId;
    }
  | {
      /**
       * An http: or https: URL, a data: URL, or gs:// and s3:// of an allowed bucket.
       */
      url?: string | null;
      b64: string;
      id?: InstanceId;
    };
/**
 * An object, a list of classes, the plain value of the only output, or an error.
 */
export type PredictionOfInstance = FailedPrediction | Prediction | ScoreList | Value;

/**
 * Of equal cells of the picture that the model sees, row by row.
 */
export interface AttributionGrid {
  height: number;
  width: number;
  rows: number;
  columns: number;
  values: number[][];
}
/**
 * Of regions of the picture that the model sees.
 */
export interface AttributionRegions {
  height: number;
  width: number;
  regions: {
    attribution: number;
    pixels: number;
    /**
     * Top, left, bottom, right.
     *
     * @minItems 4
     * @maxItems 4
     */
    box: number[];
  }[];
  /**
   * The region and the number of pixels of each run, row by row.
   */
  labels: number[];
}
/**
 * Bytes in base64 (RFC 4648).
 */
export interface Bytes {
  b64: string;
}
/**
 * What has moved the score: `explain`.
 */
export interface Explanation {
  method: 'occlusion' | 'shapley' | 'integrated-gradients' | 'xrai';
  target: string;
  baseline: string;
  baseline_score: number;
  /**
   * What the model gives for the target.
   */
  score: number;
  attributions:
    | AttributionGrid
    | AttributionRegions
    | {
        [k: string]: number;
      };
  standard_error:
    | (
        | {
            [k: string]: number;
          }
        | number[]
      )
    | null;
  /**
   * Inputs that the model has scored.
   */
  calls: number;
  completeness: {
    sum: number;
    difference: number;
    tolerance: number | null;
    holds: boolean | null;
  };
}
/**
 * A prediction that failed. Others of the same request did not.
 */
export interface FailedPrediction {
  error: Failure;
  [k: string]: InstanceId | Failure;
}
export interface Failure {
  type: string;
  title: string;
  status: number;
  /**
   * The field that is wrong, and the fix.
   */
  detail: string;
  kind:
    | 'invalid_json'
    | 'invalid_request'
    | 'invalid_url'
    | 'invalid_tensor'
    | 'unauthenticated'
    | 'source_forbidden'
    | 'not_found'
    | 'model_not_found'
    | 'method_not_allowed'
    | 'version_not_proven'
    | 'client_timeout'
    | 'body_too_large'
    | 'unsupported_media'
    | 'image_unreadable'
    | 'image_unsupported'
    | 'image_too_large'
    | 'explanation_unavailable'
    | 'source_too_large'
    | 'source_not_image'
    | 'overloaded'
    | 'quota'
    | 'client_gone'
    | 'internal'
    | 'source_failed'
    | 'model_failed'
    | 'model_unavailable'
    | 'draining'
    | 'source_timeout'
    | 'model_timeout';
  /**
   * The status of the source's answer, for `source_failed`.
   */
  source_status?: number;
}
/**
 * A value for each input of the model, and an `id` if it has to come back.
 */
export interface Record {
  [k: string]:
    | Value
    | {
        [k: string]: Value;
      };
}
export interface ListedScores {
  /**
   * Comes back with the prediction. null: none.
   */
  id?: string | number | boolean | null;
  outlier?: Outlier;
  explanations?: Explanation;
  predictions: ScoreList;
  [k: string]: InstanceId | string | number | boolean | null | Outlier | Explanation | ScoreList | undefined;
}
/**
 * How unusual the input is: `outlier=true`. Null where there is nothing to compare.
 */
export interface Outlier {
  /**
   * The energy score of the logits: higher for inputs unlike those of training.
   */
  energy: number | null;
  /**
   * The share of the baseline with a lower energy.
   */
  energy_percentile: number | null;
  /**
   * From what is typical of the baseline, in standard deviations.
   */
  distance: number | null;
  /**
   * The share of the baseline that is nearer.
   */
  distance_percentile: number | null;
  /**
   * The feature that is the farthest.
   */
  feature: string | null;
}
export interface Model {
  name: string;
  ready: boolean;
  /**
   * Why it is not ready.
   */
  problem?: string;
  /**
   * The version for requests that name none.
   */
  version?: number;
  parity?: 'proven' | 'unproven' | 'differing';
  takes?: 'images' | 'tensors';
  classes?: string[];
  /**
   * What the model gives for its classes.
   */
  scores?: 'logits' | 'probabilities' | 'sigmoid-logits' | 'values';
  /**
   * The inputs and outputs of a model that takes tensors.
   */
  signature?: {
    inputs: {
      name: string;
      /**
       * A name of TensorFlow's DataType, such as DT_FLOAT.
       */
      dtype: string;
      /**
       * -1: any size; null: any rank.
       */
      shape: number[] | null;
    }[];
    outputs: {
      name: string;
      /**
       * A name of TensorFlow's DataType, such as DT_FLOAT.
       */
      dtype: string;
      /**
       * -1: any size; null: any rank.
       */
      shape: number[] | null;
    }[];
  };
  /**
   * Every version that the model servers know, lowest first.
   */
  versions: {
    version: number;
    state: 'UNKNOWN' | 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';
    /**
     * Why it never answers.
     */
    problem?: string;
  }[];
}
/**
 * The scores of a picture by the names of the classes, or the outputs of a record by their names, with the decision and the version where model.yaml asks for them. `scores` has the list of `format=list` beside an id.
 */
export interface Prediction {
  /**
   * Comes back with the prediction. null: none.
   */
  id?: string | number | boolean | null;
  outlier?: Outlier;
  explanations?: Explanation;
  [k: string]: Value | boolean | ScoreList | string | number | null | Outlier | Explanation | undefined;
}
export interface Predictions {
  predictions: PredictionOfInstance[];
  explanations?: (Explanation | null)[];
}
export interface PredictQuery {
  /**
   * Only the K best classes, best first.
   */
  top?: number;
  /**
   * What the model gives, or probabilities.
   */
  scores?: 'raw' | 'probabilities';
  /**
   * Scores by the names of the classes, or a list of classes with scores.
   */
  format?: 'map' | 'list';
  /**
   * Whether to say how unusual each input is: its energy score and its distance from the baseline.
   */
  outlier?: 'true' | 'false';
  /**
   * The model. Without it that of MODEL_NAME answers, else the only one that takes images, else the only one.
   */
  model?: string;
  /**
   * The version of the model.
   */
  version?: number;
  /**
   * A label of a version, in place of a version.
   */
  label?: string;
  /**
   * Explains each prediction by this method: what has moved the score, and how much.
   */
  explain?: ('occlusion' | 'shapley' | 'integrated-gradients' | 'xrai') | null;
  /**
   * What is explained: a class, or an output, with an element such as y[3]. Without it the best class.
   */
  'explain.target'?: string | null;
  /**
   * What pixels of a picture are replaced by.
   */
  'explain.baseline'?: ('blur' | 'mean' | 'black' | 'white' | 'noise') | null;
  /**
   * The most inputs that the model scores for one explanation.
   */
  'explain.budget'?: ((number | string) | null) & number;
  /**
   * The most time for all explanations of the request.
   */
  'explain.seconds'?: ((number | string) | null) & number;
  /**
   * shapley: the most pairs of permutations.
   */
  'explain.samples'?: ((number | string) | null) & number;
  /**
   * shapley: ends when all standard errors are below this share of the largest attribution.
   */
  'explain.error'?: ((number | string) | null) & number;
  /**
   * shapley: the superpixels of a picture.
   */
  'explain.regions'?: ((number | string) | null) & number;
  /**
   * occlusion: the side of the hidden square, in pixels of the model.
   */
  'explain.window'?: ((number | string) | null) & number;
  /**
   * occlusion: the distance of the squares, in pixels of the model.
   */
  'explain.stride'?: ((number | string) | null) & number;
  /**
   * integrated-gradients, xrai: the points between the baseline and the input.
   */
  'explain.steps'?: ((number | string) | null) & number;
  /**
   * integrated-gradients, xrai: how the points are placed and weighed.
   */
  'explain.rule'?: ('gauss-legendre' | 'trapezoid') | null;
  /**
   * The seed of random numbers. The same seed gives the same answer.
   */
  'explain.seed'?: ((number | string) | null) & number;
  /**
   * The most rows and columns of a grid in the answer; finer ones are summed.
   */
  'explain.cells'?: ((number | string) | null) & number;
  /**
   * JSON, or the heat map over the picture.
   */
  'explain.format'?: ('json' | 'png') | null;
}
