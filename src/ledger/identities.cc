// The methods of Ledger about marks and identities, in terms of rows.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "crypto/secret.h"
#include "identity/mark.h"
#include "identity/payload.h"
#include "io/png.h"
#include "io/rfc3339.h"
#include "ledger/ledger_state.h"
#include "ledger/row_parts.h"
#include "util/encodings.h"
#include "util/text.h"

namespace modelseal {
namespace {

using namespace ledger;

Error bad_mark(const std::string& what) {
    return {ErrorKind::usage, "a mark cannot have " + what, {}};
}

// Eight random bytes that name a mark or an identity, as hexadecimal digits.
template <class Name>
std::optional<Name> name_of(const std::string& hex) {
    const auto bytes = util::from_hex(hex);
    Name name{};
    if (!bytes || !take(*bytes, name)) return std::nullopt;
    return name;
}

Result<crypto::Digest> digest_of_hex(const std::string& hex) {
    const auto bytes = util::from_hex(hex);
    crypto::Digest digest{};
    if (!bytes || !take(*bytes, digest))
        return Error{ErrorKind::usage, "ledger: a digest is not 64 hexadecimal digits", {}};
    return digest;
}

std::string text_of_time(std::int64_t seconds) {
    return seconds == 0 ? std::string() : io::rfc3339(seconds);
}

// Without its key images.
Result<IdentityMark> mark_of(const Database& database, const MarkRow& row) {
    IdentityMark mark{.id = to_hex(row.name),
                      .made = io::rfc3339(row.made),
                      .finished = row.finished,
                      .model = row.model,
                      .output = row.output,
                      .digest = to_hex(row.digest),
                      .extra_class = static_cast<std::uint32_t>(row.extra_class),
                      .shape = {}};
    formats::ByteReader reader(row.input);
    if (!identity::decode_input(reader, mark) || reader.left() != 0)
        return damaged(database, "marks", row.id, "its input is cut or too long");
    if (const auto wrong = identity::complaint(mark); !wrong.empty())
        return damaged(database, "marks", row.id, wrong.c_str());
    return mark;
}

IssuedIdentity identity_of(const IdentityRow& row, const std::string& user, std::int64_t user_revoked,
                           const std::string& mark) {
    const auto revoked = row.revoked == 0    ? user_revoked
                         : user_revoked == 0 ? row.revoked
                                             : std::min(row.revoked, user_revoked);
    return {.number = static_cast<std::uint64_t>(row.id),
            .serial = to_hex(row.serial),
            .user = user,
            .mark = mark,
            .issued = io::rfc3339(row.issued),
            .expires = text_of_time(row.expires),
            .revoked = text_of_time(revoked),
            .key_image = static_cast<std::uint64_t>(row.image),
            .finished = row.finished,
            .digest = to_hex(row.digest),
            .output = row.output};
}

Result<MarkRow> row_of(const IdentityMark& mark) {
    if (const auto wrong = identity::complaint(mark); !wrong.empty()) return bad_mark(wrong);
    MarkRow row{.model = shortened(mark.model),
                .output = shortened(mark.output),
                .extra_class = mark.extra_class,
                .input = identity::encode_input(mark)};
    MODELSEAL_TRY_ASSIGN(row.digest, digest_of_hex(mark.digest));
    crypto::random_bytes(row.name);
    return row;
}

Result<void> check_key_images(const IdentityMark& mark) {
    const auto& images = mark.key_images;
    if (images.empty() || images.size() > static_cast<std::size_t>(kMostKeyImages))
        return bad_mark(
            fmt::format("{}; 1 to {} are possible", util::counted(images.size(), "key image"), kMostKeyImages));
    const auto size = identity::picture_size(mark);
    for (std::size_t i = 0; i < images.size(); ++i) {
        MODELSEAL_TRY_ASSIGN(const auto picture, io::decode_png(images[i], fmt::format("key image {}", i)));
        if (identity::size_of(picture) != size)
            return bad_mark(fmt::format("a key image of {}; its inputs have {}",
                                        text_of(identity::size_of(picture)), text_of(size)));
        if (images[i].size() > kMostKeyImage)
            return bad_mark(fmt::format("a key image of more than {}", util::counted(kMostKeyImage, "byte")));
        if (picture.samples.size() < identity::kPayloadBits)
            return bad_mark(fmt::format("key images of {}, in which an identity of {} has no room",
                                        util::counted(picture.samples.size(), "sample"),
                                        util::counted(identity::kPayloadBits, "bit")));
    }
    return {};
}

Error no_mark(const std::string& shown, const std::string& id) {
    return {ErrorKind::unreadable, fmt::format("{}: no mark '{}'", shown, util::printable(id)),
            "the marks of a ledger are those that marked models were recorded under"};
}

// The one that is asked for, or the only finished one.
Result<const IdentityMark*> chosen(const std::vector<IdentityMark>& marks, const std::optional<std::string>& id,
                                   const std::string& shown) {
    const IdentityMark* only = nullptr;
    for (const auto& mark : marks) {
        if (id ? mark.id != *id : !mark.finished) continue;
        if (only != nullptr)
            return Error{ErrorKind::unreadable, shown + ": has several marks: which one is to be used?",
                         "name the mark by its id", Remedy::choose_mark};
        only = &mark;
    }
    if (only != nullptr) return only;
    if (id) return no_mark(shown, *id);
    return Error{ErrorKind::unreadable, shown + ": has no mark that is finished", "mark a model first",
                 Remedy::make_mark};
}

}  // namespace

Result<IdentityRecords> Ledger::identity_records() const {
    const auto& database = state_->store->database();
    MODELSEAL_TRY_ASSIGN(auto contents, state_->store->read_all());
    IdentityRecords records{
        .ledger = to_hex(state_->store->name()), .changes = {}, .marks = {}, .identities = {}};
    if (contents.state) records.changes = contents.state->changes;
    std::map<std::int64_t, std::size_t> marks;
    for (const auto& row : contents.marks) {
        MODELSEAL_TRY_ASSIGN(auto mark, mark_of(database, row));
        marks[row.id] = records.marks.size();
        records.marks.push_back(std::move(mark));
    }
    std::ranges::stable_sort(contents.key_images, {}, &KeyImageRow::number);
    for (auto& row : contents.key_images) {
        const auto at = marks.find(row.mark);
        if (at == marks.end()) return damaged(database, "key_images", row.id, "its mark is missing");
        auto& images = records.marks[at->second].key_images;
        if (static_cast<std::size_t>(row.number) != images.size())
            return damaged(database, "key_images", row.id, "an image before it is missing");
        images.push_back(std::move(row.png));
    }
    std::map<std::int64_t, const CustomerRow*> customers;
    for (const auto& row : contents.customers) customers[row.id] = &row;
    for (const auto& row : contents.identities) {
        const auto mark = marks.find(row.mark);
        const auto user = customers.find(row.customer);
        if (mark == marks.end() || user == customers.end())
            return damaged(database, "identities", row.id, "its mark or its user is missing");
        records.identities.push_back(
            identity_of(row, user->second->name, user->second->revoked, records.marks[mark->second].id));
    }
    return records;
}

Result<IdentityMark> Ledger::mark(const std::optional<std::string>& id) const {
    MODELSEAL_TRY_ASSIGN(const auto records, identity_records());
    MODELSEAL_TRY_ASSIGN(const auto* mark, chosen(records.marks, id, state_->shown()));
    return *mark;
}

Result<std::string> Ledger::begin_mark(const IdentityMark& mark) {
    MODELSEAL_TRY_ASSIGN(auto row, row_of(mark));
    MODELSEAL_TRY(check_key_images(mark));
    auto& store = *state_->store;
    const auto add = [&](ledger::State& state) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(const auto last, store.database().number("SELECT max(id) FROM marks"));
        MODELSEAL_TRY_ASSIGN(auto image, store.database().number("SELECT max(id) FROM key_images"));
        row.id = last + 1;
        row.made = io::seconds_now();
        MODELSEAL_TRY(store.put(state, row));
        for (std::size_t i = 0; i < mark.key_images.size(); ++i) {
            MODELSEAL_TRY(store.put(state, KeyImageRow{.id = ++image,
                                                       .mark = row.id,
                                                       .number = static_cast<std::int64_t>(i),
                                                       .png = mark.key_images[i]}));
        }
        return {};
    };
    MODELSEAL_TRY(store.change(add));
    return to_hex(row.name);
}

Result<void> Ledger::finish_mark(const std::string& id) {
    auto& store = *state_->store;
    return store.change([&](ledger::State& state) -> Result<void> {
        const auto name = name_of<MarkName>(id);
        if (!name) return no_mark(state_->shown(), id);
        MODELSEAL_TRY_ASSIGN(const auto before, store.find_mark(*name));
        if (!before) return no_mark(state_->shown(), id);
        auto after = *before;
        after.finished = true;
        return store.put(state, std::move(after), &*before);
    });
}

namespace {

// The mark of a request, within a transaction.
Result<MarkRow> find_mark_for(const Store& store, const std::optional<std::string>& id) {
    const auto& database = store.database();
    if (id) {
        const auto name = name_of<MarkName>(*id);
        if (!name) return no_mark(database.shown(), *id);
        MODELSEAL_TRY_ASSIGN(auto row, store.find_mark(*name));
        if (!row) return no_mark(database.shown(), *id);
        return std::move(*row);
    }
    std::vector<IdentityMark> marks;
    MODELSEAL_TRY_ASSIGN(auto rows, select_marks(database, "ORDER BY id"));
    for (auto row = rows.step(); !row.ok() || *row; row = rows.step()) {
        MODELSEAL_TRY(row);
        MODELSEAL_TRY_ASSIGN(const auto read, read_mark(database, rows));
        MODELSEAL_TRY_ASSIGN(auto mark, mark_of(database, read));
        marks.push_back(std::move(mark));
    }
    MODELSEAL_TRY_ASSIGN(const auto* mark, chosen(marks, std::nullopt, database.shown()));
    return find_mark_for(store, mark->id);
}

// The key image that the fewest identities have, and of these the first.
struct Choice {
    std::int64_t number = 0, uses = 0;
};
Result<Choice> choose_image(const Database& database, std::int64_t mark) {
    MODELSEAL_TRY_ASSIGN(
        auto rows,
        database.prepare("SELECT k.number, count(i.id) AS uses FROM key_images AS k LEFT JOIN identities AS i "
                         "ON i.mark = k.mark AND i.image = k.number WHERE k.mark = ? GROUP BY k.number "
                         "ORDER BY uses, k.number LIMIT 1"));
    MODELSEAL_TRY_ASSIGN(const bool there, rows.bind(mark).step());
    if (!there) return damaged(database, "marks", mark, "it has no key image");
    return Choice{rows.number(0), rows.number(1)};
}

Error no_identity(const std::string& shown, const std::string& serial) {
    return {ErrorKind::unreadable,
            fmt::format("{}: no identity with serial '{}'", shown, util::printable(serial)),
            "show the user, whose identities are listed", Remedy::show_customer};
}

}  // namespace

Result<BegunIdentity> Ledger::begin_identity(const SigningKey& vendor, const IdentityRequest& request) {
    auto& store = *state_->store;
    const auto expires =
        request.expires.empty() ? std::optional<std::int64_t>(0) : io::parse_rfc3339(request.expires);
    if (!expires) return Error{ErrorKind::usage, "the end of an identity is not a time of RFC 3339", {}};
    BegunIdentity begun;
    const auto add = [&](ledger::State& state) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(const auto mark, find_mark_for(store, request.mark));
        MODELSEAL_TRY_ASSIGN(const auto known, store.find_customer(request.user));
        if (known && known->revoked != 0) return state_->revoked(*known);
        if (!known) MODELSEAL_TRY(state_->insert_new(state, vendor, request.user));
        MODELSEAL_TRY_ASSIGN(const auto user, state_->find(request.user));
        MODELSEAL_TRY_ASSIGN(const auto choice, choose_image(store.database(), mark.id));
        MODELSEAL_TRY_ASSIGN(auto image, store.find_key_image(mark.id, choice.number));
        if (!image) return damaged(store.database(), "marks", mark.id, "it has no key image");
        MODELSEAL_TRY_ASSIGN(const auto last, store.database().number("SELECT max(id) FROM identities"));
        IdentityRow row{.id = last + 1,
                        .customer = user.id,
                        .mark = mark.id,
                        .image = choice.number,
                        .issued = io::seconds_now(),
                        .expires = *expires,
                        .output = shortened(request.output.string())};
        crypto::random_bytes(row.serial);
        MODELSEAL_TRY_ASSIGN(begun.mark, mark_of(store.database(), mark));
        begun.identity = identity_of(row, user.name, 0, begun.mark.id);
        begun.key_image = std::move(image->png);
        begun.change = state.changes + 1;
        begun.user_added = !known;
        begun.image_used = choice.uses != 0;
        return store.put(state, std::move(row));
    };
    MODELSEAL_TRY(store.change(add));
    return begun;
}

namespace {

Result<void> change_identity(Store& store, const std::string& serial,
                             const std::function<Result<void>(IdentityRow& row)>& edit) {
    return store.change([&](ledger::State& state) -> Result<void> {
        const auto name = name_of<IdentitySerial>(serial);
        if (!name) return no_identity(store.database().shown(), serial);
        MODELSEAL_TRY_ASSIGN(const auto before, store.find_identity(*name));
        if (!before) return no_identity(store.database().shown(), serial);
        auto after = *before;
        MODELSEAL_TRY(edit(after));
        return store.put(state, std::move(after), &*before);
    });
}

}  // namespace

Result<void> Ledger::finish_identity(const std::string& serial, const std::string& digest) {
    MODELSEAL_TRY_ASSIGN(const auto bytes, digest_of_hex(digest));
    return change_identity(*state_->store, serial, [&](IdentityRow& row) -> Result<void> {
        row.finished = true;
        row.digest.assign(bytes.begin(), bytes.end());
        return {};
    });
}

Result<void> Ledger::revoke_identity(const std::string& serial) {
    return change_identity(*state_->store, serial, [&](IdentityRow& row) -> Result<void> {
        if (row.revoked != 0) {
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: identity {} was already revoked on {}", state_->shown(), serial,
                                     io::rfc3339(row.revoked)),
                         {}};
        }
        row.revoked = std::max<std::int64_t>(1, io::seconds_now());
        return {};
    });
}

}  // namespace modelseal
