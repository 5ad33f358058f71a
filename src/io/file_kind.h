// Recognizes what people give in the place of the file that was asked for: a key for a model, an error page for a
// download. The one place for this, so that all commands say the same of the same file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <modelseal/format.h>
#include <modelseal/result.h>

namespace modelseal::io {

struct FileKind {
    std::string_view
        is;  // "is a public key", "is compressed with gzip", "the file is empty": fit to follow "PATH: "
    std::string_view hint;  // what would help, or empty
    // "public key" of "is a public key" if no output ever replaces such a file; else empty.
    std::string_view irreplaceable = {};
    bool model = false;        // begins like a file of a supported format
    bool placeholder = false;  // stands for a file that is kept elsewhere
};

inline constexpr std::uint64_t kFrontBytes = 64u << 10;  // that are looked at

// By the first bytes alone, so that a damaged file is recognized as well. `front`: the first kFrontBytes of a file
// of `size` bytes, or all of a smaller one. Nullopt for a file of another kind.
std::optional<FileKind> kind_of(std::string_view front, std::uint64_t size);
// Nullopt for a file that cannot be read, too. Reads up to kFrontBytes.
std::optional<FileKind> kind_of(const Source& source);

// For a file that was given in the place of a `wanted`: "NAME: is a public key; a receipt is needed", "NAME: the receipt
// ends early" for a damaged one of that kind, and if it is not recognized, "NAME: not a receipt". ErrorKind::malformed.
Error mistaken(std::string_view wanted, const Source& source);
Error mistaken(std::string_view wanted, const std::string& name, std::string_view front, std::uint64_t size);

// As io::read_text(), for the file of a `wanted`: one that is too large to be one is named as mistaken() does.
Result<std::string> read_text(const std::filesystem::path& path, std::uint64_t cap, std::string_view wanted);

// "an image", "a key".
std::string with_article(std::string_view noun);

}  // namespace modelseal::io
