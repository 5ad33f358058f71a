// Resize: each axis by itself, as a sum of a few weighted neighbors.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

struct Axis {
    std::int64_t axis = 0, in = 0, out = 0;
    double scale = 1;
    double start = 0, end = 1;  // of the region of interest
};

struct Rules {
    std::string coordinates, mode, nearest;
    double cubic = -0.75, outside_value = 0;
    bool exclude_outside = false, antialias = false;
};

// The position of output `place` in the input.
double origin(const Rules& rules, const Axis& a, double place) {
    const auto in = static_cast<double>(a.in);
    const auto wide = a.scale * in;  // the size before it was rounded
    const auto& mode = rules.coordinates;
    if (mode == "align_corners") return wide == 1 ? 0 : place * (in - 1) / (wide - 1);
    if (mode == "asymmetric") return place / a.scale;
    if (mode == "half_pixel") return (place + 0.5) / a.scale - 0.5;
    if (mode == "tf_half_pixel_for_nn") return (place + 0.5) / a.scale;
    if (mode == "pytorch_half_pixel") return wide == 1 ? -0.5 : (place + 0.5) / a.scale - 0.5;
    if (mode == "half_pixel_symmetric") {
        const auto adjustment = static_cast<double>(a.out) / wide;
        return in / 2 * (1 - adjustment) + (place + 0.5) / a.scale - 0.5;
    }
    if (mode != "tf_crop_and_resize") unsupported("coordinates " + mode);
    const auto step =
        wide == 1 ? (a.end - a.start) * (in - 1) / 2 : place * (a.end - a.start) * (in - 1) / (wide - 1);
    return step + a.start * (in - 1);
}

double nearest(const Rules& rules, double x) {
    if (rules.nearest == "floor") return std::floor(x);
    if (rules.nearest == "ceil") return std::ceil(x);
    if (rules.nearest == "round_prefer_ceil") return std::floor(x + 0.5);
    return std::ceil(x - 0.5);
}

double weight(const Rules& rules, double distance) {
    const auto x = std::abs(distance), a = rules.cubic;
    if (rules.mode == "linear") return std::max(0.0, 1 - x);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

// Neighbors of each output and their weights.
struct Taps {
    std::vector<std::vector<std::int64_t>> places;
    std::vector<std::vector<double>> weights;
    std::vector<bool> outside;
};

Taps taps_of(const Rules& rules, const Axis& a) {
    const bool smooth = rules.mode != "nearest";
    const auto shrink = rules.antialias && smooth ? std::min(a.scale, 1.0) : 1.0;
    const auto reach = rules.mode == "linear" ? 1.0 : 2.0;
    const auto first = smooth ? static_cast<std::int64_t>(std::floor(-reach / shrink)) + 1 : 0;
    const auto count = smooth ? 2 - 2 * first : 1;
    if (count > 65536) unsupported("a reduction by so much");
    Taps taps;
    taps.places.resize(static_cast<std::size_t>(count));
    taps.weights.resize(static_cast<std::size_t>(count));
    for (std::int64_t o = 0; o < a.out; ++o) {
        const auto x = origin(rules, a, static_cast<double>(o));
        taps.outside.push_back(rules.coordinates == "tf_crop_and_resize" &&
                               (x < 0 || x > static_cast<double>(a.in - 1)));
        const auto base = smooth ? std::floor(x) : nearest(rules, x);
        double sum = 0;
        for (std::int64_t k = 0; k < count; ++k) {
            const auto index = static_cast<std::size_t>(k);
            const auto place = std::clamp(base + static_cast<double>(first + k), -1e15, 1e15);
            const bool inside = place >= 0 && place < static_cast<double>(a.in);
            auto w = smooth ? weight(rules, (place - x) * shrink) : 1.0;
            if (rules.exclude_outside && !inside) w = 0;
            sum += w;
            taps.places[index].push_back(
                std::clamp<std::int64_t>(static_cast<std::int64_t>(place), 0, a.in - 1));
            taps.weights[index].push_back(w);
        }
        if (!rules.exclude_outside && shrink == 1) continue;
        for (auto& of : taps.weights) of.back() /= sum;
    }
    return taps;
}

at::Tensor resized(const Rules& rules, const at::Tensor& x, const Axis& a) {
    const auto taps = taps_of(rules, a);
    Ints along(static_cast<std::size_t>(x.dim()), 1);
    along[static_cast<std::size_t>(a.axis)] = a.out;
    at::Tensor result;
    for (std::size_t k = 0; k < taps.places.size(); ++k) {
        const auto index = at::tensor(taps.places[k], at::TensorOptions(at::kLong)).to(x.device());
        const auto picked = x.index_select(a.axis, index);
        if (rules.mode == "nearest") {
            result = picked;
            break;
        }
        const auto weights =
            at::tensor(taps.weights[k], at::TensorOptions(at::kDouble)).reshape(along).to(x.options());
        result = k == 0 ? picked * weights : result + picked * weights;
    }
    return result;
}

// Cells whose origin is outside on any axis.
at::Tensor with_outside(const Rules& rules, const at::Tensor& x, const std::vector<Axis>& axes) {
    auto result = x;
    for (const auto& a : axes) {
        const auto taps = taps_of(rules, a);
        auto mask = at::zeros({a.out}, at::TensorOptions(at::kBool));
        for (std::size_t i = 0; i < taps.outside.size(); ++i) mask.data_ptr<bool>()[i] = taps.outside[i];
        Ints along(static_cast<std::size_t>(x.dim()), 1);
        along[static_cast<std::size_t>(a.axis)] = a.out;
        result = result.masked_fill(mask.reshape(along).to(x.device()), rules.outside_value);
    }
    return result;
}

std::vector<double> reals_in(const Call& call, std::size_t input) {
    if (!call.has(input)) return {};
    const auto tensor = call.in(input).detach().to(at::kCPU, at::kDouble).contiguous();
    return {tensor.data_ptr<double>(), tensor.data_ptr<double>() + tensor.numel()};
}

void fit_sizes(const Call& call, const Ints& sizes, std::vector<Axis>& axes) {
    require(sizes.size() == axes.size(), "sizes do not match the axes");
    const auto policy = call.text("keep_aspect_ratio_policy", "stretch");
    std::vector<double> scales;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        require(sizes[i] > 0 && axes[i].in > 0, "a size is 0");
        scales.push_back(static_cast<double>(sizes[i]) / static_cast<double>(axes[i].in));
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
        axes[i].scale = scales[i];
        axes[i].out = sizes[i];
        if (policy == "stretch") continue;
        axes[i].scale = policy == "not_larger" ? std::ranges::min(scales) : std::ranges::max(scales);
        axes[i].out =
            static_cast<std::int64_t>(std::floor(axes[i].scale * static_cast<double>(axes[i].in) + 0.5));
    }
}

void fit_scales(const std::vector<double>& scales, std::vector<Axis>& axes) {
    require(scales.size() == axes.size(), "scales do not match the axes");
    for (std::size_t i = 0; i < axes.size(); ++i) {
        require(scales[i] > 0 && scales[i] < 1e6, "a scale");
        axes[i].scale = scales[i];
        axes[i].out = static_cast<std::int64_t>(std::floor(static_cast<double>(axes[i].in) * scales[i]));
    }
}

void apply(Call& call, const Rules& rules, std::vector<Axis> axes) {
    const auto given = call.in(0);
    const bool real = is_real(call.type(0));
    auto x = real || rules.mode == "nearest" ? given : given.to(at::kFloat);
    auto shape = x.sizes().vec();
    for (const auto& a : axes) {
        require(a.out >= 0 && a.in > 0, "an empty dimension");
        shape[static_cast<std::size_t>(a.axis)] = a.out;
    }
    call.check_size(shape);
    for (const auto& a : axes) {
        const bool same = a.in == a.out && a.scale == 1 && rules.coordinates != "tf_crop_and_resize";
        if (!same) x = resized(rules, x, a);
    }
    if (rules.coordinates == "tf_crop_and_resize") x = with_outside(rules, x, axes);
    call.give_like(real || rules.mode == "nearest" ? x : at::round(x).to(given.scalar_type()));
}

std::vector<Axis> axes_of(const Call& call) {
    const auto x = call.in(0);
    Ints all(static_cast<std::size_t>(x.dim()));
    std::iota(all.begin(), all.end(), 0);
    std::vector<Axis> axes;
    for (const auto axis : call.integers("axes", all)) {
        const auto own = axis_of(axis, x.dim());
        axes.push_back({own, x.size(own), x.size(own)});
    }
    return axes;
}

void resize(Call& call) {
    const bool first = call.opset() < 11;  // X, scales
    Rules rules{first ? "asymmetric" : call.text("coordinate_transformation_mode", "half_pixel"),
                call.text("mode", "nearest"), first ? "floor" : call.text("nearest_mode", "round_prefer_floor"),
                call.real("cubic_coeff_a", -0.75), call.real("extrapolation_value", 0)};
    rules.exclude_outside = call.integer("exclude_outside", 0) != 0;
    rules.antialias = call.integer("antialias", 0) != 0;
    auto axes = axes_of(call);
    if (!first && call.has(3) && call.in(3).numel() > 0) {
        fit_sizes(call, call.list(3), axes);
    } else {
        fit_scales(reals_in(call, first ? 1 : 2), axes);
    }
    const auto roi = first ? std::vector<double>() : reals_in(call, 1);
    if (rules.coordinates == "tf_crop_and_resize") {
        require(roi.size() == 2 * axes.size(), "roi does not match the axes");
        for (std::size_t i = 0; i < axes.size(); ++i) {
            axes[i].start = roi[i];
            axes[i].end = roi[i + axes.size()];
        }
    }
    apply(call, rules, std::move(axes));
}

void upsample(Call& call) {
    Rules rules{"asymmetric", call.text("mode", "nearest"), "floor"};
    if (rules.mode == "bilinear") rules.mode = "linear";
    auto scales = reals_in(call, 1);
    if (scales.empty()) {
        for (const auto scale : call.reals("scales")) scales.push_back(static_cast<double>(scale));
    }
    auto axes = axes_of(call);
    fit_scales(scales, axes);
    apply(call, rules, std::move(axes));
}

constexpr Operator kResizeOperators[] = {{"", "Resize", resize}, {"", "Upsample", upsample}};

}  // namespace

std::span<const Operator> resize_operators() {
    return kResizeOperators;
}

}  // namespace modelseal::libtorch::onnx
