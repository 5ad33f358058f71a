// Other ways in which engines compute what a network says. All of them are honest: they differ in what is rounded, when, and
// in which order sums are taken. src/torch/arithmetic computes so in the worker; the noise of a fingerprint is measured over
// them (blackbox/noise.h).
#pragma once

#include <string_view>

namespace modelseal::oracle {

enum class Arithmetic : unsigned char {
    usual,  // that of LibTorch
    // In float32:
    one_term,         // sums of products one term after the other, without fused multiply-add
    permuted,         // channels in another order, and so the terms of sums
    winograd2,        // 3 x 3 convolutions of stride 1 by F(2x2, 3x3), the others as usual: Lavin, Gray:
    winograd4,        // "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), F(4x4, 3x3)
    winograd6,        // F(6x6, 3x3)
    rounded_weights,  // each weight off by up to half a unit in the last place, as after folding or a conversion
    rounded_steps,    // each sum and product of operators off by up to half a unit
    // Narrower:
    half_weights,  // weights rounded to float16; on a GPU TF32 products as well
    tf32,          // operands of products rounded to 10 bits of mantissa, sums in float32
    bfloat16,      // operands and results of all operators rounded to bfloat16, sums in float32
    half,          // the same with float16
};
inline constexpr Arithmetic kLastArithmetic = Arithmetic::half;

// "one term at a time"; empty for the usual one.
std::string_view name_of(Arithmetic arithmetic);

}  // namespace modelseal::oracle
