#include "torch/arithmetic/arithmetic.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "torch/arithmetic/products.h"
#include "torch/arithmetic/rounding.h"
#include "torch/arithmetic/winograd.h"

namespace modelseal::libtorch {
namespace {

using oracle::Arithmetic;

// A key that every operator sees first while it is switched on. LibTorch keeps it for a process that has it to itself, as the
// worker is.
constexpr auto kMode = c10::DispatchKey::TESTING_ONLY_GenericMode;

thread_local WithArithmetic::Current* current = nullptr;

// Those that round; the others move values about, or compare them.
constexpr std::array<std::string_view, 36> kRounding = {
    "conv1d",        "conv2d",     "conv3d",     "convolution", "_convolution", "linear",
    "addmm",         "mm",         "bmm",        "baddbmm",     "matmul",       "add",
    "sub",           "mul",        "div",        "sum",         "mean",         "batch_norm",
    "instance_norm", "layer_norm", "group_norm", "softmax",     "log_softmax",  "exp",
    "log",           "tanh",       "sigmoid",    "gelu",        "silu",         "elu",
    "erf",           "sqrt",       "rsqrt",      "pow",         "avg_pool2d",   "adaptive_avg_pool2d"};

bool rounds(const c10::FunctionSchema& schema) {
    std::string_view name = schema.name();
    name.remove_prefix(std::min(name.size(), std::string_view("aten::").size()));
    if (name.ends_with('_')) name.remove_suffix(1);  // in place
    return std::ranges::find(kRounding, name) != kRounding.end();
}

// The result of a product that this arithmetic computes by itself; undefined: the usual operator does.
at::Tensor own_product(const c10::FunctionSchema& schema, Arguments arguments) {
    if (current->arithmetic == Arithmetic::one_term) return one_term_at_a_time(schema, arguments);
    const int m = current->arithmetic == Arithmetic::winograd2   ? 2
                  : current->arithmetic == Arithmetic::winograd4 ? 4
                  : current->arithmetic == Arithmetic::winograd6 ? 6
                                                                 : 0;
    if (m == 0) return {};
    const auto convolution = convolution_of(schema, arguments);
    return convolution && fits_winograd(*convolution) ? winograd_convolution(*convolution, m) : at::Tensor();
}

// Changes the factors of a product in place of the caller's.
void change_factors(const Factors& factors, c10::IValue& first, c10::IValue& second) {
    const auto a = first.toTensor(), b = second.toTensor();
    if (current->arithmetic == Arithmetic::permuted) {
        if (!factors.whole || a.dim() < 2 || b.dim() < 2) return;
        const auto order = at::randperm(a.size(factors.first_dim), current->random, at::kLong).to(a.device());
        first = a.index_select(factors.first_dim, order);
        second = b.index_select(factors.second_dim, order);
    } else if (current->arithmetic == Arithmetic::tf32) {
        first = rounded_to_tf32(a);
        second = rounded_to_tf32(b);
    } else if (const auto narrow = narrow_type(current->arithmetic)) {
        first = rounded_to(*narrow, a);
        second = rounded_to(*narrow, b);
    }
}

at::Tensor changed_result(const c10::FunctionSchema& schema, const at::Tensor& result) {
    if (const auto narrow = narrow_type(current->arithmetic)) return rounded_to(*narrow, result);
    if (current->arithmetic == Arithmetic::rounded_steps && rounds(schema))
        return off_by_half_a_unit(result, current->random);
    return result;
}

void change_results(const c10::FunctionSchema& schema, torch::jit::Stack& stack) {
    const auto count = schema.returns().size();
    for (std::size_t i = 0; i < count; ++i) {
        auto& value = stack[stack.size() - count + i];
        if (!value.isTensor() || !value.toTensor().defined() || value.toTensor().scalar_type() != at::kFloat)
            continue;
        const auto* alias = schema.returns()[i].alias_info();
        const auto result = value.toTensor();
        const auto changed = alias != nullptr && !alias->isWrite() ? result : changed_result(schema, result);
        if (changed.is_same(result)) continue;
        if (alias != nullptr) {
            result.copy_(changed);  // of an operator in place: others hold it
        } else {
            value = changed;
        }
    }
}

void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
    const c10::impl::ExcludeDispatchKeyGuard inside(kMode);
    const auto& schema = op.schema();
    const auto count = schema.arguments().size();
    const Arguments arguments(stack->data() + (stack->size() - count), count);
    if (current != nullptr) {
        if (const auto product = own_product(schema, arguments); product.defined()) {
            torch::jit::drop(*stack, count);
            stack->emplace_back(product);
            return;
        }
        if (const auto factors = factors_of(schema, arguments)) {
            auto* first = stack->data() + (stack->size() - count);
            change_factors(*factors, first[factors->first], first[factors->second]);
        }
    }
    op.callBoxed(stack);
    if (current != nullptr) change_results(schema, *stack);
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>());
}

}  // namespace

WithArithmetic::WithArithmetic(Arithmetic arithmetic, unsigned draw) {
    // These two change weights alone (ChangedWeights).
    if (arithmetic == Arithmetic::usual || arithmetic == Arithmetic::half_weights ||
        arithmetic == Arithmetic::rounded_weights) {
        return;
    }
    current_ = std::make_unique<Current>(Current{arithmetic, at::detail::createCPUGenerator(kSeed + draw)});
    current = current_.get();
    mode_ = std::make_unique<c10::impl::IncludeDispatchKeyGuard>(kMode);
}

WithArithmetic::~WithArithmetic() {
    mode_.reset();
    if (current_) current = nullptr;
}

UsualArithmetic::UsualArithmetic() : usual_(kMode) {}

}  // namespace modelseal::libtorch
