#include "jobs/many/targets.h"

#include <algorithm>
#include <iostream>
#include <set>

#include <fmt/format.h>

#include "io/file.h"
#include "io/folder.h"
#include "model/part.h"
#include "model/shards.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

constexpr std::size_t kLongestTarget = 64u << 10;  // bytes
constexpr std::uint64_t kMostBelow = 10'000'000;
constexpr std::uint32_t kDeepestBelow = 128;

// Reads to the separator, at most kLongestTarget bytes. False at the end.
bool read_entry(std::istream& in, char separator, std::string& entry, bool& too_long) {
    entry.clear();
    auto* const buffer = in.rdbuf();
    bool any = false;
    while (true) {
        const auto c = buffer->sbumpc();
        if (c == std::char_traits<char>::eof()) {
            in.setstate(std::ios::eofbit);
            return any;
        }
        any = true;
        if (std::char_traits<char>::to_char_type(c) == separator) return true;
        if (entry.size() == kLongestTarget) {
            too_long = true;
            return false;
        }
        entry += std::char_traits<char>::to_char_type(c);
    }
}

// Links, devices, and the folder of Git.
bool is_left_out(const io::Folder::Entry& entry) {
    using Kind = io::Folder::Entry::Kind;
    if (entry.kind == Kind::folder) return entry.path == ".git" || entry.path.ends_with("/.git");
    return entry.kind != Kind::file;
}

}  // namespace

Result<TargetList> TargetList::open(const std::string& file, char separator) {
    TargetList list;
    list.name_ = util::printable(file);
    list.separator_ = separator;
    if (file == "-") return list;
    list.file_ = std::make_unique<std::ifstream>(file, std::ios::binary);
    if (!*list.file_) return io::os_error(errno, file, "open");
    return list;
}

std::optional<Target> TargetList::next() {
    auto& in = file_ ? static_cast<std::istream&>(*file_) : std::cin;
    std::string entry;
    while (!too_long_ && !in.eof() && read_entry(in, separator_, entry, too_long_)) {
        if (separator_ == '\n' && entry.ends_with('\r')) entry.pop_back();
        if (!entry.empty()) return Target{entry, {}};
    }
    return std::nullopt;
}

Result<void> TargetList::complete() const {
    if (too_long_) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: a target of more than {}", name_, util::counted(kLongestTarget, "byte")),
                     {}};
    }
    const bool bad = file_ ? file_->bad() : std::cin.bad();
    return bad ? io::os_error(errno, name_, "read") : Result<void>();
}

Result<std::vector<Target>> models_below(const std::filesystem::path& path, bool others) {
    MODELSEAL_TRY_ASSIGN(const auto folder, io::Folder::open(path));
    MODELSEAL_TRY_ASSIGN(const auto entries, folder.entries(kMostBelow, kDeepestBelow, is_left_out));
    std::vector<std::string> found;
    std::set<std::string> shards;
    for (const auto& entry : entries) {
        const auto source = folder.file(entry.path);
        if (!source.ok() || others || model::recognised(**source)) found.push_back(entry.path);
        if (!source.ok() || !entry.path.ends_with(".json")) continue;
        const auto index = model::read_shard_index(**source, entry.path);
        if (!index.ok() || !*index) continue;
        if (!others) found.push_back(entry.path);
        for (const auto& [tensor, shard] : (*index)->file) shards.insert(shard);
    }
    std::vector<Target> targets;
    for (const auto& name : found) {
        if (!shards.contains(name)) targets.push_back({(path / name).string(), name});
    }
    std::ranges::sort(targets, {}, &Target::name);
    return targets;
}

}  // namespace modelseal::jobs
