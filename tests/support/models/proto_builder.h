// Writes protobuf messages field by field, good or bad: nothing is checked.
#pragma once

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace modelseal::test {

class Proto {
  public:
    Proto& varint(std::uint32_t field, std::uint64_t value) { return tag(field, 0).number(value); }
    Proto& fixed64(std::uint32_t field, std::uint64_t value) { return tag(field, 1).little_endian(value, 8); }
    Proto& fixed32(std::uint32_t field, std::uint32_t value) { return tag(field, 5).little_endian(value, 4); }
    Proto& bytes(std::uint32_t field, std::string_view payload) {
        return tag(field, 2).number(payload.size()).raw(payload);
    }
    Proto& message(std::uint32_t field, const Proto& inner) { return bytes(field, inner.text()); }
    Proto& packed(std::uint32_t field, std::initializer_list<std::uint64_t> values) {
        Proto inner;
        for (const auto value : values) inner.number(value);
        return message(field, inner);
    }
    Proto& floats(std::uint32_t field, std::initializer_list<float> values) {
        Proto inner;
        for (const auto value : values) inner.little_endian(std::bit_cast<std::uint32_t>(value), 4);
        return message(field, inner);
    }
    Proto& doubles(std::uint32_t field, std::initializer_list<double> values) {
        Proto inner;
        for (const auto value : values) inner.little_endian(std::bit_cast<std::uint64_t>(value), 8);
        return message(field, inner);
    }

    Proto& tag(std::uint32_t field, std::uint32_t wire) { return number(std::uint64_t{field} << 3 | wire); }
    Proto& number(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) text_.push_back(static_cast<char>(value | 0x80));
        text_.push_back(static_cast<char>(value));
        return *this;
    }
    Proto& little_endian(std::uint64_t value, int count) {
        for (int i = 0; i < count; ++i) text_.push_back(static_cast<char>(value >> (8 * i)));
        return *this;
    }
    Proto& raw(std::string_view text) {
        text_ += text;
        return *this;
    }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

}  // namespace modelseal::test
