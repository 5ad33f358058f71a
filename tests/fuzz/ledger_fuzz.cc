// Any bytes as a ledger, looked at without a key and with the key of the seeds: SQLite takes them or not, and
// what comes out is what a ledger may hold.
#include <array>

#include "identity/mark.h"
#include "ledger/rows.h"
#include "ledger/store.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/scratch.h"
#include "util/text.h"

namespace {

using namespace modelseal;

// As test_key() of the tests.
const SigningKey& key() {
    static const SigningKey fixed = [] {
        std::array<std::byte, 32> seed;
        seed.fill(std::byte{1});
        return SigningKey(Secret32(seed));
    }();
    return fixed;
}

void must_be_showable(const std::string& text) {
    if (util::printable(text) != text) test::finding("a text that cannot be shown");
}

void look(std::span<const std::byte> bytes, const SigningKey* vendor) {
    const test::Scratch folder;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    auto database = ledger::Database::open(folder.write("fuzz", text));
    if (!database.ok()) return test::must_be_fair(database.error());
    const auto store = ledger::Store::open(std::move(*database), vendor, ledger::Store::IfEmpty::refuse);
    if (!store.ok()) return test::must_be_fair(store.error());
    const auto contents = (*store)->read_all();
    if (!contents.ok()) return test::must_be_fair(contents.error());
    for (const auto& customer : contents->customers) {
        must_be_showable(customer.name);
        must_be_showable(customer.reason);
        if (vendor != nullptr) static_cast<void>((*store)->vault()->open_key(customer.key, customer.salt));
        const auto found = (*store)->find_customer(customer.name);
        if (!found.ok()) test::must_be_fair(found.error());
    }
    for (const auto& row : contents->entries) {
        const auto entry = ledger::entry_of(row, "");
        must_be_showable(entry.model);
        must_be_showable(entry.output);
        const auto again = ledger::row_of(entry);
        if (!again.ok()) test::must_be_fair(again.error());
    }
}

// The public view of the same file, which joins the tables about identities.
void look_at_identities(std::span<const std::byte> bytes) {
    const test::Scratch folder;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto ledger = Ledger::open_unverified(folder.write("fuzz", text));
    if (!ledger.ok()) return test::must_be_fair(ledger.error());
    const auto records = ledger->identity_records();
    if (!records.ok()) return test::must_be_fair(records.error());
    for (const auto& mark : records->marks) {
        if (!identity::complaint(mark).empty()) test::finding("a mark that cannot be");
        must_be_showable(mark.model);
    }
    for (const auto& identity : records->identities) must_be_showable(identity.user + identity.output);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    look(bytes, nullptr);
    look(bytes, &key());
    look_at_identities(bytes);
    return 0;
}
