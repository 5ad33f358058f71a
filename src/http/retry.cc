#include "http/retry.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <random>

namespace modelseal::http {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds kLongestWait{30'000};

}  // namespace

std::optional<milliseconds> retry_after(std::string_view field) {
    std::uint32_t seconds = 0;
    const auto [stop, code] = std::from_chars(field.data(), field.data() + field.size(), seconds);
    if (field.empty() || stop != field.data() + field.size()) return std::nullopt;
    if (code != std::errc()) return kLongestWait;
    return std::min(kLongestWait, milliseconds(1000ull * seconds));
}

milliseconds wait_before(unsigned retry, milliseconds first) {
    static thread_local std::minstd_rand random{std::random_device{}()};
    const auto full = std::min(kLongestWait, first * (1u << std::min(retry, 16u)));
    return milliseconds(
        std::uniform_int_distribution<milliseconds::rep>(full.count() / 2, full.count())(random));
}

}  // namespace modelseal::http
