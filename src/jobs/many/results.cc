#include "jobs/many/results.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "io/file.h"
#include "policy/decide.h"
#include "util/encodings.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kSchema = "modelseal-results/1";
constexpr std::size_t kLongestLine = 64u << 20;
constexpr std::uint64_t kLatest = 253'402'300'800;  // the year 10,000, as seconds since 1970
constexpr auto kSyncEvery = std::chrono::seconds(1);

std::string line_of(const ResultsHead& head) {
    return ordered_json{{"schema", kSchema},
                        {"program", head.program},
                        {"list", head.list},
                        {"targets", head.targets},
                        {"shard", fmt::format("{}/{}", head.share.index, head.share.of)},
                        {"shard_targets", head.of_share},
                        {"question", head.question},
                        {"begun", head.begun.time_since_epoch().count()},
                        {"keys", head.keys}}
               .dump(-1, ' ', true) +
           "\n";
}

Error malformed(const std::string& name, std::uint64_t line, std::string_view what) {
    return {ErrorKind::malformed, fmt::format("{}:{}: {}", name, line, what), {}};
}

// A member of an object, or nothing if it is missing or of another type.
template <class Value>
std::optional<Value> member(const json& object, const char* key) {
    if (!object.is_object() || !object.contains(key)) return std::nullopt;
    const auto& value = object.at(key);
    if constexpr (std::is_same_v<Value, std::string>) {
        if (!value.is_string()) return std::nullopt;
    } else {
        if (!value.is_number_integer() || value < 0) return std::nullopt;
    }
    return value.get<Value>();
}

json parsed(const std::string& line) {
    return json::parse(line, nullptr, false);
}

Result<ResultsHead> head_in(const std::string& name, const std::string& line) {
    const auto object = parsed(line);
    const auto schema = member<std::string>(object, "schema");
    if (!schema || *schema != kSchema) return malformed(name, 1, "is not the head of a file of results");
    ResultsHead head;
    const auto share = member<std::string>(object, "shard");
    const auto parsed_share = share && *share != "auto" ? parse_share(*share) : Error{};
    const auto targets = member<std::uint64_t>(object, "targets"),
               own = member<std::uint64_t>(object, "shard_targets");
    if (!parsed_share.ok() || !targets || !own || *own > *targets)
        return malformed(name, 1, "states no share of a list");
    head.share = *parsed_share;
    head.targets = *targets;
    head.of_share = *own;
    head.program = member<std::string>(object, "program").value_or("");
    head.list = member<std::string>(object, "list").value_or("");
    head.question = member<std::string>(object, "question").value_or("");
    const auto begun = member<std::uint64_t>(object, "begun").value_or(0);
    if (begun < kLatest) head.begun = std::chrono::sys_seconds(std::chrono::seconds(begun));
    if (object.contains("keys") && object["keys"].is_array()) {
        for (const auto& key : object["keys"]) {
            if (key.is_string()) head.keys.push_back(key.get<std::string>());
        }
    }
    return head;
}

// Whether `begun` was meant to be a head as `line`, apart from what decides nothing.
bool begins_as(std::string_view line, std::string_view begun) {
    const auto decisive = line.substr(0, line.find("\"begun\""));
    return begun.starts_with(decisive) || decisive.starts_with(begun);
}

// Complete lines of a file, one by one, and where the last one ends.
class Lines {
  public:
    explicit Lines(const std::filesystem::path& path) : in_(path, std::ios::binary) {}
    bool opened() const { return in_.is_open(); }
    // False at the end, or before a line that is not complete.
    bool next(std::string& line) {
        if (!std::getline(in_, line) || in_.eof() || line.size() > kLongestLine) return false;
        ++number_;
        end_ += line.size() + 1;
        return true;
    }
    std::uint64_t number() const { return number_; }
    std::uint64_t end() const { return end_; }

  private:
    std::ifstream in_;
    std::uint64_t number_ = 0, end_ = 0;
};

std::string detail_of(const json& report) {
    if (const auto error = member<std::string>(report, "error")) return *error;
    if (!report.contains("checks") || !report["checks"].is_array()) return {};
    for (const auto& check : report["checks"]) {
        const auto outcome = member<std::string>(check, "outcome");
        const auto detail = member<std::string>(check, "detail");
        if (outcome && detail && *outcome != "intact" && *outcome != "valid") return *detail;
    }
    return {};
}

std::string why_denied(const json& policy) {
    if (!policy.is_object() || !policy.contains("requirements") || !policy["requirements"].is_array())
        return {};
    for (const auto& requirement : policy["requirements"]) {
        if (!requirement.is_object() || requirement.value("holds", json(true)) != json(false)) continue;
        return fmt::format("{}: {}", member<std::string>(requirement, "what").value_or(""),
                           member<std::string>(requirement, "found").value_or(""));
    }
    return {};
}

Result<MergedResult> result_in(const std::string& name, std::uint64_t number, const std::string& line) {
    const auto report = parsed(line);
    const auto target = member<std::string>(report, "target"), verdict = member<std::string>(report, "verdict");
    const auto code = member<std::uint64_t>(report, "exit_code");
    if (!target || !verdict || !code || *code > 4)
        return malformed(name, number, "is not the result of a check");
    MergedResult out{.target = *target,
                     .verdict = *verdict,
                     .outcome = {},
                     .exit_code = static_cast<int>(*code),
                     .detail = {}};
    const auto policy = report.contains("policy") ? report["policy"] : json();
    out.outcome = member<std::string>(policy, "outcome").value_or("");
    if (out.exit_code != 0 || out.outcome == "warn")
        out.detail = policy.is_object() ? why_denied(policy) : detail_of(report);
    return out;
}

}  // namespace

ResultsHead head_of(const std::vector<Target>& all, const Share& share, std::size_t of_share,
                    std::string program, std::string question) {
    crypto::Sha256 digest;
    for (const auto& target : all) digest.update_text(target.path).update_text(std::string_view("\0", 1));
    return {.program = std::move(program),
            .list = to_hex(digest.finish()),
            .targets = all.size(),
            .share = share,
            .of_share = of_share,
            .question = std::move(question)};
}

bool ResultsHead::operator==(const ResultsHead& other) const {
    return program == other.program && list == other.list && targets == other.targets && share == other.share &&
           of_share == other.of_share && question == other.question;
}

Result<ResultsFile> ResultsFile::open(const std::filesystem::path& path, int flags) {
    ResultsFile file;
    file.name_ = util::printable(path.string());
    file.fd_ = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0644);
    if (file.fd_ < 0 && errno == EEXIST) {
        return Error{ErrorKind::usage, file.name_ + ": there are results already",
                     "go on with them, or give another file"};
    }
    if (file.fd_ < 0) return io::os_error(errno, path.string(), "write");
    if (::flock(file.fd_, LOCK_EX | LOCK_NB) != 0) {
        return Error{ErrorKind::unreadable, file.name_ + ": another process appends to it",
                     "give each machine a file of its own"};
    }
    return file;
}

Result<ResultsFile> ResultsFile::create(const std::filesystem::path& path, const ResultsHead& head) {
    MODELSEAL_TRY_ASSIGN(auto file, open(path, O_EXCL));
    MODELSEAL_TRY(file.write(line_of(head)));
    return file;
}

Result<ResultsFile> ResultsFile::resume(const std::filesystem::path& path, const ResultsHead& head) {
    MODELSEAL_TRY_ASSIGN(auto file, open(path, 0));
    Lines lines(path);
    std::string line;
    if (!lines.opened()) return io::os_error(errno, path.string(), "read");
    if (!lines.next(line)) {
        // Killed before the head was complete; another file of a single line is not ours to cut.
        std::error_code failed;
        const auto size = std::filesystem::file_size(path, failed);
        if (failed || size > line.size() || !begins_as(line_of(head), line))
            return malformed(file.name_, 1, "is not the head of a file of results");
        if (::ftruncate(file.fd_, 0) != 0) return io::os_error(errno, file.name_, "write");
        MODELSEAL_TRY(file.write(line_of(head)));
        return file;
    }
    MODELSEAL_TRY_ASSIGN(const auto found, head_in(file.name_, line));
    if (found != head) {
        return Error{
            ErrorKind::usage,
            file.name_ + ": has results of another list, another share, other questions, or another release",
            "give another file"};
    }
    while (lines.next(line)) {
        MODELSEAL_TRY_ASSIGN(auto result, result_in(file.name_, lines.number(), line));
        file.done_.insert(std::move(result.target));
    }
    if (::ftruncate(file.fd_, static_cast<off_t>(lines.end())) != 0)
        return io::os_error(errno, file.name_, "write");
    return file;
}

ResultsFile::ResultsFile(ResultsFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      done_(std::move(other.done_)),
      synced_(other.synced_) {}

ResultsFile& ResultsFile::operator=(ResultsFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(name_, other.name_);
    std::swap(done_, other.done_);
    synced_ = other.synced_;
    return *this;
}

ResultsFile::~ResultsFile() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> ResultsFile::write(std::string_view text) {
    while (!text.empty()) {
        const auto count = ::write(fd_, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return io::os_error(errno, name_, "write");
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<void> ResultsFile::append(const std::string& target, const std::string& line) {
    MODELSEAL_TRY(write(line));
    done_.insert(target);
    if (std::chrono::steady_clock::now() - synced_ < kSyncEvery) return {};
    return finish();
}

Result<void> ResultsFile::finish() {
    synced_ = std::chrono::steady_clock::now();
    if (::fdatasync(fd_) != 0 && errno != EINVAL) return io::os_error(errno, name_, "write");
    return {};
}

ExitCode Merged::exit_code() const {
    auto code = results.empty() ? ExitCode::nothing : ExitCode::done;
    for (const auto& result : results) code = policy::worst(code, static_cast<ExitCode>(result.exit_code));
    if (!gaps.empty() || !contradictions.empty()) code = policy::worst(code, ExitCode::failed);
    return code;
}

Result<Merged> merge_results(const std::vector<std::filesystem::path>& files) {
    Merged merged;
    std::optional<ResultsHead> first;
    std::map<std::uint32_t, std::set<std::string>> found;  // of each share
    std::map<std::uint32_t, std::uint64_t> wanted;
    for (std::size_t file = 0; file < files.size(); ++file) {
        const auto& path = files[file];
        const auto name = util::printable(path.string());
        Lines lines(path);
        std::string line;
        if (!lines.opened()) return io::os_error(errno, path.string(), "open");
        if (!lines.next(line)) return malformed(name, 1, "is not the head of a file of results");
        MODELSEAL_TRY_ASSIGN(const auto head, head_in(name, line));
        if (!first) first = head;
        if (head.list != first->list || head.targets != first->targets || head.question != first->question ||
            head.share.of != first->share.of) {
            return Error{
                ErrorKind::usage, name + ": has results of another list, other questions, or other shares", {}};
        }
        if (head.program != first->program)
            return Error{ErrorKind::usage, name + ": has results of another release", {}};
        if (const auto known = wanted.find(head.share.index);
            known != wanted.end() && known->second != head.of_share)
            return Error{ErrorKind::usage, name + ": has results of the same share with other targets", {}};
        wanted[head.share.index] = head.of_share;
        const bool known = head.begun.time_since_epoch().count() > 0;
        if (known && (merged.begun == std::chrono::sys_seconds{} || head.begun < merged.begun))
            merged.begun = head.begun;
        auto& own = found[head.share.index];
        while (lines.next(line)) {
            MODELSEAL_TRY_ASSIGN(auto result, result_in(name, lines.number(), line));
            own.insert(result.target);
            result.file = file;
            result.line = lines.number();
            merged.results.push_back(std::move(result));
        }
    }
    if (!first) return merged;
    merged.targets = first->targets;
    merged.shares = first->share.of;
    merged.program = first->program;
    merged.keys = first->keys;
    for (std::uint32_t i = 0; i < merged.shares; ++i) {
        if (!wanted.contains(i)) {
            merged.gaps.push_back(fmt::format("share {}/{}: no results", i, merged.shares));
        } else if (found[i].size() < wanted[i]) {
            merged.gaps.push_back(fmt::format("share {}/{}: {} of {} are missing", i, merged.shares,
                                              util::grouped(wanted[i] - found[i].size()),
                                              util::counted(wanted[i], "result")));
        }
    }
    auto& results = merged.results;
    std::ranges::stable_sort(results, {}, &MergedResult::target);
    std::vector<MergedResult> once;
    for (auto& result : results) {
        if (once.empty() || once.back().target != result.target) {
            once.push_back(std::move(result));
            continue;
        }
        auto& known = once.back();
        if (known.verdict == result.verdict && known.outcome == result.outcome &&
            known.exit_code == result.exit_code)
            continue;
        merged.contradictions.push_back(
            fmt::format("{}: {}, and {}", util::printable(result.target), known.verdict, result.verdict));
        const auto worse =
            policy::worst(static_cast<ExitCode>(known.exit_code), static_cast<ExitCode>(result.exit_code));
        if (static_cast<int>(worse) != known.exit_code) known = std::move(result);
    }
    results = std::move(once);
    // Each machine divides the list by the sizes that it sees: a target that grew in between may be in no share.
    if (results.size() < merged.targets && merged.gaps.empty()) {
        const auto missing = merged.targets - results.size();
        merged.gaps.push_back(fmt::format("{} in no share, since sizes differed between the machines",
                                          util::counted(missing, "target")));
    }
    return merged;
}

Result<void> visit_results(const std::vector<std::filesystem::path>& files, const Merged& merged,
                           const std::function<Result<void>(const MergedResult&, const std::string&)>& each) {
    std::vector<const MergedResult*> results;
    for (const auto& result : merged.results) results.push_back(&result);
    std::ranges::sort(results, {}, [](const auto* result) { return std::pair(result->file, result->line); });
    auto next = results.begin();
    for (std::size_t file = 0; file < files.size(); ++file) {
        Lines lines(files[file]);
        for (std::string line; next != results.end() && (*next)->file == file && lines.next(line);) {
            if (lines.number() != (*next)->line) continue;
            MODELSEAL_TRY(each(**next++, line));
        }
    }
    if (next == results.end()) return {};
    return Error{ErrorKind::unreadable,
                 util::printable(files[(*next)->file].string()) + ": changed while it was read",
                 {}};
}

}  // namespace modelseal::jobs
