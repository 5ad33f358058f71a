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

// The row has as many numbers as the parts that are not fixed.
std::string complaint_about_parts(const oracle::InputShape& row) {
    std::uint64_t numbers = 0;
    for (const auto& part : row.parts) {
        std::uint64_t some = 1;
        for (const auto extent : part.shape) {
            if (extent < 1 || !util::checked_mul(some, static_cast<std::uint64_t>(extent), some) ||
                some > kMostElements)
                return "an input has an extent below 1, or too many elements";
        }
        const bool finite = part.fixed ? std::isfinite(*part.fixed)
                                       : std::isfinite(part.range[0]) && std::isfinite(part.range[1]) &&
                                             part.range[0] < part.range[1];
        if (!finite || !is_text(part.name))
            return "an input has an empty range, or a name or value that is none";
        numbers += part.fixed ? 0 : some;
    }
    if (!row.parts.empty() && (row.shape.size() != 1 || static_cast<std::uint64_t>(row.shape[0]) != numbers))
        return "the inputs together do not have the elements of the row";
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

// A list of lists: name, extents, range or value.
std::string text_of(const std::vector<InputPart>& parts) {
    auto all = nlohmann::json::array();
    for (const auto& part : parts) {
        auto values = part.fixed ? nlohmann::json::array({*part.fixed}) : nlohmann::json(part.range);
        all.push_back({part.name, part.shape, std::move(values)});
    }
    return all.dump();
}

std::vector<InputPart> parts_in(Facts& facts) {
    constexpr std::size_t kMostParts = 64;
    const auto text = facts.text("input.parts");
    const auto wrong = [&] {
        facts.fail("fact 'input.parts' is not a list of inputs");
        return std::vector<InputPart>();
    };
    const auto all = nlohmann::json::parse(text, nullptr, false);
    if (!all.is_array() || all.empty() || all.size() > kMostParts) return wrong();
    std::vector<InputPart> parts;
    for (const auto& one : all) {
        const bool is_list = one.is_array() && one.size() == 3 && one[0].is_string() && one[1].is_array() &&
                             one[2].is_array() && one[1].size() <= kMostExtents && !one[2].empty() &&
                             one[2].size() <= 2;
        if (!is_list) return wrong();
        auto& part = parts.emplace_back(InputPart{.name = one[0].get<std::string>(), .shape = {}});
        for (const auto& extent : one[1]) {
            if (!extent.is_number_integer()) return wrong();
            part.shape.push_back(extent.get<std::int64_t>());
        }
        for (const auto& value : one[2]) {
            if (!value.is_number()) return wrong();
        }
        if (one[2].size() == 1)
            part.fixed = one[2][0].get<double>();
        else
            part.range = {one[2][0].get<float>(), one[2][1].get<float>()};
    }
    return parts;
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
    if (!whole.input.shape.parts.empty()) payload.fact("input.parts", text_of(whole.input.shape.parts));
    payload.numbers("input.shape", whole.input.shape.shape);
    payload.number("input.low", whole.input.low);
    payload.number("input.high", whole.input.high);
    payload.numbers("input.mean", whole.input.mean);
    payload.numbers("input.std", whole.input.std);
    payload.number("unit", whole.unit);
    payload.number("classes", whole.classes);
    payload.number("batch", whole.batch);
    if (whole.alone) payload.fact("alone", "yes");
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
    if (facts.has("input.parts")) input.shape.parts = parts_in(facts);
    input.shape.shape = facts.numbers<std::int64_t>("input.shape", kMostExtents);
    input.low = facts.number<float>("input.low");
    input.high = facts.number<float>("input.high");
    input.mean = facts.numbers<float>("input.mean", kMostElements);
    input.std = facts.numbers<float>("input.std", kMostElements);
    whole.unit = facts.number<double>("unit");
    whole.classes = facts.number<std::size_t>("classes");
    whole.batch = facts.number<std::size_t>("batch");
    whole.alone = facts.has("alone") && facts.word("alone", yes_or_no);
}

// What all methods have in common.
std::string complaint_about_facts(const Fingerprint& whole) {
    if (!is_root(whole.root)) return "the root is not 64 hexadecimal digits";
    for (const auto* text : {&whole.customer, &whole.model, &whole.runtime}) {
        if (!is_text(*text)) return "a name is too long or not text";
    }
    if (auto wrong = complaint(whole.input); !wrong.empty()) return wrong;
    if (auto wrong = complaint_about_parts(whole.input.shape); !wrong.empty()) return wrong;
    if (!std::isfinite(whole.unit) || whole.unit <= 0) return "the unit is not a positive number";
    const std::size_t least = whole.access == Access::values ? 1 : 2;
    if (whole.classes < least || whole.classes > kMostClasses) {
        return fmt::format("{}; {} to {} are possible", util::counted(whole.classes, "class"), least,
                           kMostClasses);
    }
    if (whole.batch < 1 || whole.batch > kMostBatch) {
        return fmt::format("a batch of {}; 1 to {} are possible", whole.batch, kMostBatch);
    }
    if (whole.alone && whole.batch != 1) return "inputs are asked alone, in batches of several";
    return {};
}

}  // namespace

std::string complaint(const Fingerprint& whole) {
    auto wrong = complaint_about_facts(whole);
    return wrong.empty() ? method_of(whole).complaint(whole) : wrong;
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
    // Before a method computes with them.
    if (const auto wrong = complaint_about_facts(whole); !wrong.empty()) return malformed(wrong);
    method_of(method).read(payload, whole);
    if (!payload.facts.problem().empty()) return malformed(payload.facts.problem());
    if (!payload.facts.left().empty()) {
        return formats::unsupported_at(
            source, 8, fmt::format("unknown fact '{}'", util::printable(payload.facts.left().begin()->first)));
    }
    if (!payload.ok()) return malformed(payload.problem());
    if (payload.has_unread_tensors()) return malformed("contains unknown tensors");
    if (const auto wrong = method_of(whole).complaint(whole); !wrong.empty()) return malformed(wrong);
    return whole;
}

}  // namespace modelseal::blackbox
