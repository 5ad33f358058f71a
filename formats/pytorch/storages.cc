
#include "formats/pytorch/storages.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "util/checked.h"

namespace modelseal::formats::pytorch {
namespace {

bool row_major(const View& view) {
    std::uint64_t expected = 1;
    for (std::size_t i = view.shape.size(); i-- > 0;) {
        if (view.shape[i] != 1 && view.strides[i] != expected) return false;
        expected *= view.shape[i];  // cannot overflow: the elements were counted when the view was read
    }
    return true;
}

// Every byte of the storage, in order.
bool covers(const View& view, const Storage& storage) {
    std::uint64_t elements = 0, bytes = 0;
    if (!view.dtype || !util::element_count(view.shape, elements) ||
        !storage_bytes(*view.dtype, elements, bytes)) {
        return false;
    }
    if (bytes != storage.bytes) return false;
    return elements == 0 || (view.offset == 0 && row_major(view));
}

// The type that all views agree on.
DType common_dtype(const Storage& storage) {
    std::optional<DType> common = storage.dtype;
    for (const auto& view : storage.views) {
        if (!view.dtype) continue;
        if (common && *common != *view.dtype) return DType::opaque;
        common = view.dtype;
    }
    if (!common || storage.bytes % info(*common).group_bytes != 0) return DType::opaque;
    return *common;
}

// The view whose shape the tensor takes, or null.
const View* covering_view(const Storage& storage, DType dtype) {
    const View* found = nullptr;
    for (const auto& view : storage.views) {
        if (view.dtype != dtype || !covers(view, storage)) continue;
        if (found != nullptr && found->shape != view.shape) return nullptr;
        const bool smaller =
            found != nullptr && std::tie(view.rank, view.path) < std::tie(found->rank, found->path);
        if (found == nullptr || smaller) found = &view;
    }
    return found;
}

}  // namespace

Tensor tensor_of(const Storage& storage, std::uint64_t offset) {
    Tensor tensor{.dtype = common_dtype(storage)};
    const auto* view = covering_view(storage, tensor.dtype);
    if (view != nullptr) {
        tensor.shape = view->shape;
        util::element_count(tensor.shape, tensor.elements);
    } else {
        const auto& type = info(tensor.dtype);
        tensor.elements = storage.bytes / type.group_bytes * type.group_elements;
        tensor.shape = {tensor.elements};
        view = &*std::ranges::min_element(storage.views, {},
                                          [](const View& one) { return std::tie(one.rank, one.path); });
    }
    tensor.name = view->path;
    for (const auto& other : storage.views) {
        if (other.path != tensor.name) tensor.aliases.push_back(other.path);
    }
    std::ranges::sort(tensor.aliases);
    tensor.aliases.erase(std::unique(tensor.aliases.begin(), tensor.aliases.end()), tensor.aliases.end());
    tensor.segments = {{.offset = offset, .bytes = storage.bytes, .elements = tensor.elements}};
    return tensor;
}

void order_and_name(std::vector<Tensor>& tensors) {
    std::ranges::stable_sort(tensors, {}, [](const Tensor& tensor) {
        return std::pair(tensor.segments.front().offset, tensor.segments.front().bytes);
    });
    std::set<std::string> names;
    std::map<std::string, std::uint64_t> times;
    for (auto& tensor : tensors) {
        const auto plain = tensor.name;
        auto& count = times[plain];
        while (!names.insert(tensor.name).second) tensor.name = fmt::format("{}#{}", plain, ++count + 1);
    }
    for (auto& tensor : tensors) {
        std::erase_if(tensor.aliases, [&](const std::string& alias) { return !names.insert(alias).second; });
    }
}

}  // namespace modelseal::formats::pytorch
