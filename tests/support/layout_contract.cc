#include "tests/support/layout_contract.h"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "util/checked.h"
#include "util/text.h"

namespace modelseal::test {
namespace {

constexpr std::uint64_t kMaxVarintElements = 8192;

// Bytes [begin, end) of a file that belong to a tensor or a checksum field.
struct Taken {
    std::uint32_t file = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string owner;
};

bool known(DType dtype) {
    return dtype <= DType::opaque || (dtype >= DType::q4_0 && dtype <= DType::q2_0);
}

// Bytes that a dense run takes, from the first byte of the first element to the last of the last.
bool dense_bytes(DType dtype, const Segment& segment, std::uint64_t& bytes) {
    if (segment.stride == 0) return storage_bytes(dtype, segment.elements, bytes);
    if (segment.elements == 0) return bytes = 0, true;
    return util::checked_mul(segment.elements - 1, segment.stride, bytes) &&
           util::checked_add(bytes, info(dtype).group_bytes, bytes);
}

std::string varint_violation(const Segment& segment, const DTypeInfo& type, const Source& source) {
    // One varint an element, of sub-byte types one a group.
    const auto varints = segment.elements / type.group_elements + (segment.elements % type.group_elements != 0);
    if (segment.stride != 0) return "a varint run with a stride";
    if (segment.elements > kMaxVarintElements) return "a varint run of too many elements";
    if (segment.bytes > 10 * varints) return "a varint run longer than its elements can be";
    if (segment.file != 0) return "a varint run in another file";
    std::vector<std::byte> bytes(static_cast<std::size_t>(segment.bytes));
    if (!source.read(segment.offset, bytes).ok()) return "a varint run that cannot be read";
    const auto ends =
        std::ranges::count_if(bytes, [](std::byte byte) { return (byte & std::byte{0x80}) == std::byte{0}; });
    if (static_cast<std::uint64_t>(ends) != varints) return "a varint run with another number of ends";
    if (!bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0}) return "a varint run cut short";
    return {};
}

std::string segment_violation(const Tensor& tensor, const Segment& segment, const Layout& layout,
                              const Source& source, bool last) {
    const auto& type = info(tensor.dtype);
    if (segment.file > layout.references.size()) return "a segment in a file that is not referred to";
    std::uint64_t end = 0;
    if (!util::checked_add(segment.offset, segment.bytes, end)) return "a segment that overflows";
    if (segment.file == 0 && end > source.size()) return "a segment that leaves the file";
    if (segment.encoding == Encoding::varint) {
        if (segment.elements % type.group_elements != 0 && !last) return "a segment that ends inside a group";
        return varint_violation(segment, type, source);
    }

    std::uint64_t bytes = 0;
    if (!dense_bytes(tensor.dtype, segment, bytes)) return "a segment whose size overflows";
    if (bytes != segment.bytes) return "a segment whose elements need another number of bytes";
    if (segment.stride != 0) {
        if (type.group_elements != 1) return "a stride over elements that are stored in groups";
        if (segment.stride < type.group_bytes) return "a stride shorter than an element";
    }
    const bool whole_groups = segment.elements % type.group_elements == 0;
    const bool block = tensor.dtype >= DType::q4_0;
    if (!whole_groups && (block || !last)) return "a segment that ends inside a group";
    return {};
}

std::string tensor_violation(const Tensor& tensor, const Layout& layout, const Source& source) {
    if (!known(tensor.dtype)) return "an unknown dtype";
    if (!util::is_utf8(tensor.name)) return "a name that is not UTF-8";
    std::uint64_t held = 0;
    for (const auto& segment : tensor.segments) {
        auto violation =
            segment_violation(tensor, segment, layout, source, &segment == &tensor.segments.back());
        if (!violation.empty()) return violation;
        if (!util::checked_add(held, segment.elements, held)) return "elements that overflow";
    }
    if (held != tensor.elements) return "segments that hold another number of elements";
    std::uint64_t shaped = 0;
    if (!util::element_count(tensor.shape, shaped)) return "a shape that overflows";
    // Only PyTorch has storages that several views share.
    if (shaped != tensor.elements && layout.format != "pytorch") return "a shape of another number of elements";
    return {};
}

std::string names_violation(const Layout& layout) {
    std::set<std::string_view> names;
    for (const auto& tensor : layout.tensors) {
        if (!names.insert(tensor.name).second) return "a name comes twice";
    }
    for (const auto& tensor : layout.tensors) {
        for (const auto& alias : tensor.aliases) {
            if (!names.insert(alias).second) return "an alias is a name too, or comes twice";
        }
    }
    return {};
}

// Adds the checksums' fields to `taken`.
std::string checksum_violation(const Checksum& checksum, const Source& source, std::vector<Taken>& taken) {
    if (checksum.offset > source.size() || checksum.bytes > source.size() - checksum.offset) {
        return "a checksum over bytes outside the file";
    }
    if (!std::ranges::is_sorted(checksum.fields, std::less_equal<>{})) return "checksum fields out of order";
    if (checksum.fields.empty()) return "a checksum that is kept nowhere";
    for (const auto field : checksum.fields) {
        if (field > source.size() || source.size() - field < 4) return "a checksum field outside the file";
        taken.push_back({0, field, field + 4, "a checksum field"});
    }
    return {};
}

// Strided runs may interleave, so each of their elements is a range of its own, up to a number that tests can
// bear; beyond it the run counts as a whole if it is alone in its range.
void take(const Tensor& tensor, std::vector<Taken>& taken) {
    for (const auto& segment : tensor.segments) {
        if (segment.bytes == 0) continue;
        const auto width = info(tensor.dtype).group_bytes;
        if (segment.stride > width && segment.elements <= (1u << 16)) {
            for (std::uint64_t i = 0; i < segment.elements; ++i) {
                const auto begin = segment.offset + i * segment.stride;
                taken.push_back({segment.file, begin, begin + width, tensor.name});
            }
        } else {
            taken.push_back({segment.file, segment.offset, segment.offset + segment.bytes, tensor.name});
        }
    }
}

}  // namespace

std::string contract_violation(const Layout& layout, const Source& source) {
    if (layout.format.empty()) return "no format";
    std::vector<Taken> taken;
    for (const auto& tensor : layout.tensors) {
        if (auto violation = tensor_violation(tensor, layout, source); !violation.empty()) {
            return fmt::format("tensor '{}': {}", util::printable(tensor.name), violation);
        }
        take(tensor, taken);
    }
    if (auto violation = names_violation(layout); !violation.empty()) return violation;
    for (const auto& checksum : layout.checksums) {
        if (auto violation = checksum_violation(checksum, source, taken); !violation.empty()) return violation;
    }
    std::ranges::sort(taken, {}, [](const Taken& one) { return std::pair(one.file, one.begin); });
    for (std::size_t i = 1; i < taken.size(); ++i) {
        if (taken[i].file == taken[i - 1].file && taken[i].begin < taken[i - 1].end) {
            return fmt::format("'{}' overlaps '{}'", util::printable(taken[i].owner),
                               util::printable(taken[i - 1].owner));
        }
    }
    return {};
}

}  // namespace modelseal::test
