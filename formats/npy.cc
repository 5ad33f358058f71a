// "\x93NUMPY" | major | minor | u16 (version 1) or u32 length | a Python dictionary, padded with spaces | '\n'
// The dictionary has exactly the keys descr, fortran_order and shape, in any order.
#include "formats/npy.h"

#include <bit>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "formats/reader.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::formats {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr std::uint64_t kMostHeader = 64u << 10;
constexpr std::size_t kMostExtents = 32;                         // NPY_MAXDIMS
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 27;  // 1 GiB of doubles

struct Dictionary {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::uint64_t>> shape;
};

// A literal of Python, as far as headers use them.
class Literal {
  public:
    explicit Literal(std::string_view text) : text_(text) {}

    std::optional<Dictionary> dictionary() {
        Dictionary out;
        if (!take('{')) return std::nullopt;
        while (!take('}')) {
            if (!entry(out)) return std::nullopt;
            if (take(',')) continue;
            if (!take('}')) return std::nullopt;
            break;
        }
        skip_spaces();
        const bool whole = text_.empty() && out.descr && out.fortran_order && out.shape;
        return whole ? std::optional(std::move(out)) : std::nullopt;
    }

  private:
    void skip_spaces() {
        while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
    }
    bool take(char c) {
        skip_spaces();
        if (text_.empty() || text_.front() != c) return false;
        text_.remove_prefix(1);
        return true;
    }
    bool take_word(std::string_view word) {
        skip_spaces();
        if (!text_.starts_with(word)) return false;
        text_.remove_prefix(word.size());
        return true;
    }
    std::optional<std::string> string() {
        skip_spaces();
        if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return std::nullopt;
        const auto end = text_.find(text_.front(), 1);
        if (end == std::string_view::npos) return std::nullopt;
        std::string out(text_.substr(1, end - 1));
        text_.remove_prefix(end + 1);
        return out.find('\\') == std::string::npos ? std::optional(std::move(out)) : std::nullopt;
    }
    std::optional<std::uint64_t> number() {
        skip_spaces();
        std::uint64_t value = 0;
        const auto [stopped, code] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
        if (code != std::errc()) return std::nullopt;
        text_.remove_prefix(static_cast<std::size_t>(stopped - text_.data()));
        return value;
    }
    // () or (1,) or (1, 2): one extent needs its comma.
    std::optional<std::vector<std::uint64_t>> tuple() {
        std::vector<std::uint64_t> extents;
        if (!take('(')) return std::nullopt;
        bool comma = true;
        while (!take(')')) {
            const auto extent = comma ? number() : std::nullopt;
            if (!extent || extents.size() == kMostExtents) return std::nullopt;
            extents.push_back(*extent);
            comma = take(',');
        }
        if (extents.size() == 1 && !comma) return std::nullopt;
        return extents;
    }
    bool entry(Dictionary& out) {
        const auto key = string();
        if (!key || !take(':')) return false;
        if (*key == "descr" && !out.descr) return (out.descr = string()).has_value();
        if (*key == "shape" && !out.shape) return (out.shape = tuple()).has_value();
        if (*key == "fortran_order" && !out.fortran_order) {
            if (take_word("True"))
                out.fortran_order = true;
            else if (take_word("False"))
                out.fortran_order = false;
            return out.fortran_order.has_value();
        }
        return false;
    }
    std::string_view text_;
};

Result<std::string> header_text(Reader& reader) {
    MODELSEAL_TRY_ASSIGN(const auto magic, reader.string(kNpyMagic.size(), kNpyMagic.size(), "a magic"));
    if (magic != kNpyMagic) return reader.malformed("not a NumPy array file");
    MODELSEAL_TRY_ASSIGN(const auto major, reader.u8());
    MODELSEAL_TRY_ASSIGN(const auto minor, reader.u8());
    if (major < 1 || major > 3 || minor != 0) {
        return reader.malformed(fmt::format("unknown version {}.{} of the array file", major, minor));
    }
    std::uint64_t length = 0;
    if (major == 1) {
        MODELSEAL_TRY_ASSIGN(length, reader.u16());
    } else {
        MODELSEAL_TRY_ASSIGN(length, reader.u32());
    }
    return reader.string(length, kMostHeader, "a header");
}

// "<f4": byte order, kind, bytes.
bool read_type(const std::string& descr, NpyArray& array) {
    if (descr.size() != 3 || (descr[0] != '<' && descr[0] != '>')) return false;
    if ((descr[1] != 'f' && descr[1] != 'i') || (descr[2] != '4' && descr[2] != '8')) return false;
    array.big_endian = descr[0] == '>';
    array.kind = descr[1] == 'f' ? NpyArray::Kind::floating : NpyArray::Kind::integer;
    array.item_bytes = descr[2] == '4' ? 4 : 8;
    return true;
}

// The bits of each element, widened.
Result<std::vector<std::uint64_t>> read_bits(const Source& source, const NpyArray& array) {
    std::vector<std::byte> bytes(array.elements * array.item_bytes);
    MODELSEAL_TRY(source.read(array.offset, bytes));
    std::vector<std::uint64_t> out(array.elements, 0);
    for (std::size_t i = 0; i < out.size(); ++i) {
        for (std::uint32_t k = 0; k < array.item_bytes; ++k) {
            const auto at = array.big_endian ? k : array.item_bytes - 1 - k;
            out[i] = out[i] << 8 | std::to_integer<std::uint64_t>(bytes[i * array.item_bytes + at]);
        }
    }
    return out;
}

}  // namespace

Result<NpyArray> parse_npy(const Source& source) {
    Reader reader(source);
    MODELSEAL_TRY_ASSIGN(const auto text, header_text(reader));
    auto dictionary = Literal(text).dictionary();
    if (!dictionary) return reader.malformed("invalid header");
    NpyArray array{.shape = std::move(*dictionary->shape), .offset = reader.position()};
    if (!read_type(*dictionary->descr, array)) {
        return unsupported_at(
            source, 0,
            fmt::format("arrays of type '{}' are not supported; float32, float64, int32 and int64 are",
                        util::printable(*dictionary->descr)));
    }
    if (*dictionary->fortran_order && array.shape.size() > 1) {
        return unsupported_at(source, 0,
                              "arrays in Fortran order are not supported; save numpy.ascontiguousarray(array)");
    }
    if (!util::element_count(array.shape, array.elements) || array.elements > kMostElements) {
        return reader.malformed(
            fmt::format("the array has more than {}", util::counted(kMostElements, "element")));
    }
    if (array.elements * array.item_bytes != reader.left()) {
        return reader.malformed(
            fmt::format("{} need {}, the file has {}", util::counted(array.elements, "element"),
                        util::counted(array.elements * array.item_bytes, "byte"), reader.left()));
    }
    return array;
}

Result<std::vector<double>> read_npy_floats(const Source& source, const NpyArray& array) {
    MODELSEAL_TRY_ASSIGN(const auto bits, read_bits(source, array));
    std::vector<double> out;
    out.reserve(bits.size());
    for (const auto each : bits) {
        out.push_back(array.item_bytes == 8 ? std::bit_cast<double>(each)
                                            : double{std::bit_cast<float>(static_cast<std::uint32_t>(each))});
    }
    return out;
}

Result<std::vector<std::int64_t>> read_npy_integers(const Source& source, const NpyArray& array) {
    MODELSEAL_TRY_ASSIGN(const auto bits, read_bits(source, array));
    std::vector<std::int64_t> out;
    out.reserve(bits.size());
    for (const auto each : bits) {
        out.push_back(array.item_bytes == 8 ? static_cast<std::int64_t>(each)
                                            : std::int64_t{static_cast<std::int32_t>(each)});
    }
    return out;
}

std::string npy_header(const std::vector<std::uint64_t>& shape) {
    auto dictionary = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{}), }}",
                                  fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
    constexpr std::size_t kFront = 10, kAlignment = 64;
    while ((kFront + dictionary.size() + 1) % kAlignment != 0) dictionary += ' ';
    dictionary += '\n';
    std::string out(kNpyMagic);
    out += {'\1', '\0', static_cast<char>(dictionary.size() & 0xff), static_cast<char>(dictionary.size() >> 8)};
    return out + dictionary;
}

}  // namespace modelseal::formats
