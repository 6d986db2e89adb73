;; The inner loops of Pillow's 8-bit resize in WebAssembly SIMD, called by convolve.ts. passes.ts has them in TypeScript.
;;
;; An output sample is (2^21 + sum of sample * weight) >> 22, clipped to a byte, with a sum of 32 bits. Multiplication of
;; 32-bit lanes is slow. i32x4.dot_i16x8_s is fast: eight products of 16 bits, added in pairs. So each weight is split into
;; two halves, low (signed) + high * 2^16, and taps come in pairs: low 0, low 1, high 0, high 1, each an i16. A sample is a
;; byte, so no product overflows. The sums of both halves are combined modulo 2^32, which gives the sum of 32 bits.
;;
;; The kernels read and write only `memory`. Loads may reach 8 bytes past a row, stores 7.
(module
  (memory (export "memory") 32)

  ;; Computes one output row, 8 samples at a time, up to $end and possibly past it. Each sample sums one column of
  ;; 2 * $pairs rows, which start at $rows and are $stride bytes apart.
  (func (export "sumRows")
    (param $rows i32) (param $stride i32) (param $weights i32) (param $pairs i32) (param $to i32) (param $end i32)
    (local $row i32) (local $weight i32) (local $last i32)
    (local $one v128) (local $other v128) (local $samples v128)
    (local $low_a v128) (local $high_a v128) (local $low_b v128) (local $high_b v128)
    (local.set $last (i32.add (local.get $weights) (i32.shl (local.get $pairs) (i32.const 3))))
    (loop $each_eight
      (local.set $row (local.get $rows))
      (local.set $weight (local.get $weights))
      (local.set $low_a (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (local.set $low_b (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (local.set $high_a (v128.const i32x4 0 0 0 0))
      (local.set $high_b (v128.const i32x4 0 0 0 0))
      (loop $each_pair
        (local.set $one (v128.load8x8_u (local.get $row)))
        (local.set $row (i32.add (local.get $row) (local.get $stride)))
        (local.set $other (v128.load8x8_u (local.get $row)))
        (local.set $row (i32.add (local.get $row) (local.get $stride)))
        ;; samples 0 to 3, each next to the one below it
        (local.set $samples
          (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $one) (local.get $other)))
        (local.set $low_a (i32x4.add (local.get $low_a)
          (i32x4.dot_i16x8_s (local.get $samples) (v128.load32_splat (local.get $weight)))))
        (local.set $high_a (i32x4.add (local.get $high_a)
          (i32x4.dot_i16x8_s (local.get $samples) (v128.load32_splat offset=4 (local.get $weight)))))
        ;; samples 4 to 7
        (local.set $samples
          (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $one) (local.get $other)))
        (local.set $low_b (i32x4.add (local.get $low_b)
          (i32x4.dot_i16x8_s (local.get $samples) (v128.load32_splat (local.get $weight)))))
        (local.set $high_b (i32x4.add (local.get $high_b)
          (i32x4.dot_i16x8_s (local.get $samples) (v128.load32_splat offset=4 (local.get $weight)))))
        (local.set $weight (i32.add (local.get $weight) (i32.const 8)))
        (br_if $each_pair (i32.lt_u (local.get $weight) (local.get $last))))
      (v128.store64_lane 0 (local.get $to)
        (call $bytes
          (call $sum (local.get $low_a) (local.get $high_a))
          (call $sum (local.get $low_b) (local.get $high_b))))
      (local.set $rows (i32.add (local.get $rows) (i32.const 8)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br_if $each_eight (i32.lt_u (local.get $to) (local.get $end)))))

  ;; Computes one row of RGB pixels, up to $end. For each pixel $taps holds the offset of its run in $row, then the
  ;; weights of 2 * $pairs pixels.
  (func (export "sumRgb")
    (param $row i32) (param $taps i32) (param $pairs i32) (param $to i32) (param $end i32)
    (local $from i32) (local $last i32) (local $pixels v128) (local $low v128) (local $high v128)
    (loop $each_pixel
      (local.set $from (i32.add (local.get $row) (i32.load (local.get $taps))))
      (local.set $taps (i32.add (local.get $taps) (i32.const 4)))
      (local.set $last (i32.add (local.get $taps) (i32.shl (local.get $pairs) (i32.const 3))))
      (local.set $low (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (local.set $high (v128.const i32x4 0 0 0 0))
      (loop $each_pair
        ;; red 0 and 1, green 0 and 1, blue 0 and 1
        (local.set $pixels (i8x16.swizzle
          (v128.load64_zero (local.get $from))
          (v128.const i8x16 0 -1 3 -1 1 -1 4 -1 2 -1 5 -1 -1 -1 -1 -1)))
        (local.set $low (i32x4.add (local.get $low)
          (i32x4.dot_i16x8_s (local.get $pixels) (v128.load32_splat (local.get $taps)))))
        (local.set $high (i32x4.add (local.get $high)
          (i32x4.dot_i16x8_s (local.get $pixels) (v128.load32_splat offset=4 (local.get $taps)))))
        (local.set $from (i32.add (local.get $from) (i32.const 6)))
        (local.set $taps (i32.add (local.get $taps) (i32.const 8)))
        (br_if $each_pair (i32.lt_u (local.get $taps) (local.get $last))))
      (local.set $low (call $sum (local.get $low) (local.get $high)))
      (v128.store32_lane 0 (local.get $to) (call $bytes (local.get $low) (local.get $low)))
      (local.set $to (i32.add (local.get $to) (i32.const 3)))
      (br_if $each_pixel (i32.lt_u (local.get $to) (local.get $end)))))

  ;; The same for gray pixels. $pairs is even: each step multiplies two pairs of weights with four pixels.
  (func (export "sumGray")
    (param $row i32) (param $taps i32) (param $pairs i32) (param $to i32) (param $end i32)
    (local $from i32) (local $last i32) (local $sums v128)
    (loop $each_pixel
      (local.set $from (i32.add (local.get $row) (i32.load (local.get $taps))))
      (local.set $taps (i32.add (local.get $taps) (i32.const 4)))
      (local.set $last (i32.add (local.get $taps) (i32.shl (local.get $pairs) (i32.const 3))))
      (local.set $sums (v128.const i32x4 0x200000 0 0 0)) ;; low, high, low, high
      (loop $each_four
        (local.set $sums (i32x4.add (local.get $sums) (i32x4.dot_i16x8_s
          (v128.load (local.get $taps))
          (i8x16.swizzle
            (v128.load32_zero (local.get $from))
            (v128.const i8x16 0 -1 1 -1 0 -1 1 -1 2 -1 3 -1 2 -1 3 -1)))))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))
        (local.set $taps (i32.add (local.get $taps) (i32.const 16)))
        (br_if $each_four (i32.lt_u (local.get $taps) (local.get $last))))
      (local.set $sums (i32x4.add (local.get $sums)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $sums) (local.get $sums))))
      (local.set $sums (call $sum (local.get $sums)
        (i8x16.shuffle 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 (local.get $sums) (local.get $sums))))
      (v128.store8_lane 0 (local.get $to) (call $bytes (local.get $sums) (local.get $sums)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br_if $each_pixel (i32.lt_u (local.get $to) (local.get $end)))))

  (func $sum (param $low v128) (param $high v128) (result v128)
    (i32x4.shr_s (i32x4.add (local.get $low) (i32x4.shl (local.get $high) (i32.const 16))) (i32.const 22)))

  ;; Clips eight sums to bytes. The result holds them twice.
  (func $bytes (param $one v128) (param $other v128) (result v128)
    (local.set $one (i16x8.narrow_i32x4_s (local.get $one) (local.get $other)))
    (i8x16.narrow_i16x8_u (local.get $one) (local.get $one))))
