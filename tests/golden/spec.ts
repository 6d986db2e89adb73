/** Translates the pipelines of golden.json into image specs of model.yaml. */
import type { ImageSpec, Scale } from '../../gateway/domain/picture.ts';

/** A pipeline of golden.json: a Python library and its arguments. */
export type Pipeline = {
  readonly id: string;
  readonly family: 'keras_image_helper' | 'pillow' | 'keras' | 'torchvision' | 'tensorflow';
  readonly model?: string;
  readonly method?: ImageSpec['resize'];
  readonly width?: number;
  readonly height?: number;
  /** torchvision: the length of the shorter side; `crop` is the side of the centre square. */
  readonly resize?: number;
  readonly crop?: number;
  readonly color_mode?: 'rgb' | 'grayscale';
  readonly keep_aspect_ratio?: boolean;
  readonly antialias?: boolean;
  readonly normalize?: Scale;
  readonly layout: 'NHWC' | 'NCHW';
};

/** The scale of keras_image_helper for each model. It always resizes with nearest. */
const SCALE_OF_MODEL: Readonly<Record<string, Scale>> = {
  xception: 'tf',
  inception_v3: 'tf',
  resnet50: 'caffe',
  vgg16: 'caffe',
};

export function specOf(pipeline: Pipeline, pillow: number): ImageSpec {
  return {
    engine: pipeline.family === 'tensorflow' ? 'tensorflow' : 'pillow',
    resize: pipeline.method ?? 'nearest',
    antialias: pipeline.antialias ?? false,
    scale: pipeline.normalize ?? SCALE_OF_MODEL[pipeline.model ?? ''] ?? 'none',
    color: pipeline.color_mode ?? 'rgb',
    layout: pipeline.layout,
    pillow,
    ...sizeAndFit(pipeline),
  };
}

function sizeAndFit(pipeline: Pipeline): Pick<ImageSpec, 'size' | 'fit'> {
  const { resize, crop = 0, width = 0, height = 0, keep_aspect_ratio } = pipeline;
  if (resize !== undefined) return { size: [crop, crop], fit: { shorter: resize } };
  return { size: [height, width], fit: keep_aspect_ratio ? 'crop' : 'stretch' };
}
