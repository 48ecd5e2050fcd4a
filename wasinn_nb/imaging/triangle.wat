;; The loops of the Rust `image` crate's Triangle filter, for 8-bit pixels of 1 to 4 channels.
;; triangle_wasm.py lays out the memory; each product and each sum is rounded by itself, in order.
(module
  (memory (export "memory") 1)
  ;; Clamped to 0..255 and rounded half away from zero: adding 0.5 would round just below a half.
  (func $rounded (param $v v128) (result v128)
    (local $whole v128)
    (local.set $v (f32x4.min (f32x4.max (local.get $v) (v128.const f32x4 0 0 0 0)) (v128.const f32x4 255 255 255 255)))
    (local.set $whole (f32x4.floor (local.get $v)))
    (f32x4.add (local.get $whole)
      (v128.and (f32x4.ge (f32x4.sub (local.get $v) (local.get $whole)) (v128.const f32x4 0.5 0.5 0.5 0.5))
                (v128.const f32x4 1 1 1 1))))
  ;; A row between the passes, f32: the weighted sum of rows of bytes, 16 values at a time.  What lies
  ;; behind the end of a row is read and written, too; nobody looks at that.
  (func $between (param $sources i32) (param $weights i32) (param $taps i32) (param $sum f32) (param $old i32) (param $row i32) (param $values i32)
    (local $n i32) (local $k i32) (local $w v128) (local $b v128) (local $lo v128) (local $hi v128)
    (local $t0 v128) (local $t1 v128) (local $t2 v128) (local $t3 v128)
    (loop $over_values
      (local.set $k (i32.const 0))
      (local.set $t0 (v128.const i64x2 0 0)) (local.set $t1 (v128.const i64x2 0 0))
      (local.set $t2 (v128.const i64x2 0 0)) (local.set $t3 (v128.const i64x2 0 0))
      (loop $over_taps
        (local.set $w (v128.load32_splat (i32.add (local.get $weights) (local.get $k))))
        (local.set $b (v128.load (i32.add (local.get $n) (i32.load (i32.add (local.get $sources) (local.get $k))))))
        (local.set $lo (i16x8.extend_low_i8x16_u (local.get $b)))
        (local.set $hi (i16x8.extend_high_i8x16_u (local.get $b)))
        (local.set $t0 (f32x4.add (local.get $t0) (f32x4.mul (local.get $w) (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_u (local.get $lo))))))
        (local.set $t1 (f32x4.add (local.get $t1) (f32x4.mul (local.get $w) (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_u (local.get $lo))))))
        (local.set $t2 (f32x4.add (local.get $t2) (f32x4.mul (local.get $w) (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_u (local.get $hi))))))
        (local.set $t3 (f32x4.add (local.get $t3) (f32x4.mul (local.get $w) (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_u (local.get $hi))))))
        (br_if $over_taps (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 4))) (local.get $taps))))
      (if (local.get $old) (then
        (local.set $t0 (call $rounded (f32x4.div (local.get $t0) (f32x4.splat (local.get $sum)))))
        (local.set $t1 (call $rounded (f32x4.div (local.get $t1) (f32x4.splat (local.get $sum)))))
        (local.set $t2 (call $rounded (f32x4.div (local.get $t2) (f32x4.splat (local.get $sum)))))
        (local.set $t3 (call $rounded (f32x4.div (local.get $t3) (f32x4.splat (local.get $sum)))))))
      (v128.store offset=0 (local.get $row) (local.get $t0))
      (v128.store offset=16 (local.get $row) (local.get $t1))
      (v128.store offset=32 (local.get $row) (local.get $t2))
      (v128.store offset=48 (local.get $row) (local.get $t3))
      (local.set $row (i32.add (local.get $row) (i32.const 64)))
      (br_if $over_values (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 16))) (local.get $values)))))
  ;; A row of the result: for each pixel the weighted sum of pixels of the row between, four values in
  ;; a vector.  Of less than four channels, the next pixel is written over what is too much.
  (func $across (param $starts i32) (param $weights i32) (param $taps i32) (param $sums i32) (param $old i32) (param $row i32) (param $out i32) (param $width i32) (param $channels i32)
    (local $t v128) (local $from i32) (local $end i32) (local $pixel i32)
    (local.set $pixel (i32.shl (local.get $channels) (i32.const 2)))
    (loop $over_pixels
      (local.set $t (v128.const i64x2 0 0))
      (local.set $from (i32.add (local.get $row) (i32.load (local.get $starts))))
      (local.set $end (i32.add (local.get $weights) (local.get $taps)))
      (loop $over_taps
        (local.set $t (f32x4.add (local.get $t) (f32x4.mul
          (v128.load32_splat (local.get $weights)) (v128.load (local.get $from)))))
        (local.set $from (i32.add (local.get $from) (local.get $pixel)))
        (br_if $over_taps (i32.lt_u (local.tee $weights (i32.add (local.get $weights) (i32.const 4))) (local.get $end))))
      (if (local.get $old) (then
        (local.set $t (f32x4.div (local.get $t) (v128.load32_splat (local.get $sums))))
        (local.set $sums (i32.add (local.get $sums) (i32.const 4)))))
      (local.set $t (i32x4.trunc_sat_f32x4_s (call $rounded (local.get $t))))
      (local.set $t (i16x8.narrow_i32x4_s (local.get $t) (local.get $t)))
      (i32.store (local.get $out) (i32x4.extract_lane 0 (i8x16.narrow_i16x8_u (local.get $t) (local.get $t))))
      (local.set $out (i32.add (local.get $out) (local.get $channels)))
      (local.set $starts (i32.add (local.get $starts) (i32.const 4)))
      (br_if $over_pixels (local.tee $width (i32.sub (local.get $width) (i32.const 1))))))
  (func $rows (param $vs i32) (param $vw i32) (param $vsum i32) (param $vt i32)
      (param $hs i32) (param $hw i32) (param $hsum i32) (param $ht i32)
      (param $old i32) (param $row i32) (param $values i32) (param $out i32) (param $height i32) (param $width i32) (param $channels i32)
    (loop $over_rows
      (call $between (local.get $vs) (local.get $vw) (local.get $vt) (f32.load (local.get $vsum)) (local.get $old) (local.get $row) (local.get $values))
      (call $across (local.get $hs) (local.get $hw) (local.get $ht) (local.get $hsum) (local.get $old) (local.get $row) (local.get $out) (local.get $width) (local.get $channels))
      (local.set $vs (i32.add (local.get $vs) (local.get $vt)))
      (local.set $vw (i32.add (local.get $vw) (local.get $vt)))
      (local.set $vsum (i32.add (local.get $vsum) (i32.const 4)))
      (local.set $out (i32.add (local.get $out) (i32.mul (local.get $width) (local.get $channels))))
      (br_if $over_rows (local.tee $height (i32.sub (local.get $height) (i32.const 1))))))
  ;; At $at lie the numbers that it takes.
  (func (export "resize") (param $at i32)
    (call $rows
      (i32.load offset=0 (local.get $at)) (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))
      (i32.load offset=12 (local.get $at)) (i32.load offset=16 (local.get $at)) (i32.load offset=20 (local.get $at))
      (i32.load offset=24 (local.get $at)) (i32.load offset=28 (local.get $at)) (i32.load offset=32 (local.get $at))
      (i32.load offset=36 (local.get $at)) (i32.load offset=40 (local.get $at)) (i32.load offset=44 (local.get $at))
      (i32.load offset=48 (local.get $at)) (i32.load offset=52 (local.get $at)) (i32.load offset=56 (local.get $at))))
)
