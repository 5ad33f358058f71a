// Shapes: operators that rearrange elements without computing with them.
#include <algorithm>
#include <numeric>

#include "formats/onnx/schema.h"
#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

void shape(Call& call) {
    const auto& input = call.value(0);
    const auto all = input.kind == Value::Kind::text ? Ints(input.text_shape) : call.in(0).sizes().vec();
    const auto rank = static_cast<std::int64_t>(all.size());
    const auto bound = [&](std::int64_t at) {
        return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
    };
    const auto start = bound(call.integer("start", 0));
    const auto end = std::max(start, bound(call.integer("end", rank)));
    call.give(at::tensor(
        at::IntArrayRef(all).slice(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)),
        at::TensorOptions(at::kLong)));
}

void reshape(Call& call) {
    const auto x = call.in(0);
    auto target = call.opset() < 5 ? call.integers("shape") : call.list(1);
    if (call.integer("allowzero", 0) == 0) {
        for (std::size_t i = 0; i < target.size(); ++i) {
            if (target[i] != 0) continue;
            require(i < static_cast<std::size_t>(x.dim()), "a 0 in the shape has no dimension to copy");
            target[i] = x.size(static_cast<std::int64_t>(i));
        }
    }
    call.give_like(x.reshape(target));
}

void flatten(Call& call) {
    const auto x = call.in(0);
    auto axis = call.integer("axis", 1);
    if (axis < 0) axis += x.dim();
    require(axis >= 0 && axis <= x.dim(), "axis");
    const auto front = x.sizes().slice(0, static_cast<std::size_t>(axis));
    const auto rows = std::accumulate(front.begin(), front.end(), std::int64_t{1}, std::multiplies<>());
    const auto back = x.sizes().slice(static_cast<std::size_t>(axis));
    const auto columns = std::accumulate(back.begin(), back.end(), std::int64_t{1}, std::multiplies<>());
    call.give_like(x.reshape({rows, columns}));
}

void squeeze(Call& call) {
    auto x = call.in(0);
    const auto axes = call.numbers("axes", 1, 12);
    if (!axes) return call.give_like(x.squeeze());
    Ints sorted;
    for (const auto axis : *axes) sorted.push_back(axis_of(axis, x.dim()));
    std::ranges::sort(sorted, std::greater<>());
    for (const auto axis : sorted) {
        require(x.size(axis) == 1, "a squeezed dimension is not 1");
        x = x.squeeze(axis);
    }
    call.give_like(x);
}

void unsqueeze(Call& call) {
    auto x = call.in(0);
    const auto axes = call.numbers("axes", 1, 12);
    require(axes.has_value(), "axes are missing");
    const auto rank = x.dim() + static_cast<std::int64_t>(axes->size());
    require(rank <= 64, "too many dimensions");
    Ints sorted;
    for (const auto axis : *axes) sorted.push_back(axis_of(axis, rank));
    std::ranges::sort(sorted);
    for (const auto axis : sorted) x = x.unsqueeze(axis);
    call.give_like(x);
}

void transpose(Call& call) {
    const auto x = call.in(0);
    Ints reversed(static_cast<std::size_t>(x.dim()));
    std::iota(reversed.rbegin(), reversed.rend(), 0);
    call.give_like(x.permute(call.integers("perm", reversed)));
}

void concat(Call& call) {
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < call.inputs(); ++i) parts.push_back(call.in(i));
    require(!parts.empty(), "no inputs to join");
    const auto axis = axis_of(call.integer("axis", 1), parts.front().dim());
    call.give_like(at::cat(parts, axis));
}

void split(Call& call) {
    const auto x = call.in(0);
    const auto axis = axis_of(call.integer("axis", 0), x.dim());
    auto sizes = call.numbers("split", 1, 12);
    if (!sizes) {
        const auto count = call.integer("num_outputs", static_cast<std::int64_t>(call.outputs()));
        require(count >= 1 && count <= static_cast<std::int64_t>(call.outputs()), "num_outputs");
        const auto each = (x.size(axis) + count - 1) / count;
        sizes = Ints(static_cast<std::size_t>(count), each);
        sizes->back() = x.size(axis) - each * (count - 1);
    }
    for (const auto& part : x.split_with_sizes(*sizes, axis)) call.give_like(part);
}

// One dimension; a negative step goes backwards.
at::Tensor sliced(const at::Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t end,
                  std::int64_t step) {
    require(step != 0, "a step is 0");
    const auto size = x.size(axis);
    const auto from_end = [&](std::int64_t at) {
        return at < 0 ? std::max<std::int64_t>(at, -size - 1) + size : at;
    };
    if (step > 0) {
        start = std::clamp<std::int64_t>(from_end(start), 0, size);
        end = std::clamp<std::int64_t>(from_end(end), start, size);
        return x.slice(axis, start, end, std::min(step, std::max<std::int64_t>(size, 1)));
    }
    if (size == 0) return x;
    start = std::clamp<std::int64_t>(from_end(start), -1, size - 1);
    end = std::clamp<std::int64_t>(from_end(end), -1, size - 1);
    // Seen from the end, the last is the first.
    const auto first = size - 1 - start, last = std::max(size - 1 - end, first);
    const auto stride = step < -size ? size : -step;
    return x.flip({axis}).slice(axis, first, last, stride);
}

void slice(Call& call) {
    auto x = call.in(0);
    const bool old = call.opset() < 10;
    const auto starts = old ? call.integers("starts") : call.list(1);
    const auto ends = old ? call.integers("ends") : call.list(2);
    Ints axes(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
    if (old) axes = call.integers("axes", axes);
    if (!old && call.has(3)) axes = call.list(3);
    const auto steps = !old && call.has(4) ? call.list(4) : Ints(starts.size(), 1);
    require(ends.size() == starts.size() && axes.size() == starts.size() && steps.size() == starts.size(),
            "starts, ends, axes and steps have different lengths");
    for (std::size_t i = 0; i < starts.size(); ++i) {
        x = sliced(x, axis_of(axes[i], x.dim()), starts[i], ends[i], steps[i]);
    }
    call.give_like(x);
}

// Where each element of a padded dimension comes from.
at::Tensor pad_index(std::int64_t size, std::int64_t before, std::int64_t after, const std::string& mode) {
    auto index = at::arange(-before, size + after, at::TensorOptions(at::kLong));
    if (mode == "edge") return index.clamp(0, size - 1);
    if (mode == "wrap") return at::remainder(index, size);
    if (mode != "reflect") unsupported("pad mode " + mode);
    const auto period = std::max<std::int64_t>(2 * (size - 1), 1);
    index = at::remainder(index, period);
    return at::minimum(index, period - index).clamp(0, size - 1);
}

void pad(Call& call) {
    auto x = call.in(0);
    const auto pads = call.opset() < 11 ? call.integers(call.opset() < 2 ? "paddings" : "pads") : call.list(1);
    const auto mode = call.text("mode", "constant");
    Ints axes(static_cast<std::size_t>(x.dim()));
    std::iota(axes.begin(), axes.end(), 0);
    if (call.has(3)) axes = call.list(3);
    require(pads.size() == 2 * axes.size(), "pads do not match the axes");
    auto sizes = x.sizes().vec();
    Ints before(sizes.size(), 0), after(sizes.size(), 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const auto axis = static_cast<std::size_t>(axis_of(axes[i], x.dim()));
        before[axis] = pads[i];
        after[axis] = pads[i + axes.size()];
        require(std::abs(pads[i]) < (std::int64_t{1} << 40) && std::abs(after[axis]) < (std::int64_t{1} << 40),
                "pads");
        sizes[axis] += before[axis] + after[axis];
    }
    call.check_size(sizes);
    if (mode == "constant") {
        double fill = call.opset() < 11 ? call.real("value", 0) : 0;
        if (call.opset() >= 11 && call.has(2)) fill = call.real_in(2);
        Ints reversed;
        for (auto i = sizes.size(); i-- > 0;) {
            reversed.push_back(before[i]);
            reversed.push_back(after[i]);
        }
        return call.give_like(at::constant_pad_nd(x, reversed, fill));
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (before[i] == 0 && after[i] == 0) continue;
        const auto axis = static_cast<std::int64_t>(i);
        require(x.size(axis) > 0, "an empty dimension cannot be repeated");
        x = x.index_select(axis, pad_index(x.size(axis), before[i], after[i], mode).to(x.device()));
    }
    call.give_like(x);
}

void expand(Call& call) {
    const auto x = call.in(0);
    const auto target = call.list(1);
    const auto shape = at::infer_size(x.sizes(), target);
    call.check_size(shape);
    call.give_like(x.expand(shape));
}

void tile(Call& call) {
    const auto x = call.in(0);
    auto repeats = call.list(1);
    if (call.opset() < 6) {  // a count and an axis
        Ints all(static_cast<std::size_t>(x.dim()), 1);
        all[static_cast<std::size_t>(axis_of(call.integer_in(2), x.dim()))] = call.integer_in(1);
        repeats = all;
    }
    require(repeats.size() == static_cast<std::size_t>(x.dim()), "repeats do not match the input");
    auto shape = x.sizes().vec();
    for (std::size_t i = 0; i < shape.size(); ++i) {
        require(repeats[i] >= 0 && repeats[i] < (std::int64_t{1} << 31), "repeats");
        shape[i] *= repeats[i];
    }
    call.check_size(shape);
    call.give_like(x.repeat(repeats));
}

void constant(Call& call) {
    if (call.given("value")) return call.give(call.constant("value"));
    if (call.given("value_float"))
        return call.give(at::scalar_tensor(call.real("value_float", 0), at::TensorOptions(at::kFloat)));
    if (call.given("value_floats")) return call.give(at::tensor(call.reals("value_floats")));
    if (call.given("value_int"))
        return call.give(at::scalar_tensor(call.integer("value_int", 0), at::TensorOptions(at::kLong)));
    if (call.given("value_ints")) {
        return call.give(at::tensor(call.integers("value_ints"), at::TensorOptions(at::kLong)));
    }
    if (call.given("value_string")) return call.give(Value::texts({call.text("value_string", "")}, {}));
    const auto texts = call.strings("value_strings");
    const auto count = static_cast<std::int64_t>(texts.size());
    call.give(Value::texts(texts, {count}));
}

void constant_of_shape(Call& call) {
    const auto shape = call.list(0);
    call.check_size(shape);
    if (!call.given("value")) return call.give(at::zeros(shape, at::TensorOptions(at::kFloat)));
    const auto& value = call.constant("value");
    require(value.kind == Value::Kind::tensor && value.tensor.numel() == 1, "value is not a single number");
    call.give(value.tensor.reshape({}).expand(shape).clone(), value.type);
}

DType type_attribute(const Call& call, const char* name, DType otherwise) {
    if (!call.given(name)) return otherwise;
    const auto type = formats::onnx::element_type(static_cast<std::uint64_t>(call.integer(name, 0)));
    if (!type || !type->dtype) unsupported("elements that are no numbers");
    return *type->dtype;
}

void eye_like(Call& call) {
    const auto x = call.in(0);
    require(x.dim() == 2, "the input is not a matrix");
    const auto type = type_attribute(call, "dtype", call.type(0));
    const auto k = call.integer("k", 0);
    require(std::abs(k) < (std::int64_t{1} << 40), "k");
    const auto rows = at::arange(x.size(0), at::TensorOptions(at::kLong)).unsqueeze(1);
    const auto columns = at::arange(x.size(1), at::TensorOptions(at::kLong)).unsqueeze(0);
    call.give((columns - rows == k).to(computed_in(type)).to(x.device()), type);
}

void range(Call& call) {
    const auto type = call.type(0);
    const auto options = at::TensorOptions(computed_in(type));
    if (is_real(type)) {
        const auto start = call.real_in(0), limit = call.real_in(1), step = call.real_in(2);
        const auto count = std::max(0.0, std::ceil((limit - start) / step));
        require(count >= 0 && count < 1e15, "start, limit and delta");
        call.check_size({static_cast<std::int64_t>(count)});
        return call.give(at::arange(static_cast<std::int64_t>(count), at::TensorOptions(at::kDouble))
                             .mul(step)
                             .add(start)
                             .to(options),
                         type);
    }
    const auto start = call.integer_in(0), limit = call.integer_in(1), step = call.integer_in(2);
    const auto bound = std::int64_t{1} << 62;
    require(step != 0 && std::abs(start / 2) < bound / 2 && std::abs(limit / 2) < bound / 2,
            "start, limit and delta");
    const auto span = step > 0 ? limit - start : start - limit;
    const auto stride = step > 0 ? step : -std::max(step, -bound);
    const auto count = span <= 0 ? 0 : (span - 1) / stride + 1;
    call.check_size({count});
    call.give((at::arange(count, at::TensorOptions(at::kLong)) * step + start).to(options), type);
}

void depth_to_space(Call& call) {
    const auto x = call.in(0);
    const auto b = call.integer("blocksize", 0);
    require(b > 0 && x.dim() == 4 && b < 65536 && x.size(1) % (b * b) == 0,
            "blocksize does not match the input");
    const auto n = x.size(0), c = x.size(1) / (b * b), h = x.size(2), w = x.size(3);
    const auto spread = call.text("mode", "DCR") == "CRD"
                            ? x.reshape({n, c, b, b, h, w}).permute({0, 1, 4, 2, 5, 3})
                            : x.reshape({n, b, b, c, h, w}).permute({0, 3, 4, 1, 5, 2});
    call.give_like(spread.reshape({n, c, h * b, w * b}));
}

void space_to_depth(Call& call) {
    const auto x = call.in(0);
    const auto b = call.integer("blocksize", 0);
    require(b > 0 && x.dim() == 4 && b < 65536 && x.size(2) % b == 0 && x.size(3) % b == 0,
            "blocksize does not match the input");
    const auto n = x.size(0), c = x.size(1), h = x.size(2) / b, w = x.size(3) / b;
    const auto order = call.text("mode", "DCR") == "CRD" ? Ints{0, 1, 3, 5, 2, 4} : Ints{0, 3, 5, 1, 2, 4};
    call.give_like(x.reshape({n, c, h, b, w, b}).permute(order).reshape({n, c * b * b, h, w}));
}

void triangle(Call& call) {
    const auto x = call.in(0);
    require(x.dim() >= 2, "the input is not a matrix");
    const auto reach = x.size(-1) + x.size(-2);
    const auto k = std::clamp<std::int64_t>(call.has(1) ? call.integer_in(1) : 0, -reach, reach);
    call.give_like(call.integer("upper", 1) != 0 ? at::triu(x, k) : at::tril(x, k));
}

void center_crop_pad(Call& call) {
    auto x = call.in(0);
    const auto target = call.list(1);
    Ints axes(static_cast<std::size_t>(x.dim()));
    std::iota(axes.begin(), axes.end(), 0);
    axes = call.integers("axes", axes);
    require(target.size() == axes.size(), "shape does not match the axes");
    auto shape = x.sizes().vec();
    for (std::size_t i = 0; i < axes.size(); ++i)
        shape[static_cast<std::size_t>(axis_of(axes[i], x.dim()))] = target[i];
    call.check_size(shape);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const auto axis = axis_of(axes[i], x.dim());
        const auto size = x.size(axis);
        if (target[i] < size) {
            x = x.narrow(axis, (size - target[i]) / 2, target[i]);
        } else {
            Ints pads(static_cast<std::size_t>(2 * (x.dim() - axis)), 0);
            pads[pads.size() - 2] = (target[i] - size) / 2;
            pads[pads.size() - 1] = target[i] - size - (target[i] - size) / 2;
            x = at::constant_pad_nd(x, pads, 0);
        }
    }
    call.give_like(x);
}

constexpr Operator kShapeOperators[] = {
    {"", "Shape", shape},
    {"", "Size",
     [](Call& call) { call.give(at::scalar_tensor(call.in(0).numel(), at::TensorOptions(at::kLong))); }},
    {"", "Reshape", reshape},
    {"", "Flatten", flatten},
    {"", "Squeeze", squeeze},
    {"", "Unsqueeze", unsqueeze},
    {"", "Transpose", transpose},
    {"", "Concat", concat},
    {"", "Split", split},
    {"", "Slice", slice},
    {"", "Pad", pad},
    {"", "Expand", expand},
    {"", "Tile", tile},
    {"", "Identity", [](Call& call) { call.give(call.value(0)); }},
    {"", "Constant", constant},
    {"", "ConstantOfShape", constant_of_shape},
    {"", "EyeLike", eye_like},
    {"", "Range", range},
    {"", "DepthToSpace", depth_to_space},
    {"", "SpaceToDepth", space_to_depth},
    {"", "Trilu", triangle},
    {"", "CenterCropPad", center_crop_pad},
};

}  // namespace

std::span<const Operator> shape_operators() {
    return kShapeOperators;
}

}  // namespace modelseal::libtorch::onnx
