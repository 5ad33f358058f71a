#include "hook/oci/unpack.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "crypto/content_digest.h"
#include "hook/oci/tar.h"
#include "io/file.h"
#include "io/folder.h"
#include "util/error.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::hook {
namespace {

constexpr std::uint64_t kFreeExpansion = 64u << 20;  // bytes that count for no ratio
constexpr std::size_t kInflatedAtOnce = 256u << 10;

std::string shown_path(const std::string& text) {
    return util::printable(std::string_view(text).substr(0, 300));
}

// "./" in archives of a folder.
bool is_root(std::string_view written) {
    return !written.empty() && written.front() == '.' &&
           written.find_first_not_of("./") == std::string_view::npos &&
           written.find("..") == std::string_view::npos;
}

// Of a path that cannot be made: two members that want the same place, or the system.
Error cannot_make(int code, const std::string& path, const std::string& name) {
    if (code == EEXIST || code == ENOTDIR || code == EISDIR)
        return util::malformed(name, fmt::format("'{}' appears twice", shown_path(path)));
    if (code == ENAMETOOLONG || code == EINVAL || code == EILSEQ)
        return util::malformed(name, fmt::format("'{}' is not a name for a file", shown_path(path)));
    return io::os_error(code, path, "write");
}

// As io::path_inside(), and not too deep: a name of some KiB could make thousands of folders.
Result<std::string> place_inside(const std::string& written, const std::string& name) {
    constexpr std::ptrdiff_t kMostComponents = 64;
    MODELSEAL_TRY_ASSIGN(auto relative, io::path_inside(written, name));
    if (std::ranges::count(relative, '/') >= kMostComponents) {
        return util::malformed(
            name, fmt::format("'{}' has more than {} components", shown_path(written), kMostComponents));
    }
    return relative;
}

}  // namespace

ArtifactFolder::ArtifactFolder(ArtifactFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      limits_(other.limits_),
      files_(std::move(other.files_)),
      folders_(other.folders_),
      bytes_(other.bytes_),
      fd_(std::exchange(other.fd_, -1)),
      current_(std::move(other.current_)) {}

ArtifactFolder::~ArtifactFolder() {
    close_file();
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

void ArtifactFolder::close_file() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<ArtifactFolder> ArtifactFolder::create(std::filesystem::path path, UnpackLimits limits) {
    ArtifactFolder folder;
    if (::mkdir(path.c_str(), 0700) != 0) return io::os_error(errno, path.string(), "make the folder");
    folder.path_ = std::move(path);
    folder.limits_ = limits;
    return folder;
}

Result<void> ArtifactFolder::check_entries(const std::string& name) const {
    if (files_.size() + folders_ < limits_.files) return {};
    return util::malformed(name, fmt::format("more than {} and folders", util::counted(limits_.files, "file")));
}

Result<void> ArtifactFolder::make_folders(const std::string& relative, const std::string& name) {
    for (std::size_t slash = relative.find('/');; slash = relative.find('/', slash + 1)) {
        const auto part = relative.substr(0, slash);
        struct stat status {};
        const auto at = path_ / part;
        if (::lstat(at.c_str(), &status) != 0) {
            MODELSEAL_TRY(check_entries(name));
            if (::mkdir(at.c_str(), 0700) != 0) return cannot_make(errno, part, name);
            ++folders_;
        } else if (!S_ISDIR(status.st_mode)) {
            return cannot_make(ENOTDIR, part, name);
        }
        if (slash == std::string::npos) return {};
    }
}

Result<void> ArtifactFolder::make_folder(const std::string& written, const std::string& name) {
    if (is_root(written)) return {};
    // Archives write "folder/".
    const auto end = written.find_last_not_of('/');
    MODELSEAL_TRY_ASSIGN(const auto relative,
                         place_inside(written.substr(0, end == std::string::npos ? 0 : end + 1), name));
    return make_folders(relative, name);
}

Result<void> ArtifactFolder::begin_file(const std::string& written, std::uint64_t size,
                                        const std::string& name) {
    MODELSEAL_TRY_ASSIGN(current_, place_inside(written, name));
    MODELSEAL_TRY(check_entries(name));
    if (size > limits_.bytes - bytes_) {
        return util::malformed(name, fmt::format("'{}' makes it more than the limit of {}", shown_path(written),
                                                 util::counted(limits_.bytes, "byte")));
    }
    if (files_.contains(current_))
        return util::malformed(name, fmt::format("'{}' appears twice", shown_path(written)));
    if (const auto slash = current_.rfind('/'); slash != std::string::npos)
        MODELSEAL_TRY(make_folders(current_.substr(0, slash), name));
    MODELSEAL_TRY(check_entries(name));
    files_.insert(current_);
    fd_ = ::open((path_ / current_).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd_ >= 0 ? Result<void>() : cannot_make(errno, current_, name);
}

Result<void> ArtifactFolder::write(std::span<const std::byte> bytes) {
    if (bytes.size() > limits_.bytes - bytes_) {
        return util::malformed(current_,
                               fmt::format("more than the limit of {}", util::counted(limits_.bytes, "byte")));
    }
    bytes_ += bytes.size();
    while (!bytes.empty()) {
        const auto count = ::write(fd_, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return io::os_error(errno, (path_ / current_).string(), "write");
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

Result<void> ArtifactFolder::end_file() {
    close_file();
    return {};
}

struct LayerUnpacker::State {
    const Layer& layer;
    ArtifactFolder& folder;
    std::string name;  // for messages
    crypto::ContentDigest hash;
    std::uint64_t taken = 0, inflated = 0;
    std::optional<TarReader> tar = {};
    z_stream zip = {};
    bool zip_open = false, zip_ended = false;
    std::vector<std::byte> buffer = {};

    ~State() {
        if (zip_open) inflateEnd(&zip);
    }

    Result<void> begin();
    Result<void> inflate_part(std::span<const std::byte> bytes);
    Result<void> inflate_once();
    Result<void> check_ratio() const;
};

Result<void> LayerUnpacker::State::begin() {
    using Form = Layer::Form;
    if (layer.form == Form::zstd) {
        return Error{ErrorKind::unsupported, name + ": compressed with zstd, which is not unpacked",
                     "push it as raw files, or compressed with gzip"};
    }
    if (layer.form == Form::raw) {
        const auto hex = layer.digest.substr(layer.digest.find(':') + 1);
        return folder.begin_file(layer.title.empty() ? "layer-" + hex.substr(0, 12) : layer.title, layer.size,
                                 name);
    }
    tar.emplace(name, TarReader::Receiver{
                          .folder = [this](const std::string& path) { return folder.make_folder(path, name); },
                          .begin = [this](const std::string& path,
                                          std::uint64_t size) { return folder.begin_file(path, size, name); },
                          .bytes = [this](std::span<const std::byte> bytes) { return folder.write(bytes); },
                          .end = [this] { return folder.end_file(); }});
    if (layer.form == Form::tar) return {};
    constexpr int kGzip = 16 + MAX_WBITS;
    if (inflateInit2(&zip, kGzip) != Z_OK)
        return Error{ErrorKind::unreadable, name + ": not enough memory to unpack it", {}};
    zip_open = true;
    buffer.resize(kInflatedAtOnce);
    return {};
}

Result<void> LayerUnpacker::State::check_ratio() const {
    if (inflated <= kFreeExpansion || inflated / folder.limits().ratio <= taken) return {};
    return util::malformed(name, fmt::format("becomes more than {} times as large when it is unpacked",
                                             util::grouped(folder.limits().ratio)));
}

// Fills the buffer once, and hands on what is in it.
Result<void> LayerUnpacker::State::inflate_once() {
    zip.next_out = reinterpret_cast<Bytef*>(buffer.data());
    zip.avail_out = static_cast<uInt>(buffer.size());
    const auto code = inflate(&zip, Z_NO_FLUSH);
    const auto count = buffer.size() - zip.avail_out;
    inflated += count;
    MODELSEAL_TRY(check_ratio());
    MODELSEAL_TRY(tar->take(std::span(buffer).first(count)));
    if (code == Z_STREAM_END) {
        // A file of several members is their contents in sequence (RFC 1952, section 2.2).
        zip_ended = true;
        return {};
    }
    if (code == Z_OK || code == Z_BUF_ERROR) return {};
    return util::malformed(name, "not compressed with gzip, or damaged");
}

Result<void> LayerUnpacker::State::inflate_part(std::span<const std::byte> bytes) {
    zip.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    zip.avail_in = static_cast<uInt>(bytes.size());
    do {
        if (zip_ended && zip.avail_in > 0) {
            inflateReset(&zip);
            zip_ended = false;
        }
        MODELSEAL_TRY(inflate_once());
    } while (zip.avail_in > 0 || (zip.avail_out == 0 && !zip_ended));
    return {};
}

LayerUnpacker::LayerUnpacker(std::unique_ptr<State> state) : state_(std::move(state)) {}
LayerUnpacker::~LayerUnpacker() = default;

Result<std::unique_ptr<LayerUnpacker>> LayerUnpacker::begin(const Layer& layer, ArtifactFolder& folder) {
    std::unique_ptr<State> state(new State{
        layer, folder,
        layer.title.empty() ? "layer " + layer.digest : fmt::format("layer '{}'", shown_path(layer.title)),
        crypto::ContentDigest(layer.digest)});
    MODELSEAL_TRY(state->begin());
    return std::unique_ptr<LayerUnpacker>(new LayerUnpacker(std::move(state)));
}

Result<void> LayerUnpacker::take(std::span<const std::byte> bytes) {
    constexpr std::size_t kMostAtOnce = 1u << 20;
    auto& state = *state_;
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(bytes.size(), kMostAtOnce));
        bytes = bytes.subspan(part.size());
        state.taken += part.size();
        if (state.taken > state.layer.size) {
            return Error{ErrorKind::mismatch,
                         fmt::format("{}: more than the {} that its manifest states", state.name,
                                     util::counted(state.layer.size, "byte")),
                         {}};
        }
        state.hash.update(part);
        if (state.zip_open) {
            MODELSEAL_TRY(state.inflate_part(part));
        } else if (state.tar) {
            MODELSEAL_TRY(state.tar->take(part));
        } else {
            MODELSEAL_TRY(state.folder.write(part));
        }
    }
    return {};
}

Result<void> LayerUnpacker::finish() {
    auto& state = *state_;
    if (state.taken != state.layer.size) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: {}, its manifest states {}", state.name,
                                 util::counted(state.taken, "byte"), util::grouped(state.layer.size)),
                     {}};
    }
    if (state.hash.finish() != state.layer.digest) {
        return Error{
            ErrorKind::mismatch, state.name + ": its bytes do not have the digest of its manifest", {}};
    }
    if (state.zip_open && !state.zip_ended)
        return util::malformed(state.name, "the compressed data are cut off");
    return state.tar ? state.tar->finish() : state.folder.end_file();
}

}  // namespace modelseal::hook
