#include "torch/arithmetic/products.h"

#include <algorithm>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <ATen/Parallel.h>

namespace modelseal::libtorch {
namespace {

constexpr std::int64_t kTermsForAThread = 1 << 18;
constexpr std::int64_t kColumnsAtOnce = 1 << 22;  // elements of what images are unfolded to: 16 MiB

bool is_float(const c10::IValue& value) {
    return value.isTensor() && value.toTensor().defined() && value.toTensor().scalar_type() == at::kFloat;
}

bool is_convolution(std::string_view name) {
    return name == "aten::conv1d" || name == "aten::conv2d" || name == "aten::convolution" ||
           name == "aten::_convolution";
}

// Lists of numbers, some of which newer versions of LibTorch give as symbols.
std::vector<std::int64_t> numbers(const c10::IValue& value) {
    if (value.isIntList()) return value.toIntVector();
    std::vector<std::int64_t> list;
    for (const auto& one : value.toListRef())
        list.push_back(one.isInt() ? one.toInt() : one.toSymInt().expect_int());
    return list;
}

// Rows of the result and columns of them that are summed up together: their sums stay in registers and the cache for all
// terms. Each sum has its terms added one by one, in their order, whatever the tile.
constexpr std::int64_t kTileRows = 4, kTileColumns = 64;

// `rows` of at most kTileRows, `columns` of at most kTileColumns; `pitch`: from a row of `second` and of `out` to the next.
template <std::int64_t kColumns>
void add_tile(const float* first, const float* second, float* out, std::int64_t rows, std::int64_t terms,
              std::int64_t columns, std::int64_t pitch) {
    float sums[kTileRows][kTileColumns] = {};
    const auto wide = kColumns > 0 ? kColumns : columns;
    for (std::int64_t k = 0; k < terms; ++k) {
        const float* values = second + k * pitch;
        for (std::int64_t row = 0; row < rows; ++row) {
            const float factor = first[row * terms + k];
            for (std::int64_t n = 0; n < wide; ++n) sums[row][n] += factor * values[n];
        }
    }
    for (std::int64_t row = 0; row < rows; ++row) std::copy_n(sums[row], wide, out + row * pitch);
}

// b x m x k and b x k x n; a `first` of one matrix goes with each of `second`.
at::Tensor product_of(const at::Tensor& first, const at::Tensor& second) {
    const auto a = first.contiguous(), b = second.contiguous();
    const auto batch = b.size(0), rows = a.size(1), terms = a.size(2), columns = b.size(2);
    auto out = at::empty({batch, rows, columns}, b.options());
    const float* left = a.data_ptr<float>();
    const float* right = b.data_ptr<float>();
    float* sums = out.data_ptr<float>();
    const bool shared = a.size(0) == 1;
    const auto tiles = (columns + kTileColumns - 1) / kTileColumns;
    // Waking another thread takes longer than a small product.
    const auto together =
        std::max<std::int64_t>(1, kTermsForAThread / std::max<std::int64_t>(1, rows * terms * kTileColumns));
    at::parallel_for(0, batch * tiles, together, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
            const auto matrix = i / tiles, column = i % tiles * kTileColumns;
            const auto wide = std::min(kTileColumns, columns - column);
            const auto add = wide == kTileColumns ? add_tile<kTileColumns> : add_tile<0>;
            for (std::int64_t row = 0; row < rows; row += kTileRows) {
                add(left + ((shared ? 0 : matrix * rows) + row) * terms,
                    right + matrix * terms * columns + column, sums + (matrix * rows + row) * columns + column,
                    std::min(kTileRows, rows - row), terms, wide, columns);
            }
        }
    });
    return out;
}

// Of some images: n x outputs x places.
at::Tensor convolved(const Convolution& convolution, const at::Tensor& images) {
    const auto& weight = convolution.weight;
    const auto groups = convolution.groups;
    const auto columns = at::im2col(images, weight.sizes().slice(2), convolution.dilation, convolution.padding,
                                    convolution.stride);  // n x channels * kernel x places
    const auto outputs = weight.size(0) / groups, terms = columns.size(1) / groups;
    std::vector<at::Tensor> parts;
    for (std::int64_t group = 0; group < groups; ++group) {
        parts.push_back(product_of(weight.narrow(0, group * outputs, outputs).reshape({1, outputs, terms}),
                                   columns.narrow(1, group * terms, terms)));
    }
    return at::cat(parts, 1);
}

at::Tensor convolved(const Convolution& convolution) {
    const auto& [x, weight, bias, stride, padding, dilation, groups, one_dimension] = convolution;
    const auto kernel = weight.sizes().slice(2);
    const auto extent = [&](std::size_t i) {
        const auto at = static_cast<std::int64_t>(i) + 2;
        return (x.size(at) + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
    };
    const auto unfolded = x.size(1) * kernel[0] * kernel[1] * extent(0) * extent(1);
    const auto step = std::max<std::int64_t>(1, kColumnsAtOnce / std::max<std::int64_t>(1, unfolded));
    std::vector<at::Tensor> parts;
    for (std::int64_t image = 0; image < x.size(0); image += step)
        parts.push_back(convolved(convolution, x.narrow(0, image, std::min(step, x.size(0) - image))));
    auto out = at::cat(parts);
    if (bias.defined()) out = out + bias.reshape({-1, 1});
    out = out.reshape({x.size(0), weight.size(0), extent(0), extent(1)});
    return one_dimension ? out.squeeze(2) : out;
}

at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b) {
    const auto batch = at::infer_size(a.sizes().slice(0, a.dim() - 2), b.sizes().slice(0, b.dim() - 2));
    const auto expanded = [&](const at::Tensor& matrices) {
        auto sizes = batch;
        sizes.insert(sizes.end(), matrices.sizes().end() - 2, matrices.sizes().end());
        return matrices.expand(sizes).reshape({-1, matrices.size(-2), matrices.size(-1)});
    };
    auto sizes = batch;
    sizes.insert(sizes.end(), {a.size(-2), b.size(-1)});
    return product_of(expanded(a), expanded(b)).reshape(sizes);
}

}  // namespace

std::optional<Factors> factors_of(const c10::FunctionSchema& schema, Arguments arguments) {
    const auto& name = schema.name();
    std::optional<Factors> factors;
    if (is_convolution(name)) {
        const bool transposed = name.ends_with("convolution") && arguments[6].toBool();
        const auto groups = arguments[name.ends_with("convolution") ? 8 : 6].toInt();
        factors = Factors{0, 1, 1, transposed ? 0 : 1, groups == 1};
    } else if (name == "aten::linear") {
        factors = Factors{0, 1, -1, -1};
    } else if (name == "aten::addmm" || name == "aten::baddbmm") {
        factors = Factors{1, 2, -1, -2};
    } else if (name == "aten::mm" || name == "aten::bmm" || name == "aten::matmul") {
        factors = Factors{0, 1, -1, -2};
    }
    if (!factors || !is_float(arguments[factors->first]) || !is_float(arguments[factors->second]))
        return std::nullopt;
    const auto dims = [&](std::size_t argument) { return arguments[argument].toTensor().dim(); };
    if (factors->first_dim < 0) factors->first_dim += dims(factors->first);
    if (factors->second_dim < 0)
        factors->second_dim = std::max<std::int64_t>(0, factors->second_dim + dims(factors->second));
    return factors;
}

std::optional<Convolution> convolution_of(const c10::FunctionSchema& schema, Arguments arguments) {
    const auto& name = schema.name();
    if (!is_convolution(name) || schema.overload_name() == "padding" || !factors_of(schema, arguments))
        return std::nullopt;
    const bool general = name.ends_with("convolution");
    if (general && arguments[6].toBool()) return std::nullopt;
    Convolution found{.x = arguments[0].toTensor(),
                      .weight = arguments[1].toTensor(),
                      .bias = arguments[2].isTensor() ? arguments[2].toTensor() : at::Tensor(),
                      .stride = numbers(arguments[3]),
                      .padding = numbers(arguments[4]),
                      .dilation = numbers(arguments[5]),
                      .groups = arguments[general ? 8 : 6].toInt()};
    const auto dimensions = found.weight.dim() - 2;
    if ((dimensions != 1 && dimensions != 2) || found.x.dim() != found.weight.dim()) return std::nullopt;
    // One number may stand for both.
    for (auto* list : {&found.stride, &found.padding, &found.dilation})
        if (list->size() == 1) list->resize(static_cast<std::size_t>(dimensions), list->front());
    if (dimensions == 2) return found;
    found.one_dimension = true;
    found.x = found.x.unsqueeze(2);
    found.weight = found.weight.unsqueeze(2);
    found.stride.insert(found.stride.begin(), 1);
    found.padding.insert(found.padding.begin(), 0);
    found.dilation.insert(found.dilation.begin(), 1);
    return found;
}

at::Tensor one_term_at_a_time(const c10::FunctionSchema& schema, Arguments arguments) {
    if (const auto convolution = convolution_of(schema, arguments)) return convolved(*convolution);
    const auto factors = factors_of(schema, arguments);
    if (!factors || is_convolution(schema.name())) return {};
    const auto a = arguments[factors->first].toTensor(), b = arguments[factors->second].toTensor();
    if (a.dim() < 2 || b.dim() < 2 || !a.is_cpu()) return {};
    if (schema.name() == "aten::linear") {
        const auto out = product_of(a.reshape({1, -1, a.size(-1)}), b.t().unsqueeze(0));
        auto sizes = a.sizes().vec();
        sizes.back() = b.size(0);
        const auto shaped = out.reshape(sizes);
        return arguments[2].isTensor() ? shaped + arguments[2].toTensor() : shaped;
    }
    const auto product = matrix_product(a, b);
    if (factors->first == 0) return product;
    // addmm: beta * added + alpha * product
    return at::add(at::mul(arguments[0].toTensor(), arguments[3].toScalar()), product, arguments[4].toScalar());
}

}  // namespace modelseal::libtorch
