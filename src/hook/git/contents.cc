#include "hook/git/contents.h"

#include <algorithm>
#include <cerrno>
#include <span>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "formats/reader.h"
#include "io/file.h"
#include "model/part.h"
#include "model/shards.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

constexpr std::uint64_t kInMemory = 16u << 20;  // larger blobs are read from a file
constexpr std::size_t kMostKept = 200'000;      // facts; then they are found anew

// A file that is written here alone; closed at the end.
class NewFile {
  public:
    explicit NewFile(const std::filesystem::path& path)
        : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
    ~NewFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    bool ok() const { return fd_ >= 0; }
    bool write(std::string_view text) {
        while (!text.empty()) {
            const auto written = ::write(fd_, text.data(), text.size());
            if (written < 0 && errno != EINTR) return false;
            if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
        }
        return true;
    }

  private:
    int fd_;
};

// Removes a file at the end.
class Removed {
  public:
    explicit Removed(std::filesystem::path path) : path_(std::move(path)) {}
    ~Removed() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    Removed(const Removed&) = delete;
    Removed& operator=(const Removed&) = delete;

  private:
    std::filesystem::path path_;
};

std::span<const std::byte> bytes_in(std::string_view text) {
    return std::as_bytes(std::span(text));
}

}  // namespace

Result<void> Contents::charge(std::uint64_t bytes, const std::string& path) {
    if (bytes <= left_) {
        left_ -= bytes;
        return {};
    }
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: the push has more bytes than are checked at once", util::printable(path)),
                 {}};
}

Result<Content> Contents::locate(const TreeEntry& file, const std::string& path) {
    if (const auto known = located_.find(file.id); known != located_.end()) return known->second;
    MODELSEAL_TRY_ASSIGN(const auto info, objects_.info(file.id));
    if (!info || info->type != "blob") {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: the repository does not have its content, object {}",
                                 util::printable(path), file.id),
                     {}};
    }
    Content content{.id = file.id, .bytes = info->bytes};
    if (info->bytes <= kLongestPointer) {
        std::string text;
        MODELSEAL_TRY(objects_.blob(file.id, info->bytes, [&](std::string_view piece) -> Result<void> {
            text += piece;
            return {};
        }));
        MODELSEAL_TRY_ASSIGN(content.pointer, parse_lfs_pointer(text, util::printable(path)));
        if (content.pointer) content.bytes = content.pointer->bytes;
    }
    if (located_.size() == kMostKept) located_.clear();
    located_.emplace(file.id, content);
    return content;
}

// Each object once.
Result<void> Contents::verify(const LfsPointer& pointer, const std::string& path) {
    const auto key = fmt::format("{} {}", pointer.oid, pointer.bytes);
    if (verified_.contains(key)) return {};
    const auto shown = util::printable(path);
    MODELSEAL_TRY_ASSIGN(const auto object, store_.open(pointer, shown));
    MODELSEAL_TRY(charge(pointer.bytes, path));
    MODELSEAL_TRY(verify_lfs_object(*object, pointer, shown));
    verified_.insert(key);
    return {};
}

Result<FileFacts> Contents::read_facts(const Source& source, const std::string& path) const {
    FileFacts facts{.model = model::recognised(source)};
    if (facts.model) {
        // What is wrong with it is found when it is checked.
        if (auto layout = parse_model_file(source, limits_); layout.ok())
            facts.references = std::move(layout->references);
    } else if (path.ends_with(".json")) {
        const auto index = model::read_shard_index(source, path.substr(path.rfind('/') + 1));
        facts.index = index.ok() && index->has_value();
        if (!facts.index) return facts;
        for (const auto& [tensor, shard] : (*index)->file) facts.references.push_back(shard);
        std::ranges::sort(facts.references);
        facts.references.erase(std::unique(facts.references.begin(), facts.references.end()),
                               facts.references.end());
    }
    return facts;
}

Result<FileFacts> Contents::blob_facts(const Content& content, const std::string& path) {
    if (content.bytes > kInMemory) {
        const auto file = scratch_ / "blob";
        const Removed removed(file);
        MODELSEAL_TRY(place(content, path, file));
        MODELSEAL_TRY_ASSIGN(const auto source, io::FileSource::open(file, util::printable(path)));
        return read_facts(*source, path);
    }
    MODELSEAL_TRY(charge(content.bytes, path));
    std::string text;
    MODELSEAL_TRY(read(content, path, [&](std::string_view piece) -> Result<void> {
        text += piece;
        return {};
    }));
    return read_facts(formats::MemorySource(util::printable(path), bytes_in(text)), path);
}

Result<FileFacts> Contents::facts(const TreeEntry& file, const std::string& path, Digest digest) {
    MODELSEAL_TRY_ASSIGN(const auto content, locate(file, path));
    if (content.pointer && digest == Digest::verified) MODELSEAL_TRY(verify(*content.pointer, path));
    // An index is known by its name as well.
    const auto key = file.id + (path.ends_with(".json") ? "j" : "");
    if (const auto known = facts_.find(key); known != facts_.end()) return known->second;
    FileFacts facts;
    if (content.pointer) {
        MODELSEAL_TRY_ASSIGN(const auto object, store_.open(*content.pointer, util::printable(path)));
        MODELSEAL_TRY_ASSIGN(facts, read_facts(*object, path));
    } else {
        MODELSEAL_TRY_ASSIGN(facts, blob_facts(content, path));
    }
    if (facts_.size() == kMostKept) facts_.clear();
    facts_.emplace(key, facts);
    return facts;
}

Result<void> Contents::place(const Content& content, const std::string& path, const std::filesystem::path& to) {
    MODELSEAL_TRY(charge(content.bytes, path));
    if (content.pointer) {
        const auto shown = util::printable(path);
        MODELSEAL_TRY(store_.open(*content.pointer, shown));  // the best message for what is not there
        return store_.place(*content.pointer, shown, to);
    }
    NewFile file(to);
    if (!file.ok()) return io::os_error(errno, path, "write a copy of");
    return read(content, path, [&](std::string_view piece) -> Result<void> {
        if (!file.write(piece)) return io::os_error(errno, path, "write a copy of");
        return {};
    });
}

// A blob that is not a pointer, and that Git LFS does not take for one either.
Result<void> Contents::read(const Content& content, const std::string& path, const GitProgram::Sink& sink) {
    std::string front;
    MODELSEAL_TRY(objects_.blob(content.id, content.bytes, [&](std::string_view piece) {
        if (front.size() <= kLongestPointer) front += piece.substr(0, kLongestPointer + 1 - front.size());
        return sink(piece);
    }));
    if (!is_front_of_pointer(front)) return {};
    return util::malformed(util::printable(path), "begins as a Git LFS pointer, and is longer than one");
}

}  // namespace modelseal::hook
