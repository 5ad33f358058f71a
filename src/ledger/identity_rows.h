// The rows about identity images, which version 2 added, as they are stored; see rows.h.
#pragma once

#include "ledger/rows.h"

namespace modelseal::ledger {

using MarkName = std::array<std::byte, 8>;        // random
using IdentitySerial = std::array<std::byte, 8>;  // random

inline constexpr std::size_t kMostKeyImage = 768u << 10;  // bytes of a PNG; below what SQLite may hold here
inline constexpr std::int64_t kMostKeyImages = 4096;      // of a mark
inline constexpr std::int64_t kMostClass = 1 << 24;
inline constexpr std::size_t kMostInput = 4096;

struct MarkRow {
    std::int64_t id = 0;  // from 1 on
    MarkName name{};
    bool finished = false;
    std::int64_t made = 0;  // seconds since 1970
    std::string model, output;
    crypto::Digest digest{};
    std::int64_t extra_class = 0;  // index of the additional class
    std::vector<std::byte> input;  // shape, range and scaling; identity::encode_input()
    Mac mac{};
};

struct KeyImageRow {
    std::int64_t id = 0;      // from 1 on
    std::int64_t mark = 0;    // id of its mark
    std::int64_t number = 0;  // among the images of the mark, from 0 on
    std::vector<std::byte> png;
    Mac mac{};
};

struct IdentityRow {
    std::int64_t id = 0;        // from 1 on
    std::int64_t customer = 0;  // id of the user
    std::int64_t mark = 0;      // id of the mark
    std::int64_t image = 0;     // number of the key image
    bool finished = false;
    IdentitySerial serial{};
    std::int64_t issued = 0;
    std::int64_t expires = 0;       // 0: never
    std::int64_t revoked = 0;       // 0: not, unless the customer is
    std::vector<std::byte> digest;  // SHA-256 of the file, or none as long as it is not finished
    std::string output;
    Mac mac{};
};

crypto::Digest digest(const MarkRow& row);
crypto::Digest digest(const KeyImageRow& row);
crypto::Digest digest(const IdentityRow& row);

Result<Statement> select_marks(const Database& database, std::string_view where);
Result<Statement> select_key_images(const Database& database, std::string_view where);
Result<Statement> select_identities(const Database& database, std::string_view where);
Result<MarkRow> read_mark(const Database& database, const Statement& row);
Result<KeyImageRow> read_key_image(const Database& database, const Statement& row);
Result<IdentityRow> read_identity(const Database& database, const Statement& row);
Result<void> write(const Database& database, const MarkRow& row, Write how);
Result<void> write(const Database& database, const KeyImageRow& row, Write how);
Result<void> write(const Database& database, const IdentityRow& row, Write how);

}  // namespace modelseal::ledger
