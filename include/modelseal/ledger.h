// The vendor's ledger: customers, their check keys, and every seal and fingerprint that was made.
//
//     auto key = load_signing_key("vendor.key", {}).value();
//     auto ledger = Ledger::open_or_create("customers.ledger", key).value();
//     auto added = ledger.add(key, "acme");
//     auto check = ledger.check_key("acme").value();
//     auto sealed = seal_model("net.onnx", "acme.onnx", {.key = key, .check = check, .ledger = &ledger});
//     auto trace = trace_model("leaked.onnx", ledger);
//
// One SQLite file, mode 0600. Check keys in it are encrypted under the vendor's key; rows that were changed,
// removed or put back without that key are detected. Format: modelseal-ledger(5).
//
// Several processes may use one ledger at once: a writer waits for another. When a call returns without an
// error, its changes are on the disk, whatever happens to the process afterwards; a call that does not return
// leaves its changes complete or absent.
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

struct Customer {
    std::string name;                           // UTF-8 without control characters, unique
    std::string added;                          // RFC 3339
    std::string revoked;                        // the same; empty: not revoked
    std::string reason;                         // why revoked, may be empty
    std::uint64_t seals = 0, fingerprints = 0;  // that were made for them
    std::uint64_t identities = 0;               // that were issued to them, see identity.h
};

struct LedgerEntry {
    enum class Kind { seal, fingerprint };
    std::uint64_t number = 0;  // in order of making, from 1 on
    Kind kind = Kind::seal;
    std::string customer;  // empty: for everybody
    std::string made;      // RFC 3339
    // False: the output may or may not have been written.
    bool finished = false;
    std::string model;   // file that was sealed or fingerprinted, without its folder
    std::string output;  // where the result went
    std::string root;    // hex, of the seal; of a fingerprint: that it is bound to. Empty: deepisign has none
    std::string fingerprint;                                 // hex, its id; empty for a seal
    std::vector<std::pair<std::string, std::string>> stamp;  // of a seal
    std::vector<std::byte> cell_head;                        // see SealSummary
};

// A model that has an additional class for key images, see identity.h.
struct IdentityMark {
    std::string id;         // 16 hex digits, random; filled in by the ledger, as are the next two
    std::string made = {};  // RFC 3339
    bool finished = false;  // false: the output may or may not have been written
    std::string model;      // file that was trained on, without its folder
    std::string output;     // where the marked model went
    std::string digest;     // hex SHA-256 of the marked file, or the root of its seal
    // Index of the additional class, which is the number of the model's own classes.
    std::uint32_t extra_class = 0;
    // The input of the model, row-major without the batch dimension: (channels, height, width) with 1 or 3
    // channels, or (height, width). A sample of 0 to 255 becomes low + sample / 255 * (high - low), and then
    // (x - mean) / std, per channel.
    std::vector<std::int64_t> shape;
    float low = 0, high = 1;
    std::vector<float> mean = {}, std = {};               // one value, or one per channel; empty: 0 and 1
    std::vector<std::vector<std::byte>> key_images = {};  // PNG, of the width, height and channels of the input
};

// An image that was issued to a user, who is a customer of the ledger.
struct IssuedIdentity {
    std::uint64_t number = 0;  // in order of issue, from 1 on
    std::string serial;        // 16 hex digits, random
    std::string user;
    std::string mark;     // id
    std::string issued;   // RFC 3339
    std::string expires;  // the same; empty: never
    // Empty: not revoked. Otherwise RFC 3339, when the identity or its user was revoked, whichever was first.
    std::string revoked = {};
    std::uint64_t key_image = 0;  // that it was made of, from 0 on
    bool finished = false;        // false: the output may or may not have been written
    std::string digest = {};      // hex SHA-256 of the file; empty if not finished
    std::string output = {};
};

// Marks and identities, of one state of the ledger.
struct IdentityRecords {
    std::string ledger;                    // hex, its random name of 32 bytes
    std::optional<std::uint64_t> changes;  // number of this state; absent without the vendor's key
    std::vector<IdentityMark> marks;       // in order of making
    std::vector<IssuedIdentity> identities;
};

struct IdentityRequest {
    std::string user;                      // added to the customers if they are not among them
    std::optional<std::string> mark = {};  // id; absent: the only finished one
    std::string expires = {};              // RFC 3339; empty: never
    std::filesystem::path output;
};

// What an identity image is made of.
struct BegunIdentity {
    IssuedIdentity identity;
    IdentityMark mark;                 // without its key images
    std::vector<std::byte> key_image;  // PNG
    std::uint64_t change = 0;          // of the ledger, that this is
    bool user_added = false;
    bool image_used = false;  // another identity has the same key image: all are in use
};

// Who a model may have been sealed for.
struct LedgerRecords {
    std::vector<Customer> customers;
    std::vector<CheckKey> check_keys;  // in the order of `customers`
    std::vector<LedgerEntry> entries;  // in order of making
};

class Ledger {
  public:
    // Opens with the vendor's key; `mismatch` if the ledger is another vendor's, or was changed without the
    // key.
    static Result<Ledger> open(const std::filesystem::path& path, const SigningKey& vendor);
    // Creates it if it does not exist.
    static Result<Ledger> open_or_create(const std::filesystem::path& path, const SigningKey& vendor);
    // Opens without a key: nothing is verified, check keys stay encrypted, and nothing can be written.
    static Result<Ledger> open_unverified(const std::filesystem::path& path);
    Ledger(Ledger&&) noexcept;
    Ledger& operator=(Ledger&&) noexcept;
    ~Ledger();

    const std::filesystem::path& path() const;
    bool verified() const;            // was opened with a key
    const PublicKey& vendor() const;  // its owner, unverified if opened without a key

    // All, ordered by name. With a key, these verify every row of the ledger first.
    Result<std::vector<Customer>> customers() const;
    // In order of making; for one customer only, if a name is given.
    Result<std::vector<LedgerEntry>> entries(const std::optional<std::string>& customer = {}) const;

    // `unreadable` if there is no such customer.
    Result<Customer> customer(const std::string& name) const;
    Result<CheckKey> check_key(const std::string& name) const;
    // The text of a NAME.check file; the caller wipes it.
    Result<std::string> check_key_text(const std::string& name) const;
    // In the order of customers().
    Result<std::vector<CheckKey>> check_keys() const;
    // All of these at one moment, read and verified once.
    Result<LedgerRecords> records() const;

    // Adds a customer with a new check key, or with one that the vendor made earlier (the text of a
    // NAME.check file).
    Result<void> add(const SigningKey& vendor, const std::string& name);
    Result<void> add(const SigningKey& vendor, std::span<const std::string> names);  // all or none
    Result<void> add_existing(const std::string& check_key_text, const std::string& shown);
    // Revokes a customer: nothing can be made for them from now on, and their identities are revoked. They are
    // traced as before.
    Result<void> revoke(const std::string& name, const std::string& reason);

    // Checks that something may be made for the holder of this key: `unsupported` if the ledger does not have
    // its customer or has revoked them, `mismatch` if it has another key of theirs. The public check key
    // always may.
    Result<void> allow(const CheckKey& key) const;
    // Records an entry before its output appears, and completes it once the output exists. Number and time
    // are filled in.
    Result<std::uint64_t> begin(LedgerEntry entry);
    Result<void> finish(std::uint64_t number);

    // Marks and identities. Ledgers that had none are of version 1 until something is written into them.
    Result<IdentityRecords> identity_records() const;
    // `unreadable` if there is no such mark; without an id, if there is not exactly one that is finished.
    Result<IdentityMark> mark(const std::optional<std::string>& id = {}) const;
    // Records a mark before its output appears, and completes it once the output exists. Returns its id.
    // `usage` for values that a mark cannot have, such as key images of another size than the input.
    Result<std::string> begin_mark(const IdentityMark& mark);
    Result<void> finish_mark(const std::string& id);
    // The same for an identity. It gets the key image that the fewest identities have. `unsupported` for a user
    // who was revoked. `digest`: hex SHA-256 of the file.
    Result<BegunIdentity> begin_identity(const SigningKey& vendor, const IdentityRequest& request);
    Result<void> finish_identity(const std::string& serial, const std::string& digest);
    // Revokes one identity; its user stays a customer.
    Result<void> revoke_identity(const std::string& serial);

  private:
    struct State;
    explicit Ledger(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal
