// Convolutions whose kernels sample the input at places that another tensor moves.
#include <cmath>

#include "torch/onnx/ops/shared.h"

namespace modelseal::libtorch::onnx {

namespace {

// Where each place of each kernel lies along one dimension: position of the output times stride, plus that in
// the kernel times dilation, minus padding. As kernel x output.
at::Tensor places_along(const Window& window, std::size_t i, std::int64_t outputs, const at::Tensor& like) {
    const auto options = like.options();
    const auto kernel = at::arange(window.kernel[i], options) * window.dilations[i];
    const auto output = at::arange(outputs, options) * window.strides[i] - window.begin[i];
    return kernel.unsqueeze(1) + output.unsqueeze(0);
}

// `x`: batch x groups x channels x height x width; `rows`, `columns`: batch x groups x places. Linear between
// elements, 0 outside. The gradient passes to `x` and to the places.
at::Tensor sampled(const at::Tensor& x, const at::Tensor& rows, const at::Tensor& columns) {
    const auto height = x.size(3), width = x.size(4);
    const auto flat = x.flatten(3);
    auto result = at::Tensor();
    const auto top = at::floor(rows.detach()), left = at::floor(columns.detach());
    for (const int down : {0, 1}) {
        for (const int right : {0, 1}) {
            const auto row = top + down, column = left + right;
            const auto inside = (row >= 0) & (row <= height - 1) & (column >= 0) & (column <= width - 1);
            const auto index = (at::nan_to_num(row).clamp(0, static_cast<double>(height - 1)) * width +
                                at::nan_to_num(column).clamp(0, static_cast<double>(width - 1)))
                                   .to(at::kLong);
            const auto weight = (1 - (rows - row).abs()) * (1 - (columns - column).abs());
            const auto kept = at::where(inside, weight, at::zeros({}, weight.options())).unsqueeze(2);
            const auto each = index.unsqueeze(2).expand({x.size(0), x.size(1), x.size(2), index.size(2)});
            const auto part = flat.gather(3, each) * kept;
            result = result.defined() ? result + part : part;
        }
    }
    return result;
}

void deformable_conv(Call& call) {
    const auto x = call.in(0), weight = call.in(1), offset = call.in(2);
    if (x.dim() != 4) unsupported("a deformable convolution over other than 2 dimensions");
    require(weight.dim() == 4 && offset.dim() == 4, "shapes of the weight and the offset");
    const auto window = window_of(call, x.sizes(), weight.sizes().slice(2).vec());
    const auto size = places(window, x.sizes(), false);
    const auto kernel = window.kernel[0] * window.kernel[1], outputs = size[0] * size[1];
    const auto groups = call.integer("group", 1), moved = call.integer("offset_group", 1);
    const auto batch = x.size(0), channels = x.size(1), filters = weight.size(0);
    require(groups > 0 && channels == weight.size(1) * groups && filters % groups == 0, "group");
    require(moved > 0 && channels % moved == 0, "offset_group");
    require(weight.size(2) == window.kernel[0] && weight.size(3) == window.kernel[1], "kernel_shape");
    require(offset.sizes() == at::IntArrayRef({batch, moved * kernel * 2, size[0], size[1]}),
            "the shape of the offset");
    require(x.size(2) > 0 && x.size(3) > 0, "an empty input");
    call.check_size({batch, channels, kernel, outputs});

    // batch x groups x kernel rows x kernel columns x (row, column) x output rows x output columns
    const auto by = offset.reshape({batch, moved, window.kernel[0], window.kernel[1], 2, size[0], size[1]});
    const auto rows =
        by.select(4, 0) + places_along(window, 0, size[0], offset).reshape({window.kernel[0], 1, size[0], 1});
    const auto columns =
        by.select(4, 1) + places_along(window, 1, size[1], offset).reshape({1, window.kernel[1], 1, size[1]});
    auto samples = sampled(x.reshape({batch, moved, channels / moved, x.size(2), x.size(3)}), rows.flatten(2),
                           columns.flatten(2));
    if (call.has(4)) {
        const auto mask = call.in(4);
        require(mask.numel() == batch * moved * kernel * outputs, "the shape of the mask");
        samples = samples * mask.reshape({batch, moved, 1, kernel * outputs});
    }
    const auto by_group = samples.reshape({batch, groups, channels / groups * kernel, outputs});
    const auto flat_weight = weight.reshape({1, groups, filters / groups, channels / groups * kernel});
    auto y = at::matmul(flat_weight, by_group).reshape({batch, filters, size[0], size[1]});
    if (call.has(3)) y = y + call.in(3).reshape({-1, 1, 1});
    call.give_like(y);
}

constexpr Operator kDeformableOperators[] = {
    {"", "DeformConv", deformable_conv},
};

}  // namespace

std::span<const Operator> deformable_operators() {
    return kDeformableOperators;
}

}  // namespace modelseal::libtorch::onnx
