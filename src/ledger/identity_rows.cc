#include "ledger/identity_rows.h"

#include <fmt/format.h>

#include "ledger/row_parts.h"

namespace modelseal::ledger {
namespace {

std::string statement_of(Write how, const char* table, std::size_t columns) {
    std::string places = "?";
    for (std::size_t i = 1; i < columns; ++i) places += ", ?";
    return fmt::format("{} INTO {} VALUES ({})", how == Write::anew ? "INSERT" : "REPLACE", table, places);
}

}  // namespace

crypto::Digest digest(const MarkRow& row) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 ledger mark").update_number(unsigned_of(row.id));
    update_bytes(hash, row.name);
    hash.update_number(row.finished ? 1 : 0).update_number(unsigned_of(row.made));
    hash.update_text(row.model).update_text(row.output);
    update_bytes(hash, row.digest);
    hash.update_number(unsigned_of(row.extra_class));
    update_bytes(hash, row.input);
    return hash.finish();
}

crypto::Digest digest(const KeyImageRow& row) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 ledger key image").update_number(unsigned_of(row.id));
    hash.update_number(unsigned_of(row.mark)).update_number(unsigned_of(row.number));
    update_bytes(hash, row.png);
    return hash.finish();
}

crypto::Digest digest(const IdentityRow& row) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 ledger identity").update_number(unsigned_of(row.id));
    hash.update_number(unsigned_of(row.customer)).update_number(unsigned_of(row.mark));
    hash.update_number(unsigned_of(row.image)).update_number(row.finished ? 1 : 0);
    update_bytes(hash, row.serial);
    hash.update_number(unsigned_of(row.issued)).update_number(unsigned_of(row.expires));
    hash.update_number(unsigned_of(row.revoked));
    update_bytes(hash, row.digest);
    hash.update_text(row.output);
    return hash.finish();
}

Result<Statement> select_marks(const Database& database, std::string_view where) {
    return database.prepare(fmt::format(
        "SELECT id, name, finished, made, model, output, digest, class, input, mac FROM marks {}", where));
}

Result<Statement> select_key_images(const Database& database, std::string_view where) {
    return database.prepare(fmt::format("SELECT id, mark, number, png, mac FROM key_images {}", where));
}

Result<Statement> select_identities(const Database& database, std::string_view where) {
    return database.prepare(fmt::format(
        "SELECT id, customer, mark, image, finished, serial, issued, expires, revoked, digest, output, mac "
        "FROM identities {}",
        where));
}

Result<MarkRow> read_mark(const Database& database, const Statement& row) {
    MarkRow out{.id = row.number(0),
                .finished = row.number(2) == 1,
                .made = row.number(3),
                .model = row.text(4),
                .output = row.text(5),
                .extra_class = row.number(7),
                .input = row.bytes(8)};
    const auto wrong = [&](const char* what) { return damaged(database, "marks", out.id, what); };
    if (out.id < 1) return wrong("invalid id");
    if (!take(row.bytes(1), out.name)) return wrong("a name that does not have 8 bytes");
    if (row.number(2) != 0 && row.number(2) != 1) return wrong("its state is unknown");
    if (!in_time(out.made)) return wrong("a time outside the years 1970 to 9999");
    if (!showable(out.model, kMostText) || !showable(out.output, kMostText))
        return wrong("a name that is not printable text");
    if (!take(row.bytes(6), out.digest)) return wrong("a digest that does not have 32 bytes");
    if (out.extra_class < 1 || out.extra_class > kMostClass) return wrong("an impossible additional class");
    if (out.input.size() > kMostInput) return wrong("an input that is too long");
    if (!take(row.bytes(9), out.mac)) return wrong("a MAC that does not have 32 bytes");
    return out;
}

Result<KeyImageRow> read_key_image(const Database& database, const Statement& row) {
    KeyImageRow out{.id = row.number(0), .mark = row.number(1), .number = row.number(2), .png = row.bytes(3)};
    const auto wrong = [&](const char* what) { return damaged(database, "key_images", out.id, what); };
    if (out.id < 1 || out.mark < 1) return wrong("invalid id");
    if (out.number < 0 || out.number >= kMostKeyImages) return wrong("an impossible number");
    if (out.png.size() > kMostKeyImage) return wrong("an image that is too large");
    if (!take(row.bytes(4), out.mac)) return wrong("a MAC that does not have 32 bytes");
    return out;
}

Result<IdentityRow> read_identity(const Database& database, const Statement& row) {
    IdentityRow out{.id = row.number(0),
                    .customer = row.number(1),
                    .mark = row.number(2),
                    .image = row.number(3),
                    .finished = row.number(4) == 1,
                    .issued = row.number(6),
                    .expires = row.number(7),
                    .revoked = row.number(8),
                    .digest = row.bytes(9),
                    .output = row.text(10)};
    const auto wrong = [&](const char* what) { return damaged(database, "identities", out.id, what); };
    if (out.id < 1 || out.customer < 1 || out.mark < 1) return wrong("invalid id");
    if (out.image < 0 || out.image >= kMostKeyImages) return wrong("an impossible key image");
    if (row.number(4) != 0 && row.number(4) != 1) return wrong("its state is unknown");
    if (!take(row.bytes(5), out.serial)) return wrong("a serial that does not have 8 bytes");
    if (!in_time(out.issued) || !in_time(out.expires) || !in_time(out.revoked))
        return wrong("a time outside the years 1970 to 9999");
    if (!out.digest.empty() && out.digest.size() != sizeof(crypto::Digest))
        return wrong("a digest that does not have 32 bytes");
    if (!showable(out.output, kMostText)) return wrong("a name that is not printable text");
    if (!take(row.bytes(11), out.mac)) return wrong("a MAC that does not have 32 bytes");
    return out;
}

Result<void> write(const Database& database, const MarkRow& row, Write how) {
    MODELSEAL_TRY_ASSIGN(auto statement, database.prepare(statement_of(how, "marks", 10)));
    statement.bind(row.id).bind(row.name).bind(std::int64_t{row.finished}).bind(row.made);
    statement.bind(std::string_view(row.model)).bind(std::string_view(row.output)).bind(row.digest);
    return statement.bind(row.extra_class).bind(row.input).bind(row.mac).run();
}

Result<void> write(const Database& database, const KeyImageRow& row, Write how) {
    MODELSEAL_TRY_ASSIGN(auto statement, database.prepare(statement_of(how, "key_images", 5)));
    return statement.bind(row.id).bind(row.mark).bind(row.number).bind(row.png).bind(row.mac).run();
}

Result<void> write(const Database& database, const IdentityRow& row, Write how) {
    MODELSEAL_TRY_ASSIGN(auto statement, database.prepare(statement_of(how, "identities", 12)));
    statement.bind(row.id).bind(row.customer).bind(row.mark).bind(row.image);
    statement.bind(std::int64_t{row.finished}).bind(row.serial).bind(row.issued).bind(row.expires);
    statement.bind(row.revoked).bind(row.digest).bind(std::string_view(row.output)).bind(row.mac);
    return statement.run();
}

}  // namespace modelseal::ledger
