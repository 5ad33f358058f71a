#include "hook/git/objects.h"

#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "hook/git/commands.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

constexpr std::uint64_t kMostTreeBytes = 64u << 20;  // of one tree: a folder of about a million names
constexpr std::uint64_t kMostTreesKept = 64u << 20;  // bytes as they are in objects

// "ID TYPE SIZE", or "ID missing" with whatever git states instead.
std::optional<Objects::Info> parse_header(std::string_view line) {
    const auto first = line.find(' '), second = line.rfind(' ');
    if (first == line.npos || first == second) return std::nullopt;
    Objects::Info info{std::string(line.substr(0, first)),
                       std::string(line.substr(first + 1, second - first - 1))};
    const auto* end = line.data() + line.size();
    const auto read = std::from_chars(line.data() + second + 1, end, info.bytes);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return info;
}

}  // namespace

Result<std::optional<Objects::Info>> Objects::info(const std::string& id) {
    if (!sizes_) {
        MODELSEAL_TRY_ASSIGN(sizes_, GitProgram::converse(read_sizes(), deadline_));
    }
    MODELSEAL_TRY(sizes_->send(id + "\n"));
    std::string line;
    MODELSEAL_TRY_ASSIGN(const bool answered, sizes_->line(line));
    if (!answered)
        return sizes_->finish().ok() ? util::malformed("git cat-file", "gives no answer")
                                     : sizes_->finish().error();
    return parse_header(line);
}

Result<Objects::Answer> Objects::request(const std::string& id) {
    if (!contents_) {
        MODELSEAL_TRY_ASSIGN(contents_, GitProgram::converse(read_contents(), deadline_));
    }
    MODELSEAL_TRY(contents_->send(id + "\n"));
    std::string line;
    MODELSEAL_TRY_ASSIGN(const bool answered, contents_->line(line));
    const auto info = answered ? parse_header(line) : std::nullopt;
    if (!info) {
        return Error{ErrorKind::unreadable, fmt::format("object {}: the repository does not have it", id), {}};
    }
    return Answer{info->type, info->bytes};
}

Result<void> Objects::end_of_content() {
    return contents_->pass(1, [](std::string_view end) -> Result<void> {
        if (end != "\n") return util::malformed("git cat-file", "an object that does not end where it should");
        return {};
    });
}

Result<std::shared_ptr<const Tree>> Objects::tree(const std::string& id) {
    if (const auto kept = trees_.find(id); kept != trees_.end()) return kept->second;
    const auto where = fmt::format("tree {}", id);
    MODELSEAL_TRY_ASSIGN(const auto answer, request(id));
    std::string bytes;
    const bool fits = answer.type == "tree" && answer.bytes <= kMostTreeBytes;
    MODELSEAL_TRY(contents_->pass(answer.bytes, [&](std::string_view piece) -> Result<void> {
        if (fits) bytes += piece;
        return {};
    }));
    MODELSEAL_TRY(end_of_content());
    if (answer.type != "tree")
        return util::malformed(where, fmt::format("is a {}", util::printable(answer.type)));
    if (!fits) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: {}, at most {} are read", where, util::counted(answer.bytes, "byte"),
                                 util::grouped(kMostTreeBytes)),
                     {}};
    }
    MODELSEAL_TRY_ASSIGN(auto parsed, parse_tree(bytes, id.size() / 2, where));
    auto tree = std::make_shared<const Tree>(std::move(parsed));
    keep(id, tree, answer.bytes);
    return tree;
}

// Forgets all at once: what is needed again is read again.
void Objects::keep(const std::string& id, std::shared_ptr<const Tree> tree, std::uint64_t bytes) {
    constexpr std::uint64_t kOverhead = 200;  // of an entry, about
    bytes += kOverhead;
    if (trees_bytes_ + bytes > kMostTreesKept) {
        trees_.clear();
        trees_bytes_ = 0;
    }
    if (bytes > kMostTreesKept) return;
    trees_.emplace(id, std::move(tree));
    trees_bytes_ += bytes;
}

Result<void> Objects::blob(const std::string& id, std::uint64_t bytes, const GitProgram::Sink& sink) {
    MODELSEAL_TRY_ASSIGN(const auto answer, request(id));
    // What remains of an answer that nobody reads to its end would be taken for the next one.
    const bool as_found = answer.type == "blob" && answer.bytes == bytes;
    Result<void> taken;
    MODELSEAL_TRY(contents_->pass(answer.bytes, [&](std::string_view piece) -> Result<void> {
        if (as_found && taken.ok()) taken = sink(piece);
        return {};
    }));
    MODELSEAL_TRY(end_of_content());
    if (!as_found) return util::malformed(fmt::format("object {}", id), "is not the blob that it was");
    return taken;
}

}  // namespace modelseal::hook
