#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blackbox/payload.h"
#include "formats/bytes.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

using nlohmann::ordered_json;

// The shortest decimal that reads back as the same number.
template <class Number>
std::string text_of(Number number) {
    return fmt::format("{}", number);
}

template <class Number>
std::string list_of(const std::vector<Number>& numbers) {
    return fmt::format("{}", fmt::join(numbers, ","));
}

ordered_json facts_of(const Fingerprint& whole) {
    ordered_json facts;
    facts["root"] = whole.root;
    facts["sealed"] = whole.sealed ? "yes" : "no";
    facts["customer"] = whole.customer;
    facts["model"] = whole.model;
    facts["runtime"] = whole.runtime;
    facts["access"] = name_of(whole.access);
    facts["grid"] = name_of(whole.grid);
    facts["schedule"] = name_of(whole.schedule);
    facts["input.name"] = whole.input.shape.name;
    facts["input.shape"] = list_of(whole.input.shape.shape);
    facts["input.low"] = text_of(whole.input.low);
    facts["input.high"] = text_of(whole.input.high);
    facts["input.mean"] = list_of(whole.input.mean);
    facts["input.std"] = list_of(whole.input.std);
    facts["unit"] = text_of(whole.unit);
    facts["classes"] = text_of(whole.classes);
    facts["batch"] = text_of(whole.batch);
    for (const auto& rung : whole.rungs) {
        const std::string name(name_of(rung.rung));
        facts[name + ".noise"] = text_of(rung.noise);
        facts[name + ".scale"] = text_of(rung.scale);
        facts[name + ".floor"] = text_of(rung.floor);
        facts[name + ".drift"] = text_of(rung.drift);
    }
    return facts;
}

// TensorWriter one after the other, as in safetensors.
class TensorWriter {
  public:
    explicit TensorWriter(ordered_json facts) { header_["__metadata__"] = std::move(facts); }

    // Each value as the bits of a `Stored`.
    template <class Stored, class Values>
    void add(const std::string& name, const char* dtype, std::vector<std::uint64_t> shape,
             const Values& values) {
        const auto begin = data_.size();
        for (const auto value : values) put(std::bit_cast<Bits<Stored>>(static_cast<Stored>(value)));
        header_[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, data_.size()}}};
    }

    std::vector<std::byte> file() && {
        const auto text = header_.dump();
        auto writer =
            formats::ByteWriter().number(std::uint64_t{text.size()}).raw(std::as_bytes(std::span(text)));
        return writer.raw(data_).take();
    }

  private:
    template <class Stored>
    using Bits = std::conditional_t<
        sizeof(Stored) == 8, std::uint64_t,
        std::conditional_t<sizeof(Stored) == 4, std::uint32_t,
                           std::conditional_t<sizeof(Stored) == 2, std::uint16_t, std::uint8_t>>>;
    template <class Unsigned>
    void put(Unsigned bits) {
        for (std::size_t i = 0; i < sizeof bits; ++i) {
            data_.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(bits) >> (8 * i)));
        }
    }
    ordered_json header_;
    std::vector<std::byte> data_;
};

bool all_whole(const std::vector<Path>& paths, std::vector<float> Path::*part, float low, float high) {
    return std::ranges::all_of(paths, [&](const Path& path) {
        return std::ranges::all_of(path.*part, [&](float value) {
            // A negative zero would not round-trip as an integer.
            return value >= low && value <= high && value == std::trunc(value) &&
                   !(value == 0 && std::signbit(value));
        });
    });
}

std::vector<float> joined(const std::vector<Path>& paths, std::vector<float> Path::*part) {
    std::vector<float> values;
    values.reserve(paths.size() * (paths.front().*part).size());
    for (const auto& path : paths) values.insert(values.end(), (path.*part).begin(), (path.*part).end());
    return values;
}

struct PathTypes {
    bool short_base, short_direction;
    std::uint64_t element_bytes() const { return (short_base ? 2u : 4u) + (short_direction ? 1u : 4u); }
};

void add_paths(const Fingerprint& whole, PathTypes types, TensorWriter& tensors) {
    const std::vector<std::uint64_t> shape = {whole.paths.size(), whole.input.shape.elements()};
    const auto base = joined(whole.paths, &Path::base);
    types.short_base ? tensors.add<std::uint16_t>("base", "U16", shape, base)
                     : tensors.add<float>("base", "F32", shape, base);
    const auto direction = joined(whole.paths, &Path::direction);
    types.short_direction ? tensors.add<std::int8_t>("direction", "I8", shape, direction)
                          : tensors.add<float>("direction", "F32", shape, direction);
}

void add_rung(const RungOfPairs& rung, TensorWriter& tensors) {
    std::vector<std::uint32_t> path, target;
    std::vector<double> position, margin;
    std::vector<std::int64_t> label;
    for (const auto& pair : rung.pairs) {
        path.push_back(pair.path);
        target.push_back(pair.target);
        for (const auto& member : pair.member) {
            position.push_back(member.position);
            margin.push_back(member.margin);
            label.push_back(member.label);
        }
    }
    const std::string name(name_of(rung.rung));
    const std::uint64_t count = rung.pairs.size();
    tensors.add<std::uint32_t>(name + ".path", "U32", {count}, path);
    tensors.add<std::uint32_t>(name + ".target", "U32", {count}, target);
    tensors.add<double>(name + ".position", "F64", {count, 2}, position);
    tensors.add<double>(name + ".margin", "F64", {count, 2}, margin);
    tensors.add<std::int64_t>(name + ".label", "I64", {count, 2}, label);
}

}  // namespace

Result<std::vector<std::byte>> encode_payload(const Fingerprint& whole) {
    if (const auto wrong = complaint(whole); !wrong.empty()) {
        return Error{ErrorKind::internal, "the fingerprint is not well-formed: " + wrong, {}};
    }
    const PathTypes types = {all_whole(whole.paths, &Path::base, 0, 65535),
                             all_whole(whole.paths, &Path::direction, -128, 127)};
    const auto elements = whole.input.shape.elements();
    if (whole.paths.size() > kMostPayload / (elements * types.element_bytes())) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{} paths of {} exceed the {} of a fingerprint file", whole.paths.size(),
                                 util::counted(elements, "element"), util::counted(kMostPayload, "byte")),
                     "make fewer pairs"};
    }
    TensorWriter tensors(facts_of(whole));
    add_paths(whole, types, tensors);
    if (!whole.direction.empty()) tensors.add<double>("w", "F64", {whole.direction.size()}, whole.direction);
    for (const auto& rung : whole.rungs) add_rung(rung, tensors);
    return std::move(tensors).file();
}

}  // namespace modelseal::blackbox
