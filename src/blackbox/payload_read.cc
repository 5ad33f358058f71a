#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blackbox/facts.h"
#include "blackbox/payload.h"
#include "formats/bytes.h"
#include "formats/json.h"
#include "formats/reader.h"
#include "formats/registry.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

using Shape = std::vector<std::uint64_t>;

constexpr Limits kLimits = {.metadata_bytes = 1u << 20, .tensors = 64, .rank = 2, .name_bytes = 64};
constexpr std::size_t kMostExtents = 8;

Result<Facts> read_facts(const Source& source) {
    formats::Reader reader(source);
    MODELSEAL_TRY_ASSIGN(const auto length, reader.u64());
    MODELSEAL_TRY_ASSIGN(const auto header, reader.string(length, kLimits.metadata_bytes, "a header"));
    std::map<std::string, std::string> texts;
    const auto visit = [&](const std::string& name, const nlohmann::json& value) -> Result<void> {
        if (name != "__metadata__") return {};
        for (const auto& [key, text] : value.items()) texts.emplace(key, text.get<std::string>());
        return {};
    };
    MODELSEAL_TRY(formats::parse_json_members(source, 8, header, "header", 16, visit));
    return Facts(std::move(texts));
}

// The tensors of the file, each read once. Failed reads stick, as in Facts.
class Tensors {
  public:
    Tensors(const Layout& layout, std::span<const std::byte> bytes) : bytes_(bytes) {
        for (const auto& tensor : layout.tensors) tensors_.emplace(tensor.name, tensor);
    }

    bool has(const std::string& name) const { return tensors_.count(name) != 0; }

    // The first extent of a tensor; 0 if it is not there.
    std::uint64_t rows(const std::string& name) const {
        const auto found = tensors_.find(name);
        return found == tensors_.end() || found->second.shape.empty() ? 0 : found->second.shape[0];
    }

    bool is(const std::string& name, DType dtype) const {
        const auto found = tensors_.find(name);
        return found != tensors_.end() && found->second.dtype == dtype;
    }

    // Its values, if it has this type and shape.
    template <class Value, class Bits>
    std::vector<Value> take(const std::string& name, DType dtype, const Shape& shape) {
        const auto found = tensors_.extract(name);
        if (found.empty() || found.mapped().dtype != dtype || found.mapped().shape != shape) {
            if (problem_.empty()) {
                problem_ = fmt::format("tensor '{}' of {} [{}] is missing", name, info(dtype).name,
                                       fmt::join(shape, ", "));
            }
            return {};
        }
        std::vector<Value> values(found.mapped().elements);
        if (values.empty()) return values;
        formats::ByteReader reader(bytes_.subspan(found.mapped().segments.front().offset));
        for (auto& value : values) value = std::bit_cast<Value>(reader.number<Bits>());
        return values;
    }

    bool empty() const { return tensors_.empty(); }
    const std::string& problem() const { return problem_; }

  private:
    std::span<const std::byte> bytes_;
    std::map<std::string, Tensor> tensors_;
    std::string problem_;
};

std::optional<bool> yes_or_no(std::string_view text) {
    return text == "yes" ? std::optional(true) : text == "no" ? std::optional(false) : std::nullopt;
}

void read_facts_into(Facts& facts, Fingerprint& whole) {
    whole.root = facts.text("root");
    whole.sealed = facts.word("sealed", yes_or_no);
    whole.customer = facts.text("customer");
    whole.model = facts.text("model");
    whole.runtime = facts.text("runtime");
    whole.access = facts.word("access", access_of);
    whole.grid = facts.word("grid", grid_of);
    whole.schedule = facts.word("schedule", schedule_of);
    auto& input = whole.input;
    input.shape.name = facts.text("input.name");
    input.shape.shape = facts.numbers<std::int64_t>("input.shape", kMostExtents);
    input.low = facts.number<float>("input.low");
    input.high = facts.number<float>("input.high");
    input.mean = facts.numbers<float>("input.mean", kMostElements);
    input.std = facts.numbers<float>("input.std", kMostElements);
    whole.unit = facts.number<double>("unit");
    whole.classes = facts.number<std::size_t>("classes");
    whole.batch = facts.number<std::size_t>("batch");
    for (const Rung rung : {Rung::exact, Rung::fp32, Rung::mixed}) {
        const std::string name(name_of(rung));
        if (!facts.has(name + ".noise")) continue;
        whole.rungs.push_back({.rung = rung,
                               .noise = facts.number<double>(name + ".noise"),
                               .scale = facts.number<double>(name + ".scale"),
                               .floor = facts.number<double>(name + ".floor"),
                               .drift = facts.number<double>(name + ".drift")});
    }
}

// The extents are hostile until here: their product must be that of the tensor's shape.
bool extents_agree(const Fingerprint& whole, std::uint64_t elements) {
    std::uint64_t product = whole.input.shape.shape.empty() ? 0 : 1;
    for (const auto extent : whole.input.shape.shape) {
        if (extent < 1 || !util::checked_mul(product, static_cast<std::uint64_t>(extent), product))
            return false;
    }
    return product == elements && elements >= 1 && elements <= kMostElements;
}

template <class Small, class Bits>
std::vector<float> take_numbers(Tensors& tensors, const std::string& name, DType small, const Shape& shape) {
    if (!tensors.is(name, small)) return tensors.take<float, std::uint32_t>(name, DType::f32, shape);
    const auto values = tensors.take<Small, Bits>(name, small, shape);
    return std::vector<float>(values.begin(), values.end());
}

void read_paths(Tensors& tensors, const Shape& shape, Fingerprint& whole) {
    const auto base = take_numbers<std::uint16_t, std::uint16_t>(tensors, "base", DType::u16, shape);
    const auto direction = take_numbers<std::int8_t, std::uint8_t>(tensors, "direction", DType::i8, shape);
    if (!tensors.problem().empty()) return;
    const auto row = [&](const std::vector<float>& values, std::size_t i) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * shape[1]);
        return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(shape[1]));
    };
    for (std::size_t i = 0; i < shape[0]; ++i) whole.paths.push_back({row(base, i), row(direction, i)});
}

void read_pairs(Tensors& tensors, RungOfPairs& rung) {
    const std::string name(name_of(rung.rung));
    const auto count = std::min<std::uint64_t>(tensors.rows(name + ".path"), kMostPairs + 1);
    const auto path = tensors.take<std::uint32_t, std::uint32_t>(name + ".path", DType::u32, {count});
    const auto target = tensors.take<std::uint32_t, std::uint32_t>(name + ".target", DType::u32, {count});
    const auto position = tensors.take<double, std::uint64_t>(name + ".position", DType::f64, {count, 2});
    const auto margin = tensors.take<double, std::uint64_t>(name + ".margin", DType::f64, {count, 2});
    const auto label = tensors.take<std::int64_t, std::uint64_t>(name + ".label", DType::i64, {count, 2});
    if (!tensors.problem().empty()) return;
    for (std::size_t i = 0; i < count; ++i) {
        Pair pair{.path = path[i], .target = target[i]};
        for (std::size_t which = 0; which < 2; ++which) {
            pair.member[which] = {position[2 * i + which], margin[2 * i + which], label[2 * i + which]};
        }
        rung.pairs.push_back(pair);
    }
}

// The first extent of `base` is how many paths there are.
Result<Shape> shape_of_paths(const Source& source, const Tensors& tensors, const Layout& layout,
                             const Fingerprint& whole) {
    const auto base = std::ranges::find(layout.tensors, "base", &Tensor::name);
    if (base == layout.tensors.end() || base->shape.size() != 2 || !extents_agree(whole, base->shape[1])) {
        return formats::malformed_at(source, 8, "tensor 'base' does not contain inputs of the stated shape");
    }
    return Shape{tensors.rows("base"), base->shape[1]};
}

}  // namespace

Result<Fingerprint> decode_payload(std::span<const std::byte> bytes, const std::string& name) {
    const formats::MemorySource source(name, bytes);
    const auto malformed = [&](const std::string& what) { return formats::malformed_at(source, 8, what); };
    MODELSEAL_TRY_ASSIGN(const auto layout, formats::kSafetensors.parse(source, kLimits));
    MODELSEAL_TRY_ASSIGN(auto facts, read_facts(source));
    Fingerprint whole;
    read_facts_into(facts, whole);
    if (!facts.problem().empty()) return malformed(facts.problem());
    if (!facts.left().empty()) {
        return formats::unsupported_at(
            source, 8, fmt::format("unknown fact '{}'", util::printable(facts.left().begin()->first)));
    }
    Tensors tensors(layout, bytes);
    MODELSEAL_TRY_ASSIGN(const auto shape, shape_of_paths(source, tensors, layout, whole));
    read_paths(tensors, shape, whole);
    if (tensors.has("w")) {
        whole.direction = tensors.take<double, std::uint64_t>("w", DType::f64, {tensors.rows("w")});
    }
    for (auto& rung : whole.rungs) read_pairs(tensors, rung);
    if (!tensors.problem().empty()) return malformed(tensors.problem());
    if (!tensors.empty()) return malformed("contains unknown tensors");
    if (const auto wrong = complaint(whole); !wrong.empty()) return malformed(wrong);
    return whole;
}

}  // namespace modelseal::blackbox
