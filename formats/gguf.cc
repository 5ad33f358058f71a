#include "formats/gguf.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "formats/reader.h"
#include "formats/registry.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::formats::gguf {
namespace {

// u8 i8 u16 i16 u32 i32 f32 bool string array u64 i64 f64
constexpr std::uint8_t kValueBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

struct Type {
    std::optional<DType> dtype;
    std::string_view removed = {};  // the name of a type that is no longer in the format
};

// Indexed by enum ggml_type.
constexpr Type kTypes[] = {
    {DType::f32},    {DType::f16},       {DType::q4_0},      {DType::q4_1},      {{}, "q4_2"},
    {{}, "q4_3"},    {DType::q5_0},      {DType::q5_1},      {DType::q8_0},      {DType::q8_1},
    {DType::q2_k},   {DType::q3_k},      {DType::q4_k},      {DType::q5_k},      {DType::q6_k},
    {DType::q8_k},   {DType::iq2_xxs},   {DType::iq2_xs},    {DType::iq3_xxs},   {DType::iq1_s},
    {DType::iq4_nl}, {DType::iq3_s},     {DType::iq2_s},     {DType::iq4_xs},    {DType::i8},
    {DType::i16},    {DType::i32},       {DType::i64},       {DType::f64},       {DType::iq1_m},
    {DType::bf16},   {{}, "q4_0_4_4"},   {{}, "q4_0_4_8"},   {{}, "q4_0_8_8"},   {DType::tq1_0},
    {DType::tq2_0},  {{}, "iq4_nl_4_4"}, {{}, "iq4_nl_4_8"}, {{}, "iq4_nl_8_8"}, {DType::mxfp4},
    {DType::nvfp4},  {DType::q1_0},      {DType::q2_0},
};

// Ollama stores the experts of gpt-oss as mxfp4 under this number, which was q4_2 once
// (https://github.com/ollama/ollama/issues/11796). Its name of that architecture is not llama.cpp's, "gpt-oss".
constexpr std::uint32_t kOllamaMxfp4 = 4;
constexpr std::string_view kOllamaArchitecture = "gptoss";

}  // namespace

std::uint32_t value_bytes(std::uint32_t type) {
    return type < std::size(kValueBytes) ? kValueBytes[type] : 0;
}

std::optional<DType> tensor_type(std::uint32_t type, std::string_view architecture) {
    if (type == kOllamaMxfp4 && architecture == kOllamaArchitecture) return DType::mxfp4;
    return type < std::size(kTypes) ? kTypes[type].dtype : std::nullopt;
}

std::string why_unsupported(std::uint32_t type) {
    if (type < std::size(kTypes)) {
        return fmt::format("ggml type {} was removed from the format and is not supported{}",
                           kTypes[type].removed,
                           type == kOllamaMxfp4 ? "; Ollama writes mxfp4 under its number" : "");
    }
    return fmt::format("unknown ggml type {}", type);
}

}  // namespace modelseal::formats::gguf

namespace modelseal::formats {

// GGUF, versions 2 and 3, little-endian:
//   "GGUF" | u32 version | u64 tensors | u64 pairs
//   each pair: key, u32 type, value
//   each tensor: name, u32 rank, u64 extent[rank] (fastest first), u32 ggml type, u64 offset
//   padding | the tensors' bytes
// Strings are u64 length and bytes. Offsets count from the data section, which starts at the next multiple of
// general.alignment, and are multiples of it themselves. Tensors follow one another with nothing between them
// but padding. Shapes are given row-major, extents reversed, as gguf-py shows them to numpy.

namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr std::string_view kArchitectureKey = "general.architecture";
constexpr std::uint64_t kMaxArchitectureBytes = 64;  // a longer one is none that matters here
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kMaxAlignment = 1u << 20;
constexpr std::uint64_t kMaxKeyBytes = 65535;  // docs/gguf.md
constexpr std::uint32_t kMaxRank = 16;         // ggml has 4, and the specification lets it grow
constexpr std::uint64_t kMinPairBytes = 8 + 1 + 4 + 1;
constexpr std::uint64_t kMinInfoBytes = 8 + 4 + 4 + 8;

struct Header {
    std::uint64_t tensors = 0;
    std::uint64_t pairs = 0;
};

struct Info {
    Tensor tensor;             // without its segment
    std::uint64_t bytes = 0;   // of the data
    std::uint64_t offset = 0;  // in the data section
};

std::uint64_t padding_after(std::uint64_t position, std::uint64_t alignment) {
    return (alignment - position % alignment) % alignment;
}

bool recognises_gguf(const Source& source) {
    std::array<std::byte, kMagic.size()> head{};
    if (source.size() < head.size() || !source.read(0, head).ok()) return false;
    return std::ranges::equal(head, std::as_bytes(std::span(kMagic)));
}

Result<void> check_version(const Source& source, std::uint32_t version) {
    if (version == 2 || version == 3) return {};
    const auto what = [&]() -> std::string {
        if (version == 0) return "GGUF version 0 does not exist";
        if (version == 1)
            return "GGUF version 1 is not supported; the tools of llama.cpp convert it to version 3";
        if ((version & 0xFFFF) == 0) return "big-endian GGUF is not supported";
        return fmt::format("GGUF version {} is not supported, only 2 and 3", version);
    }();
    return version == 0 ? malformed_at(source, 4, what) : unsupported_at(source, 4, what);
}

// Reads the complete header of the file once, from the magic to the last tensor info. Values are skipped, not
// kept, except the alignment and the architecture.
class Front {
  public:
    Front(const Source& source, const Limits& limits) : source_(source), limits_(limits), reader_(source) {}

    Result<void> read();
    std::uint64_t end() const { return reader_.position(); }
    std::uint64_t alignment() const { return alignment_; }
    std::vector<Info>& infos() { return infos_; }

  private:
    Result<Header> header();
    Result<void> pair();
    Result<void> value(std::uint32_t type, const std::string& key, std::uint32_t depth);
    Result<void> array(const std::string& key, std::uint32_t depth);
    Result<void> pass_string();
    Result<void> read_alignment(std::uint32_t type);
    Result<void> read_architecture(std::uint32_t type);
    Result<Info> info();
    Result<std::string> tensor_name();
    Result<std::vector<std::uint64_t>> shape(const std::string& name);
    Result<void> measure(Info& info);
    Result<void> bounded() const;

    const Source& source_;
    const Limits& limits_;
    Reader reader_;
    std::uint64_t alignment_ = kDefaultAlignment;
    std::string architecture_;
    std::vector<Info> infos_;
    std::set<std::string> keys_;
    std::set<std::string> names_;
};

// Bounds time and memory for whatever counts and lengths the file claims.
Result<void> Front::bounded() const {
    if (limits_.metadata_bytes == 0 || reader_.position() <= limits_.metadata_bytes) return {};
    return reader_.malformed(
        fmt::format("the metadata exceed the limit of {}", util::counted(limits_.metadata_bytes, "byte")));
}

Result<void> Front::read() {
    MODELSEAL_TRY_ASSIGN(const auto header, this->header());
    for (std::uint64_t i = 0; i < header.pairs; ++i) MODELSEAL_TRY(pair());
    for (std::uint64_t i = 0; i < header.tensors; ++i) {
        MODELSEAL_TRY_ASSIGN(auto next, info());
        infos_.push_back(std::move(next));
    }
    return {};
}

Result<Header> Front::header() {
    MODELSEAL_TRY(reader_.skip(kMagic.size(), "the magic number"));
    MODELSEAL_TRY_ASSIGN(const auto version, reader_.u32());
    MODELSEAL_TRY(check_version(source_, version));
    Header header;
    MODELSEAL_TRY_ASSIGN(header.tensors, reader_.u64());
    MODELSEAL_TRY_ASSIGN(header.pairs, reader_.u64());
    if (limits_.tensors != 0 && header.tensors > limits_.tensors) {
        return malformed_at(
            source_, 8,
            fmt::format("{} exceed the limit of {}", util::counted(header.tensors, "tensor"), limits_.tensors));
    }
    if (header.tensors > reader_.left() / kMinInfoBytes) {
        return malformed_at(
            source_, 8,
            fmt::format("{} do not fit in the remaining {}", util::counted(header.tensors, "tensor"),
                        util::counted(reader_.left(), "byte")));
    }
    if (header.pairs > reader_.left() / kMinPairBytes) {
        return malformed_at(
            source_, 16,
            fmt::format("{} do not fit in the remaining {}", util::counted(header.pairs, "metadata pair"),
                        util::counted(reader_.left(), "byte")));
    }
    return header;
}

Result<void> Front::pair() {
    MODELSEAL_TRY(bounded());
    const auto start = reader_.position();
    MODELSEAL_TRY_ASSIGN(const auto length, reader_.u64());
    MODELSEAL_TRY_ASSIGN(auto key, reader_.string(length, kMaxKeyBytes, "a metadata key"));
    if (key.empty()) return malformed_at(source_, start, "a metadata key is empty");
    MODELSEAL_TRY_ASSIGN(const auto type, reader_.u32());
    if (key == kAlignmentKey) {
        MODELSEAL_TRY(read_alignment(type));
    } else if (key == kArchitectureKey) {
        MODELSEAL_TRY(read_architecture(type));
    } else {
        MODELSEAL_TRY(value(type, key, 0));
    }
    if (keys_.contains(key)) {
        return malformed_at(source_, start,
                            fmt::format("metadata key '{}' appears twice", util::printable(key)));
    }
    keys_.insert(std::move(key));
    return {};
}

Result<void> Front::read_alignment(std::uint32_t type) {
    if (type != gguf::kUint32) return reader_.malformed("general.alignment is not of type u32");
    MODELSEAL_TRY_ASSIGN(alignment_, reader_.u32());
    const bool power_of_two = alignment_ != 0 && (alignment_ & (alignment_ - 1)) == 0;
    // The specification allows any multiple of 8, llama.cpp powers of two only.
    if (!power_of_two && alignment_ != 0 && alignment_ % 8 == 0 && alignment_ <= kMaxAlignment) {
        return unsupported_at(
            source_, reader_.position(),
            fmt::format("general.alignment is {}, not a power of two, which is not supported", alignment_));
    }
    if (!power_of_two || alignment_ > kMaxAlignment) {
        return reader_.malformed(
            fmt::format("general.alignment is {}, not a power of two up to {}", alignment_, kMaxAlignment));
    }
    return {};
}

Result<void> Front::read_architecture(std::uint32_t type) {
    if (type != gguf::kString) return value(type, std::string(kArchitectureKey), 0);
    MODELSEAL_TRY_ASSIGN(const auto length, reader_.u64());
    if (length > kMaxArchitectureBytes) return reader_.skip(length, "a string");
    MODELSEAL_TRY_ASSIGN(architecture_, reader_.string(length, kMaxArchitectureBytes, "a string"));
    return {};
}

Result<void> Front::pass_string() {
    MODELSEAL_TRY_ASSIGN(const auto length, reader_.u64());
    return reader_.skip(length, "a string");
}

Result<void> Front::value(std::uint32_t type, const std::string& key, std::uint32_t depth) {
    if (type == gguf::kString) return pass_string();
    if (type == gguf::kArray) return array(key, depth + 1);
    const auto size = gguf::value_bytes(type);
    if (size == 0) {
        return reader_.malformed(
            fmt::format("metadata key '{}': unknown value type {}", util::printable(key), type));
    }
    return reader_.skip(size, "a metadata value");
}

Result<void> Front::array(const std::string& key, std::uint32_t depth) {
    if (limits_.depth != 0 && depth > limits_.depth) {
        return reader_.malformed(fmt::format("metadata key '{}': arrays are nested more than {} deep",
                                             util::printable(key), util::counted(limits_.depth, "level")));
    }
    MODELSEAL_TRY_ASSIGN(const auto type, reader_.u32());
    MODELSEAL_TRY_ASSIGN(const auto count, reader_.u64());
    const auto size = gguf::value_bytes(type);
    const auto smallest = type == gguf::kString ? 8u : type == gguf::kArray ? 12u : size;
    if (smallest != 0 && count > reader_.left() / smallest) {
        return reader_.malformed(fmt::format(
            "metadata key '{}': an array of {} does not fit in the remaining {}", util::printable(key),
            util::counted(count, "element"), util::counted(reader_.left(), "byte")));
    }
    if (size != 0) return reader_.skip(count * size, "an array");
    if (smallest == 0) return value(type, key, depth);  // which reports the error
    for (std::uint64_t i = 0; i < count; ++i) {
        MODELSEAL_TRY(bounded());
        MODELSEAL_TRY(value(type, key, depth));
    }
    return {};
}

Result<std::string> Front::tensor_name() {
    const auto start = reader_.position();
    MODELSEAL_TRY_ASSIGN(const auto length, reader_.u64());
    MODELSEAL_TRY_ASSIGN(auto name, reader_.string(length, limits_.name_bytes, "a tensor name"));
    // A zero byte ends the name for readers in C, so that they would see another name than we do.
    if (!util::is_utf8(name) || name.find('\0') != std::string::npos) {
        return malformed_at(source_, start,
                            fmt::format("tensor name '{}' is not UTF-8 text", util::printable(name)));
    }
    if (!names_.insert(name).second) {
        return malformed_at(source_, start,
                            fmt::format("tensor name '{}' appears twice", util::printable(name)));
    }
    return name;
}

Result<std::vector<std::uint64_t>> Front::shape(const std::string& name) {
    MODELSEAL_TRY_ASSIGN(const auto rank, reader_.u32());
    const auto cap = limits_.rank == 0 ? kMaxRank : std::min(limits_.rank, kMaxRank);
    if (rank > cap) {
        return reader_.malformed(fmt::format("tensor '{}': its rank of {} exceeds the limit of {}",
                                             util::printable(name), rank, cap));
    }
    std::vector<std::uint64_t> extents(rank);
    for (auto& extent : extents) {
        MODELSEAL_TRY_ASSIGN(extent, reader_.u64());
    }
    std::ranges::reverse(extents);
    return extents;
}

// Elements and bytes from shape and type; each row has complete blocks.
Result<void> Front::measure(Info& info) {
    auto& tensor = info.tensor;
    const auto& type = modelseal::info(tensor.dtype);
    const auto row = tensor.shape.empty() ? 1 : tensor.shape.back();
    if (row % type.group_elements != 0) {
        return reader_.malformed(fmt::format(
            "tensor '{}': a row of {} is not a multiple of the block of {} ({})", util::printable(tensor.name),
            util::counted(row, "element"), type.group_elements, type.name));
    }
    if (!util::element_count(tensor.shape, tensor.elements) ||
        !storage_bytes(tensor.dtype, tensor.elements, info.bytes)) {
        return reader_.malformed(
            fmt::format("tensor '{}': its size exceeds 64 bits", util::printable(tensor.name)));
    }
    return {};
}

Result<Info> Front::info() {
    MODELSEAL_TRY(bounded());
    Info info;
    MODELSEAL_TRY_ASSIGN(info.tensor.name, tensor_name());
    MODELSEAL_TRY_ASSIGN(info.tensor.shape, shape(info.tensor.name));
    const auto type_at = reader_.position();
    MODELSEAL_TRY_ASSIGN(const auto type, reader_.u32());
    const auto dtype = gguf::tensor_type(type, architecture_);
    if (!dtype) {
        return unsupported_at(
            source_, type_at,
            fmt::format("tensor '{}': {}", util::printable(info.tensor.name), gguf::why_unsupported(type)));
    }
    info.tensor.dtype = *dtype;
    MODELSEAL_TRY(measure(info));
    MODELSEAL_TRY_ASSIGN(info.offset, reader_.u64());
    if (info.offset % alignment_ != 0) {
        return reader_.malformed(fmt::format("tensor '{}': offset {} is not a multiple of the alignment {}",
                                             util::printable(info.tensor.name), info.offset, alignment_));
    }
    return info;
}

// Gives each tensor its segment, and checks that they follow one another with only padding between them.
// `infos` are sorted by offset. Returns where the last tensor ends.
Result<std::uint64_t> place(const Source& source, std::vector<Info>& infos, std::uint64_t data_begin,
                            std::uint64_t alignment) {
    const auto room = source.size() - data_begin;
    std::uint64_t expected = 0;  // <= room rounded up, so that it cannot overflow
    for (auto& info : infos) {
        const auto malformed = [&](const std::string& what) {
            return malformed_at(source, data_begin + std::min(info.offset, room),
                                fmt::format("tensor '{}': {}", util::printable(info.tensor.name), what));
        };
        if (info.offset > room || info.bytes > room - info.offset) {
            // All that is missing, as the last tensor shows it.
            const auto& last = infos.back();
            std::uint64_t end = 0;
            if (!util::checked_add(last.offset, last.bytes, end)) return malformed("its end exceeds 64 bits");
            return ends_early(source, data_begin + std::min(info.offset, room), end - room,
                              fmt::format("tensor '{}' of {}", util::printable(info.tensor.name),
                                          util::counted(info.bytes, "byte")));
        }
        if (info.offset < expected) return malformed("overlaps the tensor before it");
        if (info.offset > expected) {
            return malformed(
                fmt::format("leaves a hole of {} before it", util::counted(info.offset - expected, "byte")));
        }
        info.tensor.segments = {
            {.offset = data_begin + info.offset, .bytes = info.bytes, .elements = info.tensor.elements}};
        const auto end = info.offset + info.bytes;
        expected = end + padding_after(end, alignment);
    }
    return infos.empty() ? data_begin : data_begin + infos.back().offset + infos.back().bytes;
}

Result<Layout> parse_gguf(const Source& source, const Limits& limits) {
    Front front(source, limits);
    MODELSEAL_TRY(front.read());
    Layout layout{.format = kGguf.name};
    auto& infos = front.infos();
    std::ranges::stable_sort(infos, {}, [](const Info& info) { return std::pair(info.offset, info.bytes); });

    const auto padding = infos.empty() ? 0 : padding_after(front.end(), front.alignment());
    if (padding > source.size() - front.end()) {
        return ends_early(source, front.end(), padding - (source.size() - front.end()),
                          "the padding before the data");
    }
    const auto data_begin = front.end() + padding;
    MODELSEAL_TRY_ASSIGN(const auto data_end, place(source, infos, data_begin, front.alignment()));
    layout.tensors.reserve(infos.size());
    for (auto& info : infos) layout.tensors.push_back(std::move(info.tensor));

    // llama.cpp pads a file of metadata alone as if tensors followed.
    const auto behind = source.size() - data_end;
    const auto last = infos.empty() ? front.end() : data_end - data_begin;
    if (behind > padding_after(last, front.alignment())) {
        layout.warnings.push_back(
            fmt::format("{} after the last tensor", util::counted(behind, "unexplained byte")));
    }
    return layout;
}

}  // namespace

const Format kGguf = {"gguf", recognises_gguf, parse_gguf};

}  // namespace modelseal::formats
