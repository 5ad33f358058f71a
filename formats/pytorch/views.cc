// Storages and the tensors on them, as torch/_utils.py rebuilds them.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "formats/pytorch/collector.h"
#include "formats/pytorch/types.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::formats::pytorch {
namespace {

// The elements from a view's first to its last, both counted; false on overflow.
bool extent(const View& view, std::uint64_t& elements) {
    elements = 1;
    for (std::size_t i = 0; i < view.shape.size(); ++i) {
        std::uint64_t step = 0;
        if (view.shape[i] == 0) return elements = 0, true;
        if (!util::checked_mul(view.shape[i] - 1, view.strides[i], step) ||
            !util::checked_add(elements, step, elements)) {
            return false;
        }
    }
    return true;
}

bool stays_inside(const View& view, DType dtype, std::uint64_t bytes) {
    std::uint64_t elements = 0, needed = 0;
    if (!extent(view, elements)) return false;
    if (elements == 0) return true;
    return util::checked_add(view.offset, elements, elements) && storage_bytes(dtype, elements, needed) &&
           needed <= bytes;
}

}  // namespace

bool Collector::is_storage(PickleRef ref) const {
    if (!pickle_.is(ref, Kind::persistent)) return false;
    const auto id = pickle_.items(pickle_.id(ref));
    return !id.empty() && pickle_.is(id[0], Kind::text) && pickle_.text(id[0]) == "storage";
}

Result<std::uint64_t> Collector::number(PickleRef ref, std::string_view what) const {
    if (!pickle_.is(ref, Kind::integer) || pickle_.integer(ref) < 0) {
        return malformed(fmt::format("{} is not a whole number", what));
    }
    return static_cast<std::uint64_t>(pickle_.integer(ref));
}

Result<std::vector<std::uint64_t>> Collector::numbers(PickleRef ref, std::string_view what) const {
    if (pickle_.is(ref, Kind::object) && pickle_.text(pickle_.callable(ref)) == "torch.Size") {
        const auto arguments = pickle_.items(pickle_.arguments(ref));
        if (arguments.size() == 1) ref = arguments[0];
    }
    if (!pickle_.is(ref, Kind::tuple) && !pickle_.is(ref, Kind::list)) {
        return malformed(fmt::format("{} is not a tuple", what));
    }
    const auto items = pickle_.items(ref);
    if (limits_.rank != 0 && items.size() > limits_.rank) {
        return malformed(fmt::format("its rank of {} exceeds the limit of {}", items.size(), limits_.rank));
    }
    std::vector<std::uint64_t> values;
    for (const auto item : items) {
        MODELSEAL_TRY_ASSIGN(const auto value, number(item, what));
        values.push_back(value);
    }
    return values;
}

// ('storage', class, key, location, elements[, (view key, offset, elements)])
Result<Collector::Described> Collector::describe(PickleRef persistent) {
    const auto id = pickle_.items(pickle_.id(persistent));
    if (id.size() < 5 || !pickle_.is(id[1], Kind::global) || !pickle_.is(id[2], Kind::text)) {
        return malformed("a storage is not described by class, key, location and size");
    }
    const auto class_name = pickle_.text(id[1]);
    Described described{.dtype = storage_dtype(class_name)};
    if (!described.dtype && !is_untyped_storage(class_name)) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: {}: unknown storage class '{}'", source_.name(), part_.name,
                                 util::printable(class_name)),
                     {}};
    }
    const auto key = pickle_.text(id[2]);
    if (key.size() > limits_.name_bytes && limits_.name_bytes != 0)
        return malformed("the key of a storage is too long");
    MODELSEAL_TRY_ASSIGN(const auto elements, number(id[4], "the size of a storage"));
    const auto unit_bytes = described.dtype ? info(*described.dtype).group_bytes : 1;
    std::uint64_t bytes = 0;
    if (!util::checked_mul(elements, unit_bytes, bytes)) {
        return malformed(fmt::format("the size of storage '{}' exceeds 64 bits", util::printable(key)));
    }
    described.view_elements = elements;
    if (id.size() > 5 && pickle_.is(id[5], Kind::tuple)) {
        const auto view = pickle_.items(id[5]);
        if (view.size() != 3) return malformed("a part of a storage is not described by key, offset and size");
        MODELSEAL_TRY_ASSIGN(described.view_offset, number(view[1], "the offset of a storage"));
        MODELSEAL_TRY_ASSIGN(described.view_elements, number(view[2], "the size of a storage"));
    }
    const auto place = std::string(part_.folder) + std::string(key);
    auto found = storages_.find(place);
    if (found == storages_.end()) {
        if (limits_.tensors != 0 && storages_.size() >= limits_.tensors) {
            return malformed(fmt::format("more than {}", util::counted(limits_.tensors, "storage")));
        }
        found = storages_.emplace(place, Storage{described.dtype, bytes, unit_bytes, {}}).first;
    }
    described.storage = &found->second;
    if (described.storage->bytes != bytes) {
        return malformed(fmt::format("storage '{}' has {} here, but {} in another place", util::printable(key),
                                     util::counted(bytes, "byte"), described.storage->bytes));
    }
    if (described.storage->dtype != described.dtype) described.storage->dtype.reset();
    return described;
}

Result<void> Collector::add(Described described, View view) {
    if (!util::checked_add(view.offset, described.view_offset, view.offset))
        return malformed("its offset exceeds 64 bits");
    const auto dtype = view.dtype ? view.dtype : described.dtype;
    if (!stays_inside(view, dtype.value_or(DType::opaque), described.storage->bytes)) {
        return malformed(
            fmt::format("exceeds its storage of {}", util::counted(described.storage->bytes, "byte")));
    }
    if (limits_.tensors != 0 && ++views_ > limits_.tensors) {
        return malformed(fmt::format("more than {}", util::counted(limits_.tensors, "tensor")));
    }
    if (!path_.text(limits_.name_bytes, view.path)) {
        return malformed(fmt::format("a name has more than {}", util::counted(limits_.name_bytes, "byte")));
    }
    // A tensor that is all that was saved sits nowhere.
    if (view.path.empty()) view.path = "data";
    if (!util::is_utf8(view.path)) view.path = util::printable(view.path);
    path_bytes_ += sizeof(View) + view.path.size() + 2 * sizeof(std::uint64_t) * view.shape.size();
    if (limits_.metadata_bytes != 0 && path_bytes_ > limits_.metadata_bytes) {
        return malformed(
            fmt::format("the names of all tensors exceed {}", util::counted(limits_.metadata_bytes, "byte")));
    }
    view.rank = 2 * part_.rank + (beside_ != 0 ? 1 : 0);
    described.storage->views.push_back(std::move(view));
    return {};
}

// (storage, offset, size, stride, ...)
Result<void> Collector::visit_view(std::string_view callable, Refs arguments) {
    MODELSEAL_TRY_ASSIGN(const auto described, describe(arguments[0]));
    View view{.dtype = described.dtype};
    MODELSEAL_TRY_ASSIGN(view.offset, number(arguments[1], "the offset"));
    MODELSEAL_TRY_ASSIGN(view.shape, numbers(arguments[2], "the shape"));
    MODELSEAL_TRY_ASSIGN(view.strides, numbers(arguments[3], "the strides"));
    if (view.shape.size() != view.strides.size())
        return malformed("the number of strides is not the number of dimensions");
    std::uint64_t elements = 0;
    if (!util::element_count(view.shape, elements)) return malformed("the number of elements exceeds 64 bits");
    if (callable == "torch._utils._rebuild_tensor_v3" && arguments.size() >= 7) {
        view.dtype = tensor_dtype(pickle_.text(arguments[6]));
        if (!view.dtype) {
            return malformed(fmt::format("unknown type '{}'", util::printable(pickle_.text(arguments[6]))));
        }
    }
    MODELSEAL_TRY(add(described, std::move(view)));
    if (callable == "torch._utils._rebuild_qtensor" && arguments.size() >= 5) {
        MODELSEAL_TRY(visit_quantizer(arguments[4]));
        return visit_items(arguments, 5);
    }
    return visit_items(arguments, 4);
}

// (scheme, scale, zero point) or (scheme, scales, zero points, axis): the latter are tensors.
Result<void> Collector::visit_quantizer(PickleRef parameters) {
    constexpr std::array<std::string_view, 4> names = {"scheme", "scales", "zero_points", "axis"};
    const auto items = pickle_.items(parameters);
    for (std::size_t i = 0; i < items.size() && i < names.size(); ++i) {
        MODELSEAL_TRY(visit_at(names[i], items[i]));
    }
    return {};
}

// A storage that was saved as such, without a tensor around it: it has a name, but no shape to lend.
Result<void> Collector::visit_storage(PickleRef persistent) {
    MODELSEAL_TRY_ASSIGN(const auto described, describe(persistent));
    auto elements = described.view_elements;
    if (described.dtype && !util::checked_mul(elements, info(*described.dtype).group_elements, elements)) {
        return malformed("its size exceeds 64 bits");
    }
    return add(described, {.shape = {elements}, .strides = {1}});
}

}  // namespace modelseal::formats::pytorch
