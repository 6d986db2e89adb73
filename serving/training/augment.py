"""Data augmentation in the graph, seeded by (seed, step), so that a resumed run sees the same pictures."""

import math

import tensorflow as tf

TURN = math.radians(12)
ZOOM = (0.78, 1.12)
STRETCH = 0.08
SHIFT = 0.08
BRIGHTNESS = 0.15
CONTRAST = (0.8, 1.25)
TINT = 0.08


def _uniform(seed: tf.Tensor, which: int, shape: list[tf.Tensor | int], low: float, high: float) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, tf.random.experimental.stateless_fold_in(seed, which), low, high)


def _views(images: tf.Tensor, side: float, seed: tf.Tensor, reach: float) -> tf.Tensor:
    """Affine transforms from output to input pixels: flip, stretch, zoom, rotate around the centre, shift, resize."""
    n, source = tf.shape(images)[0], float(images.shape[1])
    flip = tf.sign(_uniform(seed, 0, [n], -1, 1))
    angle = _uniform(seed, 1, [n], -TURN, TURN) * reach
    zoom = _uniform(seed, 2, [n], ZOOM[0] ** reach, ZOOM[1] ** reach) * source / side
    stretch = tf.exp(_uniform(seed, 3, [n], -STRETCH, STRETCH) * reach)
    shift = _uniform(seed, 4, [n, 2], -SHIFT, SHIFT) * reach * source
    a, b = zoom * stretch * tf.cos(angle) * flip, -zoom * tf.sin(angle)
    c, d = zoom * tf.sin(angle) * flip, zoom / stretch * tf.cos(angle)
    from_mid, to_mid = (side - 1) / 2, (source - 1) / 2
    x = to_mid + shift[:, 0] - (a + b) * from_mid
    y = to_mid + shift[:, 1] - (c + d) * from_mid
    zero = tf.zeros_like(a)
    return tf.stack([a, b, x, c, d, y, zero, zero], axis=1)


def _colours(images: tf.Tensor, seed: tf.Tensor, reach: float) -> tf.Tensor:
    n = tf.shape(images)[0]
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    contrast = _uniform(seed, 5, [n, 1, 1, 1], CONTRAST[0] ** reach, CONTRAST[1] ** reach)
    light = _uniform(seed, 6, [n, 1, 1, 1], -BRIGHTNESS, BRIGHTNESS) * reach
    tint = _uniform(seed, 7, [n, 1, 1, 3], -TINT, TINT) * reach
    return tf.clip_by_value((images - mean) * contrast + mean + light + tint, -1, 1)


def augment(images: tf.Tensor, side: int, seed: tf.Tensor, reach: float = 1.0) -> tf.Tensor:
    """Float images [n, s, s, 3] to random views [n, side, side, 3]. With reach 0 only flips are applied."""
    turned = tf.raw_ops.ImageProjectiveTransformV3(
        images=images, transforms=_views(images, float(side), seed, reach), output_shape=[side, side], fill_value=0.0,
        interpolation="BILINEAR", fill_mode="REFLECT",
    )  # fmt: skip
    return _colours(tf.ensure_shape(turned, [None, side, side, 3]), seed, reach)


def mixup(images: tf.Tensor, targets: tf.Tensor, alpha: float, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixup: blends picture i and its target with picture n - 1 - i. The batch is already shuffled."""
    n = tf.shape(images)[0]
    gammas = tf.random.stateless_gamma([2, n], tf.random.experimental.stateless_fold_in(seed, 8), alpha)
    share = (gammas[0] + 1e-6) / (gammas[0] + gammas[1] + 2e-6)
    share = tf.maximum(share, 1 - share)[:, tf.newaxis]
    wide = share[:, :, tf.newaxis, tf.newaxis]
    return wide * images + (1 - wide) * images[::-1], share * targets + (1 - share) * targets[::-1]


def cutmix(images: tf.Tensor, targets: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """CutMix: pastes a box of picture n - 1 - i over picture i, one box per batch. Targets blend by the box's area."""
    side = images.shape[1]
    half = tf.sqrt(1 - _uniform(seed, 9, [], 0, 1)) * side / 2
    middle = _uniform(seed, 10, [2], 0, 1) * side
    low, high = tf.round(tf.maximum(middle - half, 0)), tf.round(tf.minimum(middle + half, side))
    line = tf.range(side, dtype=tf.float32)
    rows, columns = ((line >= low[axis]) & (line < high[axis]) for axis in (0, 1))
    box = tf.cast(rows[:, tf.newaxis] & columns, tf.float32)[:, :, tf.newaxis]
    area = tf.reduce_mean(box)
    return images * (1 - box) + images[::-1] * box, (1 - area) * targets + area * targets[::-1]
