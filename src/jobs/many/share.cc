#include "jobs/many/share.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <numeric>
#include <queue>

#include <fmt/format.h>

#include "io/extent.h"
#include "oracle/endpoint.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

constexpr std::uint32_t kMostShares = 1'000'000;

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Names of variables: this machine's number, how many there are, and the first number, where that is not 0.
struct Scheduler {
    const char *name, *index, *count, *first;
};
constexpr std::array kSchedulers = {
    Scheduler{"a Kubernetes Indexed Job", "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", nullptr},
    Scheduler{"a Slurm array", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"},
    Scheduler{"MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", nullptr}};

Result<Share> share_in(std::uint64_t index, std::uint64_t of, const std::string& where) {
    if (of >= 1 && of <= kMostShares && index < of)
        return Share{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(of)};
    return Error{
        ErrorKind::usage, fmt::format("{}: share {} of {}, counted from 0, is none", where, index, of), {}};
}

Result<Share> share_of_environment() {
    for (const auto& scheduler : kSchedulers) {
        const char* const index = std::getenv(scheduler.index);
        if (index == nullptr) continue;
        const char* const count = std::getenv(scheduler.count);
        if (count == nullptr) {
            return Error{ErrorKind::usage,
                         fmt::format("{} is set, and {} is not", scheduler.index, scheduler.count),
                         fmt::format("of {}, set both", scheduler.name)};
        }
        const char* const first = scheduler.first == nullptr ? nullptr : std::getenv(scheduler.first);
        const auto i = number_in(index), n = number_in(count), from = number_in(first == nullptr ? "0" : first);
        if (!i || !n || !from || *i < *from)
            return Error{ErrorKind::usage,
                         fmt::format("{} and {} are not numbers of a share", scheduler.index, scheduler.count),
                         {}};
        return share_in(*i - *from, *n, scheduler.index);
    }
    return Error{ErrorKind::usage, "the environment has no number of a share",
                 "it is that of a Kubernetes Indexed Job, a Slurm array, or MPI; or give the share as 0/8"};
}

std::uint64_t bytes_of(const Target& target) {
    if (oracle::is_endpoint(target.path)) return 1;
    return std::max<std::uint64_t>(1, io::extent_of(target.path).bytes);
}

}  // namespace

Result<Share> parse_share(std::string_view text) {
    if (text == "auto") return share_of_environment();
    const auto slash = text.find('/');
    const auto index = number_in(text.substr(0, slash));
    const auto of = slash == text.npos ? std::nullopt : number_in(text.substr(slash + 1));
    if (index && of) return share_in(*index, *of, util::printable(text));
    return Error{ErrorKind::usage, fmt::format("'{}' is not a share", util::printable(text)),
                 "write it as 0/8, or auto"};
}

std::vector<std::uint32_t> shares_of(const std::vector<std::uint64_t>& bytes, std::uint32_t of) {
    std::vector<std::size_t> order(bytes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t i) { return bytes[i]; });
    using Load = std::pair<std::uint64_t, std::uint32_t>;
    std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
    for (std::uint32_t i = 0; i < of; ++i) loads.emplace(0, i);
    std::vector<std::uint32_t> shares(bytes.size());
    for (const auto i : order) {
        const auto [load, share] = loads.top();
        loads.pop();
        shares[i] = share;
        loads.emplace(load + bytes[i], share);
    }
    return shares;
}

std::vector<Target> targets_of(const Share& share, const std::vector<Target>& targets) {
    if (share.of == 1) return targets;
    std::vector<std::uint64_t> bytes;
    for (const auto& target : targets) bytes.push_back(bytes_of(target));
    const auto shares = shares_of(bytes, share.of);
    std::vector<Target> own;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (shares[i] == share.index) own.push_back(targets[i]);
    }
    return own;
}

}  // namespace modelseal::jobs
