// The canary is the same for the same arithmetic and sees every other one.
#include "torch/canary.h"

#include <set>

#include <gtest/gtest.h>

#include "torch/arithmetic/arithmetic.h"

namespace modelseal::libtorch {
namespace {

using oracle::Arithmetic;

TEST(Canary, IsTheSameEachTime) {
    const auto first = canary(c10::kCPU, 2);
    EXPECT_EQ(first.size(), 16u);
    EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), first.npos);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(canary(c10::kCPU, 2), first);
}

TEST(Canary, SeesAnotherArithmetic) {
    std::set<std::string> seen = {canary(c10::kCPU, 1)};
    for (const auto arithmetic :
         {Arithmetic::one_term, Arithmetic::permuted, Arithmetic::winograd4, Arithmetic::rounded_steps,
          Arithmetic::tf32, Arithmetic::bfloat16, Arithmetic::half}) {
        const WithArithmetic with(arithmetic);
        EXPECT_TRUE(seen.insert(canary(c10::kCPU, 1)).second) << name_of(arithmetic);
    }
}

}  // namespace
}  // namespace modelseal::libtorch
