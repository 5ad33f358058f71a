// Reading and writing elements at computed places.
#include <algorithm>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

// Indices of a dimension of `size`, from its end if negative. A GPU does not report a wrong index but fails
// for good, so each is compared with the size here.
at::Tensor checked_index(const at::Tensor& index, std::int64_t size) {
    const auto wide = index.to(at::kLong);
    if (wide.numel() == 0) return wide;
    require(wide.min().item<std::int64_t>() >= -size && wide.max().item<std::int64_t>() < size,
            "an index is outside its dimension");
    return at::where(wide < 0, wide + size, wide);
}

void gather(Call& call) {
    const auto& data = call.value(0);
    if (data.kind == Value::Kind::text) {
        require(data.text_shape.size() == 1, "text of one dimension is supported");
        const auto index = checked_index(call.in(1), data.text_shape[0]);
        std::vector<std::string> texts;
        for (std::int64_t i = 0; i < index.numel(); ++i) {
            texts.push_back(
                data.text.at(static_cast<std::size_t>(index.reshape({-1})[i].item<std::int64_t>())));
        }
        return call.give(Value::texts(std::move(texts), index.sizes().vec()));
    }
    const auto x = call.in(0);
    require(x.dim() >= 1, "the input is a scalar");
    const auto axis = axis_of(call.integer("axis", 0), x.dim());
    const auto index = checked_index(call.in(1), x.size(axis));
    if (index.dim() == 0 && index.device().is_cpu())
        return call.give_like(x.select(axis, index.item<std::int64_t>()));
    auto shape = x.sizes().slice(0, static_cast<std::size_t>(axis)).vec();
    shape.insert(shape.end(), index.sizes().begin(), index.sizes().end());
    const auto back = x.sizes().slice(static_cast<std::size_t>(axis) + 1);
    shape.insert(shape.end(), back.begin(), back.end());
    call.check_size(shape);
    call.give_like(x.index_select(axis, index.reshape({-1})).reshape(shape));
}

void gather_elements(Call& call) {
    const auto x = call.in(0);
    require(x.dim() >= 1, "the input is a scalar");
    const auto axis = axis_of(call.integer("axis", 0), x.dim());
    call.give_like(at::gather(x, axis, checked_index(call.in(1), x.size(axis))));
}

// The last dimension of `index` as one number that counts the first dimensions of `sizes`.
at::Tensor flat_index(const at::Tensor& index, at::IntArrayRef sizes) {
    auto flat = at::zeros(index.sizes().slice(0, static_cast<std::size_t>(index.dim() - 1)),
                          index.options().dtype(at::kLong));
    for (std::int64_t i = 0; i < index.size(-1); ++i) {
        const auto size = sizes[static_cast<std::size_t>(i)];
        flat = flat * size + checked_index(index.select(-1, i), size);
    }
    return flat;
}

std::int64_t product(at::IntArrayRef sizes) {
    std::int64_t all = 1;
    for (const auto size : sizes) all *= size;
    return all;
}

void gather_nd(Call& call) {
    const auto x = call.in(0);
    const auto index = call.in(1);
    const auto batch = call.integer("batch_dims", 0);
    require(index.dim() >= 1 && batch >= 0 && batch < index.dim() && batch <= x.dim(), "batch_dims");
    const auto depth = index.size(-1);
    require(depth >= 0 && batch + depth <= x.dim(),
            "the indices have more entries than the input has dimensions");
    const auto b = static_cast<std::size_t>(batch), d = static_cast<std::size_t>(depth);
    const auto inner = x.sizes().slice(b, d);
    const auto rest = x.sizes().slice(b + d);
    auto flat = flat_index(index, inner);
    // Batches count, too.
    const auto batches = product(x.sizes().slice(0, b));
    require(batches == product(index.sizes().slice(0, b)), "input and indices have different batches");
    flat = flat.reshape({batches, -1}) + (at::arange(batches, flat.options()) * product(inner)).unsqueeze(1);
    auto shape = index.sizes().slice(0, static_cast<std::size_t>(index.dim() - 1)).vec();
    shape.insert(shape.end(), rest.begin(), rest.end());
    call.check_size(shape);
    call.give_like(x.reshape({batches * product(inner), product(rest)})
                       .index_select(0, flat.reshape({-1}))
                       .reshape(shape));
}

at::Tensor combined(const at::Tensor& a, const at::Tensor& b, const std::string& reduction) {
    if (reduction == "mul") return a * b;
    if (reduction == "max") return at::maximum(a, b);
    if (reduction == "min") return at::minimum(a, b);
    unsupported("reduction " + reduction);
}

// Scatters along dimension `axis`; later writes to one place win, or are combined. (at::scatter_reduce would
// do, but writes a warning to the standard error stream.) Updates of one place along the axis go to different
// ones.
at::Tensor scattered(const at::Tensor& x, std::int64_t axis, const at::Tensor& index, const at::Tensor& updates,
                     const std::string& reduction) {
    if (reduction == "none") return x.scatter(axis, index, updates);
    if (reduction == "add") return x.scatter_add(axis, index, updates);
    auto result = x;
    for (std::int64_t i = 0; i < index.size(axis); ++i) {
        const auto at_place = index.narrow(axis, i, 1);
        const auto held = at::gather(result, axis, at_place);
        result = result.scatter(axis, at_place, combined(held, updates.narrow(axis, i, 1), reduction));
    }
    return result;
}

void scatter_elements(Call& call) {
    const auto x = call.in(0);
    require(x.dim() >= 1, "the input is a scalar");
    const auto axis = axis_of(call.integer("axis", 0), x.dim());
    const auto index = checked_index(call.in(1), x.size(axis));
    call.give_like(scattered(x, axis, index, call.in(2), call.text("reduction", "none")));
}

void scatter_nd(Call& call) {
    const auto x = call.in(0);
    const auto index = call.in(1);
    require(index.dim() >= 1 && index.size(-1) <= x.dim(),
            "the indices have more entries than the input has dimensions");
    const auto depth = static_cast<std::size_t>(index.size(-1));
    const auto cells = product(x.sizes().slice(0, depth)), size = product(x.sizes().slice(depth));
    const auto flat = flat_index(index, x.sizes().slice(0, depth)).reshape({-1, 1});
    const auto result = scattered(x.reshape({cells, size}), 0, flat.expand({flat.size(0), size}),
                                  call.in(2).reshape({flat.size(0), size}), call.text("reduction", "none"));
    call.give_like(result.reshape(x.sizes()));
}

void compress(Call& call) {
    auto x = call.in(0);
    const bool whole = !call.given("axis");
    if (whole) x = x.reshape({-1});
    const auto axis = whole ? 0 : axis_of(call.integer("axis", 0), x.dim());
    const auto chosen = at::nonzero(call.in(1)).reshape({-1});
    call.give_like(x.index_select(axis, checked_index(chosen, x.size(axis))));
}

void one_hot(Call& call) {
    const auto depth = static_cast<std::int64_t>(call.real_in(1));
    require(depth >= 0 && depth < (std::int64_t{1} << 40), "depth");
    auto index = call.in(0).to(at::kLong);
    index = at::where(index < 0, index + depth, index);
    const auto values = call.in(2);
    require(values.numel() == 2, "values is not a pair");
    const auto axis = axis_of(call.integer("axis", -1), index.dim() + 1);
    auto shape = index.sizes().vec();
    shape.insert(shape.begin() + axis, depth);
    call.check_size(shape);
    Ints along(shape.size(), 1);
    along[static_cast<std::size_t>(axis)] = depth;
    const auto hot = index.unsqueeze(axis) == at::arange(depth, index.options()).reshape(along);
    call.give(at::where(hot, values[1], values[0]), call.type(2));
}

void top_k(Call& call) {
    const auto x = call.in(0);
    const auto axis = axis_of(call.integer("axis", -1), x.dim());
    const auto k = call.opset() < 10 ? call.integer("k", -1) : call.integer_in(1);
    require(k >= 0 && k <= x.size(axis), "k is larger than the dimension");
    // Stable: of equal values the first comes first.
    const auto [values, places] = at::sort(x, true, axis, call.integer("largest", 1) != 0);
    call.give_like(values.narrow(axis, 0, k));
    call.give(places.narrow(axis, 0, k));
}

// Sorted, or in order of first appearance.
void unique(Call& call) {
    auto x = call.in(0);
    const bool whole = !call.given("axis");
    if (whole) x = x.reshape({-1});
    const auto axis = whole ? 0 : axis_of(call.integer("axis", 0), x.dim());
    auto [values, inverse, counts] = at::unique_dim(x, axis, true, true, true);
    inverse = inverse.reshape({-1});
    // In a stable sort by value, the first of each value is at the start of its run.
    const auto by_value = std::get<1>(at::sort(inverse, true, 0, false));
    auto first = by_value.index_select(0, at::cumsum(counts, 0) - counts);
    if (call.integer("sorted", 1) == 0) {
        const auto order = at::argsort(first);
        values = values.index_select(axis, order);
        counts = counts.index_select(0, order);
        first = first.index_select(0, order);
        const auto rank = at::empty_like(order).scatter(0, order, at::arange(order.numel(), order.options()));
        inverse = rank.index_select(0, inverse.reshape({-1}));
    }
    call.give_like(values);
    call.give(first);
    call.give(inverse.reshape({-1}));
    call.give(counts);
}

void reverse_sequence(Call& call) {
    const auto x = call.in(0);
    const auto lengths = call.list(1);
    const auto batch = axis_of(call.integer("batch_axis", 1), x.dim());
    const auto time = axis_of(call.integer("time_axis", 0), x.dim());
    require(batch != time && lengths.size() == static_cast<std::size_t>(x.size(batch)), "sequence_lens");
    std::vector<at::Tensor> rows;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        require(lengths[i] >= 0 && lengths[i] <= x.size(time), "a length exceeds its dimension");
        const auto row = x.narrow(batch, static_cast<std::int64_t>(i), 1);
        rows.push_back(at::cat({row.narrow(time, 0, lengths[i]).flip({time}),
                                row.narrow(time, lengths[i], x.size(time) - lengths[i])},
                               time));
    }
    call.give_like(rows.empty() ? x : at::cat(rows, batch));
}

// Writes a piece of a sequence into a cache of keys or values (opset 24).
void tensor_scatter(Call& call) {
    const auto cache = call.in(0);
    const auto update = call.in(1);
    const auto axis = axis_of(call.integer("axis", -2), cache.dim());
    require(axis > 0 && update.dim() == cache.dim(), "axis");
    const auto starts = call.has(2) ? call.list(2) : Ints(static_cast<std::size_t>(cache.size(0)), 0);
    require(starts.size() == static_cast<std::size_t>(cache.size(0)), "write_indices");
    const bool circular = call.text("mode", "linear") == "circular";
    auto result = cache;
    std::vector<at::Tensor> rows;
    for (std::size_t i = 0; i < starts.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i);
        auto places = at::arange(update.size(axis), at::TensorOptions(at::kLong)) + starts[i];
        if (circular) places = at::remainder(places, cache.size(axis));
        places = checked_index(places, cache.size(axis)).to(cache.device());
        rows.push_back(cache[row].index_copy(axis - 1, places, update[row]));
    }
    call.give_like(rows.empty() ? cache : at::stack(rows));
}

constexpr Operator kIndexingOperators[] = {
    {"", "Gather", gather},
    {"", "GatherElements", gather_elements},
    {"", "GatherND", gather_nd},
    {"", "Scatter", scatter_elements},
    {"", "ScatterElements", scatter_elements},
    {"", "ScatterND", scatter_nd},
    {"", "Compress", compress},
    {"", "NonZero", [](Call& call) { call.give(at::nonzero(call.in(0)).t().contiguous()); }},
    {"", "OneHot", one_hot},
    {"", "TopK", top_k},
    {"", "Unique", unique},
    {"", "ReverseSequence", reverse_sequence},
    {"", "TensorScatter", tensor_scatter},
};

}  // namespace

std::span<const Operator> indexing_operators() {
    return kIndexingOperators;
}

}  // namespace modelseal::libtorch::onnx
