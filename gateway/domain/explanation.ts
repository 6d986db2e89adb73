/** Explanations: how much each part of an input has moved one number of a model's answer. */

export const METHOD_NAMES = ['occlusion', 'shapley', 'integrated-gradients', 'xrai'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

/**
 * The number that is explained: `offset + sign * element` of an output of one row. Sign and offset: the first of two classes that
 * share one neuron has its negative logit, or 1 - p.
 */
export type Target = {
  /** The class, or the output and its element. */
  readonly name: string;
  readonly output: string;
  readonly element: number;
  readonly sign: 1 | -1;
  readonly offset: number;
};

/** Attributions of equal cells of a picture, row-major. The picture is the one of the model's size. */
export type Grid = {
  readonly kind: 'grid';
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
};

/** Attributions of regions of a picture. `labels`: the region of each pixel, row-major. */
export type Regions = {
  readonly kind: 'regions';
  readonly labels: Uint16Array;
  readonly values: Float64Array;
  /** The standard error of each. */
  readonly errors?: Float64Array;
};

/** Attributions of the features of a record, in the order of their names. */
export type Features = {
  readonly kind: 'features';
  readonly names: readonly string[];
  readonly values: Float64Array;
  /** The standard error of each. */
  readonly errors?: Float64Array;
};

/** What a method finds. */
export type Attributed = {
  readonly attributions: Grid | Regions | Features;
  /** What the input is compared with: `blur`, `black`, `100 records`. */
  readonly baseline: string;
  readonly baselineScore: number;
  readonly score: number;
  /**
   * How far the sum of the attributions may be from `score - baselineScore`. Null for a method whose attributions do not add up
   * to it.
   */
  readonly tolerance: number | null;
};

/** The picture as the model sees it, with 8 bits a channel. */
export type SeenPicture = {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
};

export type Explanation = Attributed & {
  readonly method: MethodName;
  readonly target: string;
  /** Inputs that the model has scored for it. */
  readonly calls: number;
  /** Undefined for records. */
  readonly picture?: SeenPicture;
};
