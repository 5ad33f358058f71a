#include "formats/onnx_layout.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "formats/reader.h"
#include "util/text.h"

namespace modelseal::formats::onnx {

Result<void> LayoutBuilder::count_tensor(std::uint64_t offset) {
    if (limits_.tensors != 0 && tensors_ >= limits_.tensors) {
        return malformed_at(source_, offset, fmt::format("more than {} tensors", limits_.tensors));
    }
    ++tensors_;
    return {};
}

Result<void> LayoutBuilder::count_piece(std::uint64_t offset) {
    if (limits_.tensors != 0 && pieces_ >= limits_.tensors) {
        return unsupported_at(source_, offset,
                              fmt::format("tensor data in more than {} pieces", limits_.tensors));
    }
    ++pieces_;
    return {};
}

std::uint32_t LayoutBuilder::reference(const std::string& location) {
    const auto next = static_cast<std::uint32_t>(layout_.references.size() + 1);
    const auto [found, fresh] = files_.emplace(location, next);
    if (fresh) layout_.references.push_back(location);
    return found->second;
}

void LayoutBuilder::warn_once(std::string text) {
    if (layout_.warnings.empty()) layout_.warnings.push_back(std::move(text));
}

Result<void> LayoutBuilder::add(Tensor tensor, Naming naming, std::uint64_t offset) {
    const auto bytes = tensor.name.size();
    if (limits_.name_bytes != 0 && bytes > limits_.name_bytes) {
        return malformed_at(
            source_, offset,
            fmt::format("a tensor's name of {} bytes is over the limit of {}", bytes, limits_.name_bytes));
    }
    // Paths repeat the names of nodes, so that the names together may be far larger than the file.
    if (limits_.metadata_bytes != 0 && bytes > limits_.metadata_bytes - name_bytes_) {
        return malformed_at(source_, offset,
                            fmt::format("tensor names of more than {} bytes", limits_.metadata_bytes));
    }
    name_bytes_ += bytes;
    layout_.tensors.push_back(std::move(tensor));
    naming_.push_back(naming);
    return {};
}

void LayoutBuilder::name_tensors() {
    std::map<std::string, std::uint64_t> uses;  // of each name that was asked for or given
    for (std::size_t i = 0; i < naming_.size(); ++i) {
        if (naming_[i] == Naming::own) uses.emplace(layout_.tensors[i].name, 1);
    }
    for (std::size_t i = 0; i < naming_.size(); ++i) {
        auto& name = layout_.tensors[i].name;
        if (naming_[i] == Naming::own || uses.emplace(name, 1).second) continue;
        auto& count = uses.find(name)->second;  // stays valid while the map grows
        std::string numbered;
        do {
            numbered = fmt::format("{}#{}", name, ++count);
        } while (!uses.emplace(numbered, 1).second);
        name = std::move(numbered);
    }
}

Result<void> LayoutBuilder::join_shared() {
    auto& tensors = layout_.tensors;
    std::vector<std::size_t> external;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (!tensors[i].segments.empty() && tensors[i].segments.front().file != 0) external.push_back(i);
    }
    const auto place = [&](std::size_t i) -> const Segment& { return tensors[i].segments.front(); };
    std::ranges::stable_sort(external, {},
                             [&](std::size_t i) { return std::pair(place(i).file, place(i).offset); });
    std::vector<bool> joined(tensors.size());
    for (std::size_t k = 1, before = 0; k < external.size(); ++k) {
        auto& first = tensors[external[before]];
        const auto& last = first.segments.front();
        auto& tensor = tensors[external[k]];
        const auto& here = tensor.segments.front();
        if (here.file != last.file || here.offset - last.offset >= last.bytes) {
            before = k;
        } else if (here.offset == last.offset && here.bytes == last.bytes && tensor.dtype == first.dtype) {
            first.aliases.push_back(std::move(tensor.name));
            joined[external[k]] = true;
        } else {
            return Error{ErrorKind::malformed,
                         fmt::format("{}: tensor '{}' overlaps tensor '{}' at offset {} of '{}'",
                                     source_.name(), util::printable(tensor.name), util::printable(first.name),
                                     here.offset, util::printable(layout_.references[here.file - 1])),
                         {}};
        }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (joined[i]) continue;
        if (kept != i) tensors[kept] = std::move(tensors[i]);
        ++kept;
    }
    tensors.resize(kept);
    return {};
}

Result<Layout> LayoutBuilder::finish(std::string_view format) && {
    name_tensors();
    MODELSEAL_TRY(join_shared());
    layout_.format = format;
    return std::move(layout_);
}

}  // namespace modelseal::formats::onnx
