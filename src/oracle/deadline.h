// The time limit for all requests, retries and pauses of one check: no answer of the other side can extend
// it.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include <fmt/format.h>

#include <modelseal/result.h>

namespace modelseal::oracle {

class Deadline {
  public:
    using Clock = std::chrono::steady_clock;
    using Milliseconds = std::chrono::milliseconds;

    Deadline() = default;  // never
    explicit Deadline(Milliseconds total) : total_(total), end_(Clock::now() + total) {}

    bool over() const { return end_ && Clock::now() >= *end_; }
    // The part of `wish` that is left, at least 0.
    Milliseconds at_most(Milliseconds wish) const {
        if (!end_) return wish;
        // Rounded up: a wait that ends before the limit would be taken for the other side's own slowness.
        const auto left = std::chrono::ceil<Milliseconds>(*end_ - Clock::now());
        return std::clamp(left, Milliseconds(0), std::max(wish, Milliseconds(0)));
    }
    const std::optional<Clock::time_point>& end() const { return end_; }

    // The error for work that was not finished in time: "WHAT within 600 s, the limit for all requests of a
    // check".
    Error error(const std::string& what) const {
        return {ErrorKind::unreadable,
                fmt::format("{} within the limit of {} s for all requests of a check", what,
                            static_cast<double>(total_.count()) / 1000),
                "for a slow server, raise the limit", Remedy::allow_more_time};
    }

  private:
    Milliseconds total_{0};
    std::optional<Clock::time_point> end_;
};

}  // namespace modelseal::oracle
