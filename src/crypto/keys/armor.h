// PEM armor (RFC 7468), strictly: one label, standard base64, lines of 64 characters, nothing before or after.
//
// There is exactly one text for given bytes, so a signature over the bytes covers the text.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace modelseal::crypto {

std::string armor(std::string_view label, std::span<const std::byte> body);
// Nothing unless `text` is what armor() gives for some body of at most `cap` bytes.
std::optional<std::vector<std::byte>> strip_armor(std::string_view label, std::string_view text,
                                                  std::size_t cap);

// The text as armor() would have written it, if only what editors, mail and version control do came in between: a byte
// order mark, other line ends, blanks at the ends of lines, empty lines, a missing line end at the end. The caller wipes it
// if it is a secret.
std::string tidy_armor(std::string_view text);

}  // namespace modelseal::crypto
