// The vendor's ledger: customers, their check keys, and every seal and fingerprint that was made.
//
//     auto ledger = Ledger::open_or_create("customers.ledger", key);
//     ledger->add(key, "acme");
//     auto check = ledger->check_key("acme");
//     seal_model("net.onnx", "acme.onnx", {.key = key, .check = *check, .ledger = &*ledger});
//     auto trace = trace_model("leaked.onnx", {.ledger = *ledger});
//
// One SQLite file, mode 0600. Check keys in it are encrypted under the vendor's key, and rows that were
// changed, left out or put back without that key are noticed. Format: modelseal-ledger(5).
//
// Several processes may use one ledger at once: who writes waits for who is writing. What a call reports as
// done is on the disk, whatever happens to the process afterwards; what it does not is there whole or not at
// all.
//
// Thread safety: none; each thread opens a Ledger of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <modelseal/format.h>
#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal {

namespace io {
class Progress;
}

struct Customer {
    std::string name;                           // UTF-8 without control characters, unique
    std::string added;                          // RFC 3339
    std::string revoked;                        // the same; empty: not revoked
    std::string reason;                         // why revoked, may be empty
    std::uint64_t seals = 0, fingerprints = 0;  // that were made for them
};

struct LedgerEntry {
    enum class Kind { seal, fingerprint };
    std::uint64_t number = 0;  // in order of making, from 1 on
    Kind kind = Kind::seal;
    std::string customer;  // empty: for everybody
    std::string made;      // RFC 3339
    // False: the entry was written, and whether the output was written after it is not known.
    bool finished = false;
    std::string model;   // file that was sealed or fingerprinted, without its folder
    std::string output;  // where the result went
    std::string root;    // hex, of the seal; of a fingerprint: that it is bound to. Empty: deepisign has none
    std::string fingerprint;                                 // hex, its id; empty for a seal
    std::vector<std::pair<std::string, std::string>> stamp;  // of a seal
    std::vector<std::byte> cell_head;                        // see SealSummary
};

class Ledger {
  public:
    // With the vendor's key; `mismatch` if it is another vendor's, or if the ledger was changed without his
    // key.
    static Result<Ledger> open(const std::filesystem::path& path, const SigningKey& vendor);
    // Makes it if it is not there yet.
    static Result<Ledger> open_or_create(const std::filesystem::path& path, const SigningKey& vendor);
    // To look at, without a key: nothing is verified, check keys stay closed, and nothing can be written.
    static Result<Ledger> open_unverified(const std::filesystem::path& path);
    Ledger(Ledger&&) noexcept;
    Ledger& operator=(Ledger&&) noexcept;
    ~Ledger();

    const std::filesystem::path& path() const;
    bool verified() const;            // was opened with a key
    const PublicKey& vendor() const;  // whose it is; what the file says where nothing was verified

    // All by name. With a key, these look at every row of the ledger before they answer.
    Result<std::vector<Customer>> customers() const;
    // In order of making; of one customer only, if a name is given.
    Result<std::vector<LedgerEntry>> entries(const std::optional<std::string>& customer = {}) const;

    // `unreadable` if there is no such customer.
    Result<Customer> customer(const std::string& name) const;
    Result<CheckKey> check_key(const std::string& name) const;
    // A NAME.check file; the caller wipes it.
    Result<std::string> check_key_text(const std::string& name) const;
    // In the order of customers().
    Result<std::vector<CheckKey>> check_keys() const;

    // With a fresh check key, or with one that the vendor made earlier (the text of a NAME.check file).
    Result<void> add(const SigningKey& vendor, const std::string& name);
    Result<void> add(const SigningKey& vendor, std::span<const std::string> names);  // all or none
    Result<void> add_existing(const std::string& check_key_text, const std::string& shown);
    // No seal is made for them any more. They are traced as before.
    Result<void> revoke(const std::string& name, const std::string& reason);

    // Whether something may be made for the holder of this key: `unsupported` if the ledger does not have its
    // customer or has revoked them, `mismatch` if it has another key of theirs. The public check key may.
    Result<void> allow(const CheckKey& key) const;
    // Puts down what is about to be made, and, when it stands, that it does. Number and time are filled in.
    Result<std::uint64_t> begin(LedgerEntry entry);
    Result<void> finish(std::uint64_t number);

  private:
    struct State;
    explicit Ledger(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal
