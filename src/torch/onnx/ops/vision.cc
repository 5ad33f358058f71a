// Grids, regions of interest and boxes.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

enum class Padding : std::int64_t { zeros, border, reflection };  // numbered as LibTorch does

// Mirrored at `low` and `high` until they lie between the two.
at::Tensor reflected(const at::Tensor& places, double low, double high) {
    if (high <= low) return at::zeros_like(places);
    const auto outside = (low - places).clamp_min(0) + (places - high).clamp_min(0);
    const auto turns = at::floor(outside / (high - low));
    const auto rest = outside - turns * (high - low);
    const auto from_low = (places < low) == (at::remainder(turns, 2) == 0);
    return at::where(outside > 0, at::where(from_low, low + rest, high - rest), places);
}

// The nearest element to each place, of two that are as near the even one. Places are rounded before they are
// clamped or mirrored, in float32: where they lie between two elements, LibTorch has other answers (it mirrors
// before it rounds, and before version 2.1 its grids of 3 dimensions rounded away from 0).
at::Tensor nearest(const at::Tensor& x, const at::Tensor& grid, Padding padding, bool corners) {
    const auto rank = x.dim() - 2;
    auto index = at::zeros({}, grid.options().dtype(at::kLong));
    auto inside = at::ones({}, grid.options().dtype(at::kBool));
    for (std::int64_t i = 0; i < rank; ++i) {
        const auto size = x.size(2 + i);
        const auto last = static_cast<double>(size - 1);
        const auto from_start = grid.detach().select(-1, rank - 1 - i) + 1;
        auto place = at::round(corners ? from_start / 2 * last : (from_start * size - 1) / 2).to(at::kDouble);
        if (padding == Padding::zeros) inside = inside & (place >= 0) & (place <= last);
        if (padding == Padding::reflection)
            place = corners ? reflected(place, 0, last) : reflected(place, -0.5, last + 0.5);
        index = index * size + at::nan_to_num(place).clamp(0, last).to(at::kLong);
    }
    const auto shape = index.sizes().vec();  // batch, and the places of the output
    const auto each = index.flatten(1).unsqueeze(1).expand({x.size(0), x.size(1), -1});
    auto result_shape = shape;
    result_shape.insert(result_shape.begin() + 1, x.size(1));
    const auto result = x.flatten(2).gather(2, each).reshape(result_shape);
    return padding == Padding::zeros ? result * inside.unsqueeze(1).to(result.scalar_type()) : result;
}

void grid_sample(Call& call) {
    const auto x = call.in(0), grid = call.in(1).to(x.scalar_type());
    const auto mode = call.text("mode", call.opset() < 20 ? "bilinear" : "linear");
    const auto how = call.text("padding_mode", "zeros");
    const auto padding = how == "zeros"    ? Padding::zeros
                         : how == "border" ? Padding::border
                                           : Padding::reflection;
    const auto pad = static_cast<std::int64_t>(padding);
    const bool corners = call.integer("align_corners", 0) != 0;
    require(x.dim() == grid.dim(), "input and grid have different ranks");
    if (x.dim() != 4 && x.dim() != 5) unsupported("a grid of other than 2 or 3 dimensions");
    require(x.size(0) == grid.size(0) && grid.size(-1) == x.dim() - 2, "shapes of the input and the grid");
    auto shape = grid.sizes().vec();
    shape.back() = x.size(1);
    call.check_size(shape);
    if (mode == "nearest") {
        require(x.flatten(2).size(2) > 0, "an empty input");
        return call.give_like(nearest(x, grid, padding, corners));
    }
    const bool cubic = mode == "bicubic" || mode == "cubic";
    if (x.dim() == 4) return call.give_like(at::grid_sampler_2d(x, grid, cubic ? 2 : 0, pad, corners));
    if (cubic) unsupported("cubic interpolation in 3 dimensions");
    call.give_like(at::grid_sampler_3d(x, grid, 0, pad, corners));
}

void affine_grid(Call& call) {
    const auto size = call.list(1);
    require(size.size() == 4 || size.size() == 5, "a grid of 2 or 3 dimensions is supported");
    auto grid = size;
    grid[1] = static_cast<std::int64_t>(size.size()) - 2;
    call.check_size(grid);
    call.give_like(at::affine_grid_generator(call.in(0), size, call.integer("align_corners", 0) != 0));
}

// Linear interpolation along one dimension: two places and two weights for each sample.
struct Samples {
    at::Tensor low, high, low_weight, high_weight;
};

Samples samples_of(double start, double bin, std::int64_t bins, std::int64_t ratio, std::int64_t size,
                   const at::Tensor& like) {
    const auto options = at::TensorOptions(at::kDouble);
    const auto index = at::arange(bins * ratio, options);
    auto x = start + (at::div(index, static_cast<double>(ratio), "floor") +
                      (at::remainder(index, static_cast<double>(ratio)) + 0.5) / static_cast<double>(ratio)) *
                         bin;
    const auto inside = (x >= -1.0) & (x <= static_cast<double>(size));
    x = x.clamp(0, static_cast<double>(size - 1));
    const auto low = at::floor(x);
    const auto high = (low + 1).clamp_max(static_cast<double>(size - 1));
    const auto weight = at::where(low >= static_cast<double>(size - 1), at::zeros_like(x), x - low);
    const auto keep = inside.to(at::kDouble);
    return {low.to(at::kLong).to(like.device()), high.to(at::kLong).to(like.device()),
            ((1 - weight) * keep).to(like.options()), (weight * keep).to(like.options())};
}

void roi_align(Call& call) {
    const auto x = call.in(0);
    const auto rois = call.in(1).detach().to(at::kCPU, at::kDouble);
    const auto batch = call.list(2);
    require(x.dim() == 4 && rois.dim() == 2 && rois.size(1) == 4 &&
                batch.size() == static_cast<std::size_t>(rois.size(0)),
            "shapes of the input and the regions");
    const auto height = call.integer("output_height", 1), width = call.integer("output_width", 1);
    const auto ratio = call.integer("sampling_ratio", 0);
    require(height > 0 && width > 0 && height < 65536 && width < 65536 && ratio >= 0 && ratio < 65536,
            "output size");
    require(x.size(2) > 0 && x.size(3) > 0, "an empty input");
    const auto scale = call.real("spatial_scale", 1);
    const bool half =
        call.opset() >= 16 && call.text("coordinate_transformation_mode", "half_pixel") == "half_pixel";
    const bool average = call.text("mode", "avg") == "avg";
    call.check_size({rois.size(0), x.size(1), height, width});
    std::vector<at::Tensor> results;
    for (std::int64_t i = 0; i < rois.size(0); ++i) {
        const auto image = batch[static_cast<std::size_t>(i)];
        require(image >= 0 && image < x.size(0), "a region of an image that does not exist");
        const auto edge = [&](std::int64_t k) { return rois[i][k].item<double>() * scale - (half ? 0.5 : 0); };
        auto w = edge(2) - edge(0), h = edge(3) - edge(1);
        if (!half) {
            w = std::max(w, 1.0);
            h = std::max(h, 1.0);
        }
        require(std::isfinite(w) && std::isfinite(h) && std::abs(w) < 1e6 && std::abs(h) < 1e6, "a region");
        const auto bin_h = h / static_cast<double>(height), bin_w = w / static_cast<double>(width);
        const auto rows =
            std::max<std::int64_t>(1, ratio > 0 ? ratio : static_cast<std::int64_t>(std::ceil(bin_h)));
        const auto columns =
            std::max<std::int64_t>(1, ratio > 0 ? ratio : static_cast<std::int64_t>(std::ceil(bin_w)));
        call.check_size({x.size(1), height, rows, width, columns});
        const auto ys = samples_of(edge(1), bin_h, height, rows, x.size(2), x);
        const auto xs = samples_of(edge(0), bin_w, width, columns, x.size(3), x);
        const auto corner = [&](const at::Tensor& y_at, const at::Tensor& y_w, const at::Tensor& x_at,
                                const at::Tensor& x_w) {
            return x[image].index_select(1, y_at).index_select(2, x_at) * y_w.unsqueeze(1) * x_w;
        };
        const auto a = corner(ys.low, ys.low_weight, xs.low, xs.low_weight);
        const auto b = corner(ys.low, ys.low_weight, xs.high, xs.high_weight);
        const auto c = corner(ys.high, ys.high_weight, xs.low, xs.low_weight);
        const auto d = corner(ys.high, ys.high_weight, xs.high, xs.high_weight);
        // The largest is that of the weighted corners, as in the reference.
        const auto all = average ? a + b + c + d : at::maximum(at::maximum(a, b), at::maximum(c, d));
        const auto cells = all.reshape({x.size(1), height, rows, width, columns});
        results.push_back(average ? cells.mean({2, 4}) : cells.amax({2, 4}));
    }
    call.give_like(results.empty() ? at::empty({0, x.size(1), height, width}, x.options())
                                   : at::stack(results));
}

struct Box {
    double top, left, bottom, right;
    double area() const { return (bottom - top) * (right - left); }
};

Box box_at(const double* numbers, bool centre) {
    if (centre) {
        const auto x = numbers[0], y = numbers[1], w = numbers[2] / 2, h = numbers[3] / 2;
        return {y - h, x - w, y + h, x + w};
    }
    return {std::min(numbers[0], numbers[2]), std::min(numbers[1], numbers[3]),
            std::max(numbers[0], numbers[2]), std::max(numbers[1], numbers[3])};
}

double overlap(const Box& a, const Box& b) {
    const auto height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
    const auto width = std::min(a.right, b.right) - std::max(a.left, b.left);
    if (height <= 0 || width <= 0) return 0;
    return height * width / (a.area() + b.area() - height * width);
}

void non_max_suppression(Call& call) {
    const auto boxes = call.in(0).detach().to(at::kCPU, at::kDouble).contiguous();
    const auto scores = call.in(1).detach().to(at::kCPU, at::kDouble).contiguous();
    require(boxes.dim() == 3 && boxes.size(2) == 4 && scores.dim() == 3 && scores.size(2) == boxes.size(1) &&
                scores.size(0) == boxes.size(0),
            "shapes of boxes and scores");
    const auto most = call.has(2) ? call.integer_in(2) : 0;
    const auto threshold = call.has(3) ? call.real_in(3) : 0;
    const bool centre = call.integer("center_point_box", 0) != 0;
    const auto count = boxes.size(1);
    std::vector<std::int64_t> chosen;
    for (std::int64_t batch = 0; batch < scores.size(0); ++batch) {
        for (std::int64_t c = 0; c < scores.size(1); ++c) {
            const auto* row = scores.data_ptr<double>() + (batch * scores.size(1) + c) * count;
            const auto* corners = boxes.data_ptr<double>() + batch * count * 4;
            std::vector<std::int64_t> order;
            for (std::int64_t i = 0; i < count; ++i) {
                if (!call.has(4) || row[i] > call.real_in(4)) order.push_back(i);
            }
            std::ranges::stable_sort(order, [&](auto a, auto b) { return row[a] > row[b]; });
            std::vector<Box> kept;
            for (const auto i : order) {
                if (static_cast<std::int64_t>(kept.size()) >= most) break;
                const auto box = box_at(corners + i * 4, centre);
                if (std::ranges::any_of(kept,
                                        [&](const Box& other) { return overlap(box, other) > threshold; }))
                    continue;
                kept.push_back(box);
                chosen.insert(chosen.end(), {batch, c, i});
            }
        }
    }
    const auto rows = static_cast<std::int64_t>(chosen.size() / 3);
    call.give(at::tensor(chosen, at::TensorOptions(at::kLong)).reshape({rows, 3}));
}

constexpr Operator kVisionOperators[] = {
    {"", "GridSample", grid_sample},
    {"", "AffineGrid", affine_grid},
    {"", "RoiAlign", roi_align},
    {"", "NonMaxSuppression", non_max_suppression},
};

}  // namespace

std::span<const Operator> vision_operators() {
    return kVisionOperators;
}

}  // namespace modelseal::libtorch::onnx
