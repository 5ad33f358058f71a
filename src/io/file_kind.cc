#include "io/file_kind.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "io/file.h"
#include "util/byte_order_mark.h"
#include "util/text.h"

namespace modelseal::io {
namespace {

using namespace std::string_view_literals;

constexpr auto kAgain = "download or copy the file again"sv;
constexpr auto kAddress = "download the file again, and check the address"sv;
constexpr auto kPull = "fetch the file with 'git lfs pull'"sv;
constexpr auto kUnpack = "unpack it, and give the file in it"sv;
constexpr auto kSupported = "supported formats: safetensors, ONNX, PyTorch (zip and legacy) and GGUF"sv;

struct Magic {
    std::size_t offset;
    std::string_view bytes;
    FileKind kind;
};
// Those of modelseal first.
constexpr Magic kMagics[] = {
    {0, "MSRECPT"sv, {"is a receipt", {}, "receipt"}},
    {0, "MSFPRNT"sv, {"is a fingerprint", {}, "fingerprint"}},
    {0, "MSREGIS"sv, {.is = "is a registry of identities"}},
    {0,
     "version https://git-lfs.github.com/spec/"sv,
     {.is = "is a Git LFS pointer, not the file itself", .hint = kPull, .placeholder = true}},
    {0,
     "version https://hawser.github.com/spec/"sv,
     {.is = "is a Git LFS pointer, not the file itself", .hint = kPull, .placeholder = true}},
    {0, "\x1F\x8B"sv, {"is compressed with gzip", kUnpack}},
    {0, "BZh"sv, {"is compressed with bzip2", kUnpack}},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     {"is compressed with xz", kUnpack}},
    {0, "\x28\xB5\x2F\xFD"sv, {"is compressed with zstd", kUnpack}},
    {0, "7z\xBC\xAF\x27\x1C"sv, {"is a 7z archive", kUnpack}},
    {0, "Rar!\x1A\x07"sv, {"is a RAR archive", kUnpack}},
    {257, "ustar"sv, {"is a tar archive", kUnpack}},
    {0, "\x89HDF\r\n\x1A\n"sv, {"is an HDF5 file, which is not supported", kSupported}},
    {4, "TFL3"sv, {"is a TensorFlow Lite file, which is not supported", kSupported}},
    {0, "\x93NUMPY"sv, {"is a NumPy array, which is not supported", kSupported}},
    {0, "\x89PNG\r\n\x1A\n"sv, {.is = "is an image"}},
    {0, "\xFF\xD8\xFF"sv, {.is = "is an image"}},
    {0, "GIF8"sv, {.is = "is an image"}},
    {0, "%PDF-"sv, {.is = "is a PDF document"}},
    {0,
     "\x7F"
     "ELF"sv,
     {.is = "is a program"}},
    {0, "GGUF"sv, {.is = "is a model file (GGUF)", .model = true}},
    {0, "PK\x03\x04"sv, {.is = "is a zip archive, as PyTorch writes models", .model = true}},
};

// "-----BEGIN ENCRYPTED PRIVATE KEY-----" at the start of a line: OpenSSL may write text before it.
std::optional<FileKind> pem_kind(std::string_view text) {
    constexpr auto kBegin = "-----BEGIN "sv;
    if (text.find('\0') != text.npos) return std::nullopt;
    text = util::without_mark(text);
    std::optional<FileKind> certificate;
    for (auto at = text.find(kBegin); at != text.npos; at = text.find(kBegin, at + 1)) {
        if (at != 0 && text[at - 1] != '\n') continue;
        const auto line = text.substr(at + kBegin.size());
        const auto label = line.substr(0, line.find("-----"));
        if (label.find('\n') != label.npos) continue;
        if (label.ends_with("PRIVATE KEY")) return FileKind{"is a private key", {}, "private key"};
        if (label.ends_with("CHECK KEY")) return FileKind{"is a check key", {}, "check key"};
        if (label.ends_with(" KEY")) return FileKind{"is a public key", {}, "public key"};
        if (label == "CERTIFICATE") certificate = FileKind{.is = "is a certificate"};
    }
    return certificate;
}

// What the fields of a JSON object show.
std::optional<FileKind> json_kind(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == text.npos || text[begin] != '{') return std::nullopt;
    if (text.find("\"application/vnd.dev.sigstore.bundle") != text.npos)
        return FileKind{.is = "is a signature"};
    if (text.find("\"application/vnd.dev.sigstore.trustedroot") != text.npos)
        return FileKind{.is = "is a trusted root"};
    return std::nullopt;
}

// An error page that was saved in the place of a download.
bool is_html(std::string_view front) {
    const auto begin = front.find_first_not_of(" \t\r\n");
    if (begin == front.npos) return false;
    std::string tag(front.substr(begin, 14));
    std::ranges::transform(tag, tag.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return tag == "<!doctype html" || tag.starts_with("<html");
}

// An SQLite database whose application_id is "MSLG"; see modelseal-ledger(5).
bool is_ledger(std::string_view front) {
    return front.starts_with("SQLite format 3\0"sv) && front.size() >= 72 && front.substr(68, 4) == "MSLG";
}

std::uint64_t little_endian(std::string_view bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return number;
}

// Its first bytes are a length, which may be those of a magic number.
bool is_safetensors(std::string_view front) {
    return front.size() > 9 && front[8] == '{' && little_endian(front.substr(0, 8)) <= (100u << 20);
}

// As PowerShell writes what a command prints.
bool is_utf16(std::string_view front) {
    return front.size() > 3 && front.starts_with("\xFF\xFE"sv) && front[2] != '\0' && front[3] == '\0';
}

// Formats without a magic number; the adapters look more closely.
std::optional<FileKind> model_kind(std::string_view front) {
    const auto protocol = front.size() > 1 ? static_cast<unsigned char>(front[1]) : 0u;
    if (front.starts_with('\x80') && protocol >= 2 && protocol <= 5)
        return FileKind{.is = "is a Python pickle, as PyTorch wrote models", .model = true};
    // ir_version (field 1), then the name or version of the producer, or the graph (fields 2, 3 and 7)
    const bool onnx = front.size() > 3 && front[0] == '\x08' && front[1] > 0 && front[1] < 32 &&
                      (front[2] == '\x12' || front[2] == '\x1A' || front[2] == '\x3A');
    if (onnx) return FileKind{.is = "is a model file (ONNX)", .model = true};
    return std::nullopt;
}

}  // namespace

std::string with_article(std::string_view noun) {
    const bool vowel = !noun.empty() && "aeiouAEIOU"sv.find(noun.front()) != "aeiouAEIOU"sv.npos;
    return fmt::format("{} {}", vowel ? "an" : "a", noun);
}

std::optional<FileKind> kind_of(std::string_view front, std::uint64_t size) {
    if (size == 0) return FileKind{"the file is empty", kAgain};
    if (is_safetensors(front)) return FileKind{.is = "is a model file (safetensors)", .model = true};
    for (const auto& magic : kMagics) {
        if (front.size() > magic.offset && front.substr(magic.offset).starts_with(magic.bytes))
            return magic.kind;
    }
    if (is_ledger(front)) return FileKind{"is a ledger", {}, "ledger"};
    if (size <= kFrontBytes) {
        if (const auto pem = pem_kind(front)) return pem;
    }
    if (const auto json = json_kind(front)) return json;
    if (is_utf16(front)) return FileKind{"is a text in UTF-16", "save it in UTF-8"};
    if (is_html(front)) return FileKind{"is an HTML page", kAddress};
    return model_kind(front);
}

std::optional<FileKind> kind_of(const Source& source) {
    std::string front(static_cast<std::size_t>(std::min(source.size(), kFrontBytes)), '\0');
    if (!source.read(0, std::as_writable_bytes(std::span(front))).ok()) return std::nullopt;
    return kind_of(front, source.size());
}

namespace {

Error mistaken_for(std::string_view wanted, const std::string& name, const std::optional<FileKind>& kind) {
    if (!kind) return {ErrorKind::malformed, fmt::format("{}: not {}", name, with_article(wanted)), {}};
    // What is recognized by its first bytes alone may have lost the others.
    if (kind->is == fmt::format("is {}", with_article(wanted)))
        return {ErrorKind::malformed, fmt::format("{}: the {} ends early", name, wanted), std::string(kAgain)};
    return {ErrorKind::malformed, fmt::format("{}: {}; {} is needed", name, kind->is, with_article(wanted)),
            std::string(kind->hint == kSupported ? ""sv : kind->hint)};
}

}  // namespace

Error mistaken(std::string_view wanted, const Source& source) {
    return mistaken_for(wanted, source.name(), kind_of(source));
}

Error mistaken(std::string_view wanted, const std::string& name, std::string_view front, std::uint64_t size) {
    return mistaken_for(wanted, name, kind_of(front.substr(0, kFrontBytes), size));
}

Result<std::string> read_text(const std::filesystem::path& path, std::uint64_t cap, std::string_view wanted) {
    auto text = read_text(path, cap);
    // Larger than any file of the kind that is needed.
    if (text.ok() || text.error().kind != ErrorKind::malformed) return text;
    const auto source = FileSource::open(path, path.string());
    const bool recognized = source.ok() && kind_of(**source).has_value();
    return recognized ? Result<std::string>(mistaken(wanted, **source)) : std::move(text);
}

}  // namespace modelseal::io
