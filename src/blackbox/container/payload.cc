#include "blackbox/container/payload.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blackbox/container/payload_parts.h"
#include "blackbox/method.h"
#include "formats/json.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

constexpr Limits kLimits = {.metadata_bytes = 1u << 20, .tensors = 64, .rank = 2, .name_bytes = 64};
constexpr std::size_t kMostExtents = 8;

bool all_finite(std::span<const float> values) {
    return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

bool is_root(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_text(std::string_view text) {
    return text.size() <= kMostText && util::printable(text) == text;
}

std::string complaint(const Input& input) {
    const auto& shape = input.shape.shape;
    if (!is_text(input.shape.name)) return "the input's name is too long or not text";
    if (shape.empty() || shape.size() > 8) return "the input's shape does not have 1 to 8 dimensions";
    std::uint64_t elements = 1;
    for (const auto extent : shape) {
        if (extent < 1 || !util::checked_mul(elements, static_cast<std::uint64_t>(extent), elements) ||
            elements > kMostElements) {
            return fmt::format("the input's shape has an extent below 1, or more than {}",
                               util::counted(kMostElements, "element"));
        }
    }
    if (!std::isfinite(input.low) || !std::isfinite(input.high) || input.low >= input.high) {
        return "the input's range is not two numbers in ascending order";
    }
    for (const auto* values : {&input.mean, &input.std}) {
        const bool fits =
            values->empty() || values->size() == 1 || values->size() == static_cast<std::size_t>(shape.front());
        if (!fits || !all_finite(*values)) {
            return "mean or std is not one finite number or one per channel";
        }
    }
    if (std::ranges::any_of(input.std, [](float value) { return value <= 0; })) return "std is not positive";
    return {};
}

Result<Facts> facts_in(const Source& source) {
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

std::optional<bool> yes_or_no(std::string_view text) {
    return text == "yes" ? std::optional(true) : text == "no" ? std::optional(false) : std::nullopt;
}

// The extents are hostile until here: their product is that of an input that fits.
bool fits(const oracle::InputShape& input) {
    std::uint64_t product = input.shape.empty() ? 0 : 1;
    for (const auto extent : input.shape) {
        if (extent < 1 || !util::checked_mul(product, static_cast<std::uint64_t>(extent), product))
            return false;
    }
    return product >= 1 && product <= kMostElements;
}

void write_facts(const Fingerprint& whole, PayloadWriter& payload) {
    // Payloads from before there were methods lack this one, and are of pairs.
    if (whole.method() != FingerprintMethod::pairs) payload.fact("method", name_of(whole.method()));
    payload.fact("root", whole.root);
    payload.fact("sealed", whole.sealed ? "yes" : "no");
    payload.fact("customer", whole.customer);
    payload.fact("model", whole.model);
    payload.fact("runtime", whole.runtime);
    payload.fact("access", name_of(whole.access));
    payload.fact("grid", name_of(whole.grid));
    payload.fact("input.name", whole.input.shape.name);
    payload.numbers("input.shape", whole.input.shape.shape);
    payload.number("input.low", whole.input.low);
    payload.number("input.high", whole.input.high);
    payload.numbers("input.mean", whole.input.mean);
    payload.numbers("input.std", whole.input.std);
    payload.number("unit", whole.unit);
    payload.number("classes", whole.classes);
    payload.number("batch", whole.batch);
}

void read_common(Facts& facts, Fingerprint& whole) {
    whole.root = facts.text("root");
    whole.sealed = facts.word("sealed", yes_or_no);
    whole.customer = facts.text("customer");
    whole.model = facts.text("model");
    whole.runtime = facts.text("runtime");
    whole.access = facts.word("access", access_of);
    whole.grid = facts.word("grid", grid_of);
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
}

}  // namespace

std::string complaint(const Fingerprint& whole) {
    if (!is_root(whole.root)) return "the root is not 64 hexadecimal digits";
    for (const auto* text : {&whole.customer, &whole.model, &whole.runtime}) {
        if (!is_text(*text)) return "a name is too long or not text";
    }
    if (auto wrong = complaint(whole.input); !wrong.empty()) return wrong;
    if (!std::isfinite(whole.unit) || whole.unit <= 0) return "the unit is not a positive number";
    if (whole.classes < 2 || whole.classes > kMostClasses) {
        return fmt::format("{}; 2 to {} are possible", util::counted(whole.classes, "class"), kMostClasses);
    }
    if (whole.batch < 1 || whole.batch > kMostBatch) {
        return fmt::format("a batch of {}; 1 to {} are possible", whole.batch, kMostBatch);
    }
    return method_of(whole).complaint(whole);
}

Result<std::vector<std::byte>> encode_payload(const Fingerprint& whole) {
    if (const auto wrong = complaint(whole); !wrong.empty()) {
        return Error{ErrorKind::internal, "the fingerprint is not well-formed: " + wrong, {}};
    }
    PayloadWriter payload;
    write_facts(whole, payload);
    MODELSEAL_TRY(method_of(whole).write(whole, payload));
    return std::move(payload).file();
}

Result<Fingerprint> decode_payload(std::span<const std::byte> bytes, const std::string& name) {
    const formats::MemorySource source(name, bytes);
    const auto malformed = [&](const std::string& what) { return formats::malformed_at(source, 8, what); };
    MODELSEAL_TRY_ASSIGN(const auto layout, formats::kSafetensors.parse(source, kLimits));
    MODELSEAL_TRY_ASSIGN(auto facts, facts_in(source));
    PayloadReader payload(std::move(facts), layout, bytes);
    Fingerprint whole;
    auto method = FingerprintMethod::pairs;
    if (payload.facts.has("method")) {
        const auto text = payload.facts.text("method");
        const auto known = modelseal::method_of(text);
        if (!known) {
            return formats::unsupported_at(source, 8,
                                           fmt::format("unknown method '{}'", util::printable(text)));
        }
        method = *known;
    }
    read_common(payload.facts, whole);
    if (!payload.ok()) return malformed(payload.problem());
    if (!fits(whole.input.shape)) return malformed("the input's shape is not that of an input");
    method_of(method).read(payload, whole);
    if (!payload.facts.problem().empty()) return malformed(payload.facts.problem());
    if (!payload.facts.left().empty()) {
        return formats::unsupported_at(
            source, 8, fmt::format("unknown fact '{}'", util::printable(payload.facts.left().begin()->first)));
    }
    if (!payload.ok()) return malformed(payload.problem());
    if (payload.has_unread_tensors()) return malformed("contains unknown tensors");
    if (const auto wrong = complaint(whole); !wrong.empty()) return malformed(wrong);
    return whole;
}

}  // namespace modelseal::blackbox
