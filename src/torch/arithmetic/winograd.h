// Convolutions of 3 x 3 in m x m outputs at a time, as fast engines compute them (Lavin, Gray: "Fast Algorithms for
// Convolutional Neural Networks", CVPR 2016): fewer products, larger rounding.
#pragma once

#include "torch/arithmetic/products.h"

namespace modelseal::libtorch {

// Kernels of 3 x 3, stride and dilation 1, one group.
bool fits_winograd(const Convolution& convolution);

// Everything in float32. Precondition: fits_winograd(); m is 2, 4 or 6.
at::Tensor winograd_convolution(const Convolution& convolution, int m);

}  // namespace modelseal::libtorch
