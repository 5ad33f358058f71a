// The parts of a payload (payload.h): facts, which are texts, and tensors, as a safetensors file has them.
#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "blackbox/facts.h"
#include "blackbox/tried_runtimes.h"
#include "formats/bytes.h"
#include "formats/reader.h"
#include "formats/registry.h"
#include <modelseal/format.h>
#include <modelseal/tensor.h>

namespace modelseal::blackbox {

using Extents = std::vector<std::uint64_t>;

// Facts in the order of writing, then tensors in the order of writing.
class PayloadWriter {
  public:
    void fact(const std::string& key, std::string_view value) { facts_[key] = value; }
    // The shortest decimal that reads back as the same number.
    template <class Number>
    void number(const std::string& key, Number value) {
        facts_[key] = fmt::format("{}", value);
    }
    template <class Number>
    void numbers(const std::string& key, const std::vector<Number>& values) {
        facts_[key] = fmt::format("{}", fmt::join(values, ","));
    }

    // Each value as the bits of a `Stored`; `dtype` as safetensors names it.
    template <class Stored, class Values>
    void tensor(const std::string& name, const char* dtype, const Extents& shape, const Values& values) {
        const auto begin = data_.size();
        for (const auto value : values) put(std::bit_cast<Bits<Stored>>(static_cast<Stored>(value)));
        tensors_[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, data_.size()}}};
    }

    std::vector<std::byte> file() && {
        nlohmann::ordered_json header;
        header["__metadata__"] = std::move(facts_);
        for (auto& [name, entry] : tensors_.items()) header[name] = std::move(entry);
        const auto text = header.dump();
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
    nlohmann::ordered_json facts_, tensors_ = nlohmann::ordered_json::object();
    std::vector<std::byte> data_;
};

// Of a rung. Files from before they were counted have neither fact.
inline void write_tried(const std::string& rung, const TriedRuntimes& tried, PayloadWriter& payload) {
    if (tried.runtimes == 0) return;
    payload.number(rung + ".runtimes", tried.runtimes);
    payload.number(rung + ".evaluations", tried.evaluations);
}
inline TriedRuntimes read_tried(const std::string& rung, Facts& facts) {
    if (!facts.has(rung + ".runtimes")) return {};
    return {facts.number<std::uint64_t>(rung + ".runtimes"),
            facts.number<std::uint64_t>(rung + ".evaluations")};
}

// Hostile bytes: every fact and tensor is taken once. Failed reads stick and return empty values; check
// problem() at the end.
class PayloadReader {
  public:
    PayloadReader(Facts given, const Layout& layout, std::span<const std::byte> bytes)
        : facts(std::move(given)), bytes_(bytes) {
        for (const auto& tensor : layout.tensors) tensors_.emplace(tensor.name, tensor);
    }

    Facts facts;

    bool has(const std::string& name) const { return tensors_.count(name) != 0; }
    bool is(const std::string& name, DType dtype) const {
        const auto found = tensors_.find(name);
        return found != tensors_.end() && found->second.dtype == dtype;
    }
    // The shape of a tensor; empty if it is not there.
    Extents shape(const std::string& name) const {
        const auto found = tensors_.find(name);
        return found == tensors_.end() ? Extents() : found->second.shape;
    }
    std::uint64_t rows(const std::string& name) const {
        const auto extents = shape(name);
        return extents.empty() ? 0 : extents[0];
    }

    // Its values, if it has this type and shape.
    template <class Value, class Bits>
    std::vector<Value> take(const std::string& name, DType dtype, const Extents& shape) {
        const auto found = tensors_.extract(name);
        if (found.empty() || found.mapped().dtype != dtype || found.mapped().shape != shape) {
            fail(fmt::format("tensor '{}' of {} [{}] is missing", name, info(dtype).name,
                             fmt::join(shape, ", ")));
            return {};
        }
        std::vector<Value> values(found.mapped().elements);
        if (values.empty()) return values;
        formats::ByteReader reader(bytes_.subspan(found.mapped().segments.front().offset));
        for (auto& value : values) value = std::bit_cast<Value>(reader.number<Bits>());
        return values;
    }

    // The same of integers of type `small`, or of float32 if they are stored so.
    template <class Small, class Bits>
    std::vector<float> take_numbers(const std::string& name, DType small, const Extents& shape) {
        if (!is(name, small)) return take<float, std::uint32_t>(name, DType::f32, shape);
        const auto values = take<Small, Bits>(name, small, shape);
        return std::vector<float>(values.begin(), values.end());
    }

    void fail(std::string what) {
        if (problem_.empty()) problem_ = std::move(what);
    }
    bool ok() const { return problem_.empty() && facts.problem().empty(); }
    const std::string& problem() const { return facts.problem().empty() ? problem_ : facts.problem(); }
    bool has_unread_tensors() const { return !tensors_.empty(); }

  private:
    std::span<const std::byte> bytes_;
    std::map<std::string, Tensor> tensors_;
    std::string problem_;
};

}  // namespace modelseal::blackbox
