/** Pictures: as a request sends them, as decoded pixels, and how model.yaml converts them to a tensor. */
import type { RequestContext } from './request.ts';
import type { InputArray, PixelType } from './tensor.ts';

/**
 * One image to classify. `field`: its place in the request (`instances[3].url`), for error texts. `row`: a picture that the
 * client has converted; its bytes are the elements of its row of the input.
 */
export type Instance =
  | { readonly kind: 'url'; readonly url: string; readonly field: string }
  | { readonly kind: 'bytes' | 'row'; readonly bytes: Uint8Array; readonly field: string };

/** The formats that can be decoded. They are detected by content. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff';

/** Decoded pixels: 8 bits a channel (16 for 16-bit gray), rows top to bottom, channels interleaved, no padding. */
export type Pixels = {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array | Uint16Array;
};

/** Pixels of a model's size. float32 when tf.image.resize computed them. */
export type Resized = Omit<Pixels, 'data'> & { readonly data: Pixels['data'] | Float32Array };

/** A picture to convert. `field`: its place in the request. */
export type EncodedPicture = { readonly bytes: Uint8Array; readonly spec: ImageSpec; readonly field: string };

/** The rows of an input tensor that are not filled yet. */
export type FreeRows = {
  readonly type: PixelType;
  /** Has `write` write the next free row, at once. The row stays free where it returns false or throws. */
  fill(write: (row: InputArray) => boolean): void;
};

/** What decodes pictures: the gateway's JPEG decoder, or sharp in a separate process. */
export type DecoderName = 'jpeg' | 'sharp';

/**
 * Decodes, resizes and scales a picture into the next free row. Resolves to what decoded it.
 * @throws GatewayError of the picture.
 */
export type FillRow = (
  picture: EncodedPicture,
  rows: FreeRows,
  context: Pick<RequestContext, 'signal'>,
) => Promise<DecoderName>;

/** Of the pixels that a model gets, from 0 to 255: the mean luma, its standard deviation, and the mean absolute Laplacian. */
export type PictureStatistics = {
  readonly brightness: number;
  readonly contrast: number;
  readonly sharpness: number;
};

/** Measures a row that `spec` has filled. */
export type MeasurePixels = (row: InputArray, type: PixelType, spec: ImageSpec) => PictureStatistics;

/**
 * Checks the header of a picture that is sent as it is.
 * @throws GatewayError image_unreadable, image_unsupported, image_too_large.
 */
export type CheckEncoded = (bytes: Uint8Array, field: string) => void;

/** The resize methods of `engine: pillow` in model.yaml. */
export const PILLOW_FILTERS = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;
export type PillowFilter = (typeof PILLOW_FILTERS)[number];

/** The resize methods of `engine: tensorflow`. */
export const TENSORFLOW_METHODS = ['nearest', 'bilinear', 'bicubic', 'area', 'lanczos3'] as const;
export type TensorFlowMethod = (typeof TENSORFLOW_METHODS)[number];

export const NAMED_SCALES = ['tf', 'mul127', 'div255', 'mul255', 'torch', 'caffe', 'none'] as const;
export type NamedScale = (typeof NAMED_SCALES)[number];

/** x / divide, minus the mean, divided by the standard deviation. One mean and one deviation for each channel. */
export type OwnScale = {
  readonly divide: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
};

export type Scale = NamedScale | OwnScale;

/** Where a picture that does not fill the tensor is put. */
export const PLACES = ['center', 'top-left', 'bottom-right'] as const;
export type Place = (typeof PLACES)[number];

/** Letterbox: the whole picture within the size, the rest in one colour (0 to 255, for all channels or for each). */
export type Padding = { readonly pad: number | readonly number[]; readonly place: Place };

export type Fit = 'stretch' | 'crop' | { readonly shorter: number } | Padding;

/** The `image` part of model.yaml for a model that decodes pictures itself: it gets the encoded bytes. */
export type EncodedSpec = { readonly encoded: true; readonly input?: string };

/** The `image` part of model.yaml: how a picture is converted to a tensor. */
export type ImageSpec = {
  /** Name of the input tensor. Read from the signature when it has one input. */
  readonly input?: string;
  /** Height, width. */
  readonly size: readonly [number, number];
  readonly engine: 'pillow' | 'tensorflow';
  readonly resize: PillowFilter | TensorFlowMethod;
  /** Only for engine tensorflow: the `antialias` flag of tf.image.resize. */
  readonly antialias: boolean;
  readonly fit: Fit;
  readonly scale: Scale;
  readonly color: 'rgb' | 'grayscale';
  readonly layout: 'NHWC' | 'NCHW';
  /** Major version of the Pillow used for training. It decides the order of the two resampling passes. */
  readonly pillow: number;
};
