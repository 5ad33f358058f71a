// Computes the operators of a network in another arithmetic (oracle/arithmetic.h), whatever kind of file they come from: the
// graph's interpreter and TorchScript both call LibTorch's operators, and these are replaced on their way.
#pragma once

#include <memory>

#include <ATen/core/Generator.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "oracle/arithmetic.h"

namespace modelseal::libtorch {

// As long as it lives, operators that this thread calls compute so. Operators that an arithmetic says nothing about, and forms
// of them that it cannot do (three dimensions, types other than float32), compute as usual. What is random is the same each
// time for a draw. One at a time in a thread; without gradients.
class WithArithmetic {
  public:
    explicit WithArithmetic(oracle::Arithmetic arithmetic, unsigned draw = 0);
    ~WithArithmetic();
    WithArithmetic(const WithArithmetic&) = delete;
    WithArithmetic& operator=(const WithArithmetic&) = delete;

    struct Current {
        oracle::Arithmetic arithmetic;
        at::Generator random;
    };

  private:
    std::unique_ptr<Current> current_;  // null: as usual
    std::unique_ptr<c10::impl::IncludeDispatchKeyGuard> mode_;
};

// As long as it lives, operators compute as usual: for products of integers, which are the same on every runtime.
class UsualArithmetic {
  public:
    UsualArithmetic();

  private:
    c10::impl::ExcludeDispatchKeyGuard usual_;
};

}  // namespace modelseal::libtorch
