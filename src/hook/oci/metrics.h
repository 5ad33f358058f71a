// Numbers for those who watch the hook, in the text format of Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "hook/oci/queue.h"
#include <modelseal/report.h>

namespace modelseal::hook {

// Since the start of the process. Thread safety: any number of threads may count and read.
struct Metrics {
    std::atomic<std::uint64_t> accepted{0}, malformed{0}, unauthorized{0};  // notifications
    std::atomic<std::uint64_t> skipped{0};                                  // events of accepted notifications
    std::array<std::atomic<std::uint64_t>, 4> decisions{};                  // by Ruling::Outcome
    std::atomic<std::uint64_t> indexes{0}, gone{0};
    std::atomic<std::uint64_t> failures{0};  // attempts that are made again
    std::atomic<std::uint64_t> bytes{0};     // of layers
    std::atomic<std::uint64_t> policy_read{0}, policy_refused{0};

    std::string text(const QueueCounts& queue, bool policy_valid) const;
};

}  // namespace modelseal::hook
