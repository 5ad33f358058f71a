// Whether two runtimes of the same name compute the same bits.
#pragma once

#include <string>

#include <c10/core/Device.h>

namespace modelseal::libtorch {

// A digest (16 hexadecimal digits) of what a small fixed graph answers: products, convolutions and functions of which the last
// bits depend on the libraries and instructions that compute them, in batches of several sizes. Names and versions do not tell
// which library of matrix products was loaded, or what a virtual processor can do; this does.
std::string canary(c10::Device device, unsigned threads);

}  // namespace modelseal::libtorch
