#include "jobs/signed_files.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "io/folder.h"
#include "oms/tree.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

namespace fs = std::filesystem;
using crypto::Digest;
using crypto::Sha256;
using ledger::Transaction;

constexpr OwnDatabase::Kind kKind = {
    .application = 0x6d737369,  // "mssi"
    .version = 1,
    .tables =
        "CREATE TABLE files (root TEXT NOT NULL, name TEXT NOT NULL, state BLOB NOT NULL, seed BLOB NOT NULL, "
        "sample BLOB NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (root, name)) WITHOUT ROWID",
    .is = "a cache of signed files"};
constexpr auto kSettled = std::chrono::seconds(2);
constexpr std::uint64_t kParts = 16, kPartBytes = 64u << 10;
using Seed = std::array<std::byte, 16>;

Digest digest_of(const io::FileState& state) {
    Sha256 hash;
    for (const auto number : {state.device, state.inode, state.size}) hash.update_number(number);
    return hash.update_number(static_cast<std::uint64_t>(state.changed_ns)).finish();
}

// The beginning, the end and parts at places that follow from the seed; all of a small file.
Result<Digest> sample_of(const io::FileSource& source, const Seed& seed) {
    Sha256 hash;
    std::vector<std::byte> part;
    const auto add = [&](std::uint64_t offset, std::uint64_t bytes) -> Result<void> {
        part.resize(bytes);
        MODELSEAL_TRY(source.read(offset, part));
        hash.update(part);
        return {};
    };
    const auto size = source.size();
    if (size <= kParts * kPartBytes) {
        MODELSEAL_TRY(add(0, size));
        return hash.finish();
    }
    const auto places = size - kPartBytes + 1;
    for (std::uint64_t i = 0; i < kParts; ++i) {
        const auto draw = Sha256().update_text("modelseal sample").update(seed).update_number(i).finish();
        std::uint64_t number = 0;
        std::memcpy(&number, draw.data(), sizeof number);
        MODELSEAL_TRY(add(i == 0 ? 0 : i == 1 ? places - 1 : number % places, kPartBytes));
    }
    return hash.finish();
}

struct Row {
    std::string root, name;
    Digest state{}, sample{};
    Seed seed{};
    // A row of which a bit was lost must not answer.
    Digest sum() const {
        return Sha256()
            .update_text("modelseal signed file")
            .update_text(root)
            .update_number(name.size())
            .update_text(name)
            .update(state)
            .update(seed)
            .update(sample)
            .finish();
    }
};

std::span<const std::byte> as_bytes(const auto& array) {
    return array;
}

class Earlier final : public oms::EarlierFiles {
  public:
    Earlier(const SignedFiles& files, std::string root) : files_(files), root_(std::move(root)) {}
    Result<bool> unchanged(const std::string& name, const io::FileSource& source) override {
        return files_.unchanged(root_, name, source);
    }

  private:
    const SignedFiles& files_;
    std::string root_;
};

// Errors of SQLite are worded for ledgers.
Error of_cache(const OwnDatabase& own, const Error& error) {
    return error.kind == ErrorKind::malformed ? OwnDatabase::damaged(own.shown, kKind.is) : error;
}

Result<void> write_rows(const ledger::Database& database, const std::vector<Row>& rows) {
    MODELSEAL_TRY_ASSIGN(auto transaction, Transaction::begin(database, Transaction::Kind::write));
    MODELSEAL_TRY_ASSIGN(auto insert,
                         database.prepare("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)"));
    for (const auto& row : rows) {
        const auto sum = row.sum();
        MODELSEAL_TRY(insert.bind(row.root)
                          .bind(row.name)
                          .bind(as_bytes(row.state))
                          .bind(as_bytes(row.seed))
                          .bind(as_bytes(row.sample))
                          .bind(as_bytes(sum))
                          .run());
    }
    return transaction.commit();
}

bool take(const std::vector<std::byte>& bytes, auto& array) {
    if (bytes.size() != array.size()) return false;
    std::ranges::copy(bytes, array.begin());
    return true;
}

}  // namespace

Result<SignedFiles> SignedFiles::open(const fs::path& path) {
    MODELSEAL_TRY_ASSIGN(auto own, OwnDatabase::open(path, kKind));
    return SignedFiles(std::move(own));
}

Result<bool> SignedFiles::unchanged(const std::string& root, const std::string& name,
                                    const io::FileSource& source) const {
    auto select =
        own_.database.prepare("SELECT state, seed, sample, sum FROM files WHERE root = ? AND name = ?");
    if (!select.ok()) return of_cache(own_, select.error());
    const auto there = select->bind(root).bind(name).step();
    if (!there.ok()) return of_cache(own_, there.error());
    if (!*there) return false;
    Row row{.root = root, .name = name};
    const bool whole = take(select->bytes(0), row.state) && take(select->bytes(1), row.seed) &&
                       take(select->bytes(2), row.sample);
    if (!whole || !std::ranges::equal(row.sum(), select->bytes(3)))
        return OwnDatabase::damaged(own_.shown, kKind.is);
    if (row.state != digest_of(source.state())) return false;
    MODELSEAL_TRY_ASSIGN(const auto sample, sample_of(source, row.seed));
    return sample == row.sample;
}

Result<void> SignedFiles::keep(const std::string& root, const fs::path& model, const oms::FileStates& states,
                               Clock::time_point now) {
    const auto settled = std::chrono::nanoseconds((now - kSettled).time_since_epoch()).count();
    MODELSEAL_TRY_ASSIGN(const auto tree, oms::Tree::open(model));
    std::vector<Row> rows;
    for (const auto& [name, state] : states) {
        if (state.changed_ns >= settled) continue;
        MODELSEAL_TRY_ASSIGN(const auto source, tree.file(name, true));
        if (source->state() != state) continue;
        Row row{.root = root, .name = name, .state = digest_of(state)};
        crypto::random_bytes(row.seed);
        MODELSEAL_TRY_ASSIGN(row.sample, sample_of(*source, row.seed));
        rows.push_back(std::move(row));
    }
    const auto done = write_rows(own_.database, rows);
    return done.ok() ? Result<void>() : of_cache(own_, done.error());
}

Result<SignSummary> sign_with_cache(const fs::path& model, const SignOptions& options, const fs::path& cache,
                                    const fs::path& reuse, SignedFiles::Clock::time_point now) {
    MODELSEAL_TRY_ASSIGN(auto files, SignedFiles::open(cache));
    oms::FileStates states;
    const auto signed_now = [&]() -> Result<SignSummary> {
        if (reuse.empty()) return oms::sign(model, options, nullptr, &states);
        MODELSEAL_TRY_ASSIGN(const auto before, oms::statement_by(options.key.public_key(), reuse));
        Earlier earlier(files, to_hex(before.root));
        const oms::Reuse from{&before, &earlier};
        return oms::sign(model, options, &from, &states);
    };
    MODELSEAL_TRY_ASSIGN(auto summary, signed_now());
    // The signature is there: what goes wrong now costs time at the next one.
    if (const auto kept = files.keep(summary.root, model, states, now); !kept.ok())
        summary.warnings.push_back("not kept for the next signature: " + kept.error().message);
    return summary;
}

}  // namespace modelseal::jobs
