// safetensors: 8 bytes u64 N | N bytes JSON header | the tensors' bytes
//   header = { "__metadata__": {string: string}?,
//              NAME: {"dtype": D, "shape": [..], "data_offsets": [begin, end)}.. }
// Offsets count from the end of the header. The tensors cover that buffer without hole, overlap or leftover, as
// the reference demands ("This prevents the creation of polyglot files").
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "formats/json.h"
#include "formats/reader.h"
#include "formats/registry.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::formats {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // MAX_HEADER_SIZE of the reference
constexpr std::uint32_t kMaxHeaderDepth = 16;           // 3 are used; the rest is for keys that are passed over

const std::map<std::string_view, DType> kDTypes = {
    {"BOOL", DType::boolean},
    {"U8", DType::u8},
    {"I8", DType::i8},
    {"U16", DType::u16},
    {"I16", DType::i16},
    {"U32", DType::u32},
    {"I32", DType::i32},
    {"U64", DType::u64},
    {"I64", DType::i64},
    {"F16", DType::f16},
    {"BF16", DType::bf16},
    {"F32", DType::f32},
    {"F64", DType::f64},
    {"C64", DType::c64},
    {"F8_E4M3", DType::f8_e4m3fn},
    {"F8_E5M2", DType::f8_e5m2},
    {"F8_E8M0", DType::f8_e8m0},
    {"F8_E4M3FNUZ", DType::f8_e4m3fnuz},
    {"F8_E5M2FNUZ", DType::f8_e5m2fnuz},
    {"F6_E2M3", DType::f6_e2m3},
    {"F6_E3M2", DType::f6_e3m2},
    {"F4", DType::f4_e2m1},
};

bool recognises_safetensors(const Source& source) {
    std::byte head[9];
    if (source.size() < sizeof head || !source.read(0, head).ok()) return false;
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | std::to_integer<std::uint64_t>(head[i]);
    return head[8] == std::byte{'{'} && length >= 2 && length < (std::uint64_t{1} << 48);
}

Result<std::string> read_header(const Source& source, const Limits& limits) {
    Reader reader(source);
    MODELSEAL_TRY_ASSIGN(const auto length, reader.u64());
    const auto cap =
        limits.metadata_bytes == 0 ? kMaxHeaderBytes : std::min(limits.metadata_bytes, kMaxHeaderBytes);
    auto text = reader.string(length, cap, "a header");
    if (text.ok() && !text->starts_with('{')) {
        return malformed_at(source, 8, "header: does not begin with '{'");
    }
    return text;
}

Result<std::vector<std::uint64_t>> unsigned_list(const Source& source, const std::string& name,
                                                 const nlohmann::json& entry, const char* key) {
    const auto problem = [&] {
        return malformed_at(
            source, 8,
            fmt::format("tensor '{}': {} is not a list of whole numbers", util::printable(name), key));
    };
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_array()) return problem();
    std::vector<std::uint64_t> numbers;
    for (const auto& item : *found) {
        if (!item.is_number_unsigned()) return problem();
        numbers.push_back(item.get<std::uint64_t>());
    }
    return numbers;
}

Result<Tensor> read_entry(const Source& source, const Limits& limits, const std::string& name,
                          const nlohmann::json& entry, std::uint64_t data_begin) {
    const auto malformed = [&](const std::string& what) {
        return malformed_at(source, 8, fmt::format("tensor '{}': {}", util::printable(name), what));
    };
    if (!entry.is_object()) return malformed("its description is not an object");
    if (limits.name_bytes != 0 && name.size() > limits.name_bytes) {
        return malformed(
            fmt::format("its name exceeds the limit of {}", util::counted(limits.name_bytes, "byte")));
    }
    const auto dtype = entry.find("dtype");
    if (dtype == entry.end() || !dtype->is_string()) return malformed("has no dtype");
    const auto known = kDTypes.find(dtype->get_ref<const std::string&>());
    if (known == kDTypes.end()) {
        return unsupported_at(source, 8,
                              fmt::format("tensor '{}': unknown dtype '{}'", util::printable(name),
                                          util::printable(dtype->get_ref<const std::string&>())));
    }
    Tensor tensor{.name = name, .dtype = known->second};
    MODELSEAL_TRY_ASSIGN(tensor.shape, unsigned_list(source, name, entry, "shape"));
    if (limits.rank != 0 && tensor.shape.size() > limits.rank) return malformed("has too many dimensions");
    MODELSEAL_TRY_ASSIGN(const auto offsets, unsigned_list(source, name, entry, "data_offsets"));
    if (offsets.size() != 2 || offsets[0] > offsets[1]) return malformed("data_offsets is not [begin, end)");

    std::uint64_t needed = 0;
    if (!util::element_count(tensor.shape, tensor.elements) ||
        !storage_bytes(tensor.dtype, tensor.elements, needed)) {
        return malformed("its size exceeds 64 bits");
    }
    const auto given = offsets[1] - offsets[0];
    if (given != needed || tensor.elements % info(tensor.dtype).group_elements != 0) {
        return malformed(fmt::format("data_offsets [{}, {}) contain {}, but {} of {} need {}", offsets[0],
                                     offsets[1], util::counted(given, "byte"),
                                     util::counted(tensor.elements, "element"), info(tensor.dtype).name,
                                     needed));
    }
    if (std::uint64_t end = 0; !util::checked_add(data_begin, offsets[1], end)) {
        return malformed("data_offsets exceed 64 bits");
    }
    tensor.segments = {{.offset = data_begin + offsets[0], .bytes = given, .elements = tensor.elements}};
    return tensor;
}

// The reference takes null for none.
Result<void> check_metadata(const Source& source, const nlohmann::json& metadata) {
    if (metadata.is_null()) return {};
    if (!metadata.is_object())
        return malformed_at(source, 8, "__metadata__ is not a map from strings to strings");
    for (const auto& [key, value] : metadata.items()) {
        if (value.is_string()) continue;
        return malformed_at(
            source, 8,
            fmt::format("__metadata__ is not a map from strings to strings: '{}' is not a string",
                        util::printable(key)));
    }
    return {};
}

// The tensors, by offset, follow one another from the first data byte to the last.
Result<void> check_cover(const Source& source, const std::vector<Tensor>& tensors, std::uint64_t data_begin) {
    auto expected = data_begin;
    for (const auto& tensor : tensors) {
        const auto& segment = tensor.segments.front();
        const auto name = util::printable(tensor.name);
        if (segment.offset < expected) {
            return malformed_at(source, segment.offset,
                                fmt::format("tensor '{}' overlaps the tensor before it", name));
        }
        if (segment.offset > expected) {
            return malformed_at(source, expected,
                                fmt::format("tensor '{}' leaves a hole of {} before it", name,
                                            util::counted(segment.offset - expected, "byte")));
        }
        expected += segment.bytes;
    }
    if (expected > source.size()) {
        const auto& last = tensors.back();
        return ends_early(source, last.segments.front().offset, expected - source.size(),
                          fmt::format("tensor '{}' of {}", util::printable(last.name),
                                      util::counted(last.segments.front().bytes, "byte")));
    }
    if (expected != source.size()) {
        return malformed_at(source, expected,
                            fmt::format("{} after the last tensor",
                                        util::counted(source.size() - expected, "unexplained byte")));
    }
    return {};
}

Result<Layout> parse_safetensors(const Source& source, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(const auto header, read_header(source, limits));
    const auto data_begin = 8 + header.size();
    Layout layout{.format = kSafetensors.name};
    std::uint64_t unexplained = 0;  // tensors with keys that the reference passes over
    const auto visit = [&](const std::string& name, const nlohmann::json& entry) -> Result<void> {
        if (name == "__metadata__") return check_metadata(source, entry);
        if (limits.tensors != 0 && layout.tensors.size() >= limits.tensors) {
            return malformed_at(source, 8,
                                fmt::format("more than {}", util::counted(limits.tensors, "tensor")));
        }
        MODELSEAL_TRY_ASSIGN(auto tensor, read_entry(source, limits, name, entry, data_begin));
        layout.tensors.push_back(std::move(tensor));
        if (entry.size() > 3) ++unexplained;
        return {};
    };
    MODELSEAL_TRY(parse_json_members(source, 8, header, "header", kMaxHeaderDepth, visit));
    std::ranges::stable_sort(layout.tensors, {}, [](const Tensor& tensor) {
        return std::pair(tensor.segments.front().offset, tensor.segments.front().bytes);
    });
    MODELSEAL_TRY(check_cover(source, layout.tensors, data_begin));
    if (unexplained != 0) {
        layout.warnings.push_back(fmt::format("undefined keys, other than dtype, shape and data_offsets, in {}",
                                              util::counted(unexplained, "tensor")));
    }
    return layout;
}

}  // namespace

const Format kSafetensors = {"safetensors", recognises_safetensors, parse_safetensors};

}  // namespace modelseal::formats
