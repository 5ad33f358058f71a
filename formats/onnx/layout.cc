#include "formats/onnx/layout.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "formats/onnx/tensor.h"
#include "formats/reader.h"
#include "formats/registry.h"
#include "util/text.h"

namespace modelseal::formats::onnx {

Result<void> LayoutBuilder::count_tensor(std::uint64_t offset) {
    if (limits_.tensors != 0 && tensors_ >= limits_.tensors) {
        return malformed_at(source_, offset,
                            fmt::format("more than {}", util::counted(limits_.tensors, "tensor")));
    }
    ++tensors_;
    return {};
}

Result<void> LayoutBuilder::count_piece(std::uint64_t offset) {
    if (limits_.tensors != 0 && pieces_ >= limits_.tensors) {
        return unsupported_at(
            source_, offset,
            fmt::format("tensor data are in more than {}", util::counted(limits_.tensors, "piece")));
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
        return malformed_at(source_, offset,
                            fmt::format("a tensor's name of {} exceeds the limit of {}",
                                        util::counted(bytes, "byte"), limits_.name_bytes));
    }
    // Paths repeat the names of nodes, so that the names together may be far larger than the file.
    if (limits_.metadata_bytes != 0 && bytes > limits_.metadata_bytes - name_bytes_) {
        return malformed_at(
            source_, offset,
            fmt::format("the names of all tensors exceed {}", util::counted(limits_.metadata_bytes, "byte")));
    }
    name_bytes_ += bytes;
    layout_.tensors.push_back(std::move(tensor));
    naming_.push_back(naming);
    return {};
}

void LayoutBuilder::name_tensors() {
    std::map<std::string, std::uint64_t> uses;  // of each name that was requested or assigned
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

// ONNX: a protobuf message ModelProto (https://onnx.ai/onnx/repo-docs/IR.html) with tensors as initializers
// and in attributes, or in other files as external data.
//
//   ModelProto  = ir_version graph functions* training_info*          NodeProto      = attribute*
//   GraphProto  = node* initializer* sparse_initializer*              AttributeProto = t | g | tensors | graphs
//   | ... TensorProto = dims data_type ( raw_data | float_data | int32_data | ... | external_data )
//
// A walker of our own instead of generated code, which copies values and loses their positions.

namespace {

using protobuf::Field;
using protobuf::Fields;
using protobuf::Input;

constexpr std::uint64_t kMaxIrVersion = 255;  // 13 in 2025, one more in most years
constexpr int kMaxFields = 1024;              // looked at in order to recognize a model

bool plausible_version(std::uint64_t version) {
    return version >= 1 && version <= kMaxIrVersion;
}

// Whether the bytes from `begin` look like the first field of a graph.
bool begins_as_graph(Input& input, std::uint64_t begin) {
    const auto end = input.source.size();
    if (begin >= end) return false;
    const auto tag = protobuf::read_varint(input, begin, end);
    if (!tag) return false;
    const auto* rule = graph::kMessage.find(static_cast<std::uint32_t>(tag->value >> 3));
    return tag->value < 512 && rule != nullptr && static_cast<std::uint64_t>(rule->wire) == (tag->value & 7);
}

// There is no magic number. Writers put ir_version first and the graph after a few strings, so this accepts a
// plausible version, then only known fields up to a graph that begins as one. A graph that leaves the file is
// a truncated model, which parse_onnx() reports. In any other order all fields are checked.
bool recognises_onnx(const Source& source) {
    Input input(source);
    bool version = false;
    bool graph = false;
    std::uint64_t at = 0;
    Fields fields(input, {0, source.size()}, model::kMessage);
    for (int count = 0; count < kMaxFields; ++count) {
        const auto next = fields.next();
        if (!next) {
            // Was it a graph that is longer than the file?
            const auto tag = protobuf::read_varint(input, at, source.size());
            if (!version || !tag || tag->value != (model::graph << 3 | 2)) return false;
            const auto length = protobuf::read_varint(input, tag->end, source.size());
            return length && begins_as_graph(input, length->end);
        }
        if (!next->has_value()) return version && graph;
        const Field& field = **next;
        if (!field.known) return false;
        if (field.number == model::ir_version) {
            if (!plausible_version(field.value)) return false;
            version = true;
        }
        if (field.number == model::graph) {
            if (field.payload.size() != 0) {
                if (!begins_as_graph(input, field.payload.begin)) return false;
                if (version) return true;
            }
            graph = true;
        }
        at = field.payload.end;
    }
    return version && graph;
}

Result<Layout> parse_onnx(const Source& source, const Limits& limits) {
    Walk walk(source, limits);
    MODELSEAL_TRY(walk_model(walk, {0, source.size()}));
    return std::move(walk.out).finish(kFormat.name);
}

}  // namespace

const Format kFormat = {"onnx", recognises_onnx, parse_onnx};

}  // namespace modelseal::formats::onnx
