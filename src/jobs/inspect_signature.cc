
#include "jobs/inspect_signature.h"

#include <algorithm>
#include <map>

#include "crypto/x509/certificates.h"
#include "crypto/x509/timestamp.h"
#include "io/rfc3339.h"
#include "oms/authenticate.h"
#include "oms/bundle.h"
#include "oms/statement.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::jobs {
namespace {

class Facts {
  public:
    explicit Facts(Inspection& out) : out_(out) {}
    void add(const char* key, const std::string& value) {
        if (!value.empty()) out_.facts.push_back({key, value});
    }
    void add(const char* key, std::uint64_t value) { out_.facts.push_back({key, value}); }
    void flag(const char* key, bool value) { out_.facts.push_back({key, value}); }

  private:
    Inspection& out_;
};

// Empty for a time that no calendar of four digits has.
std::string time_text(std::uint64_t seconds) {
    return seconds > 0 && seconds <= static_cast<std::uint64_t>(io::kLastSecond)
               ? io::rfc3339(static_cast<std::int64_t>(seconds))
               : std::string();
}

void add_signer(const oms::Bundle& bundle, const crypto::Certificate& leaf, Facts& facts) {
    facts.add("subject", leaf.subject());
    facts.add("issuer", leaf.issuer());
    if (bundle.method == oms::Bundle::Method::sigstore) {
        const auto names = leaf.alternative_names();
        if (!names.empty()) facts.add("identity", names.front());
        facts.add("identity_issuer", crypto::identity_issuer(leaf));
    }
    facts.add("not_before",
              time_text(static_cast<std::uint64_t>(std::max<std::int64_t>(0, leaf.not_before()))));
    facts.add("not_after", time_text(static_cast<std::uint64_t>(std::max<std::int64_t>(0, leaf.not_after()))));
}

void add_statement(const oms::Statement& statement, Facts& facts, SignatureContents& contents) {
    facts.add("model", statement.subject);
    if (statement.release_0_2_0) facts.add("release", "0.2.0");
    facts.add("root", to_hex(statement.root));
    facts.add("serialization", statement.shard_size ? "shards" : "files");
    facts.add("hash", std::string(oms::name_of(statement.hash)));
    if (statement.shard_size) facts.add("shard_size", *statement.shard_size);
    facts.flag("allow_symlinks", statement.allow_symlinks);
    facts.add("seal_root", statement.seal_root);
    facts.add("fingerprint", statement.fingerprint);
    contents.ignore_paths = statement.ignore_paths;
    std::map<std::string, std::size_t> places;
    for (const auto& resource : statement.resources) {
        const auto [place, is_new] = places.try_emplace(resource.name, contents.files.size());
        if (is_new) contents.files.push_back({.name = resource.name, .digest = to_hex(resource.digest)});
        auto& file = contents.files[place->second];
        if (statement.shard_size) ++file.shards;
        file.tensors += resource.tensors.size();
    }
    facts.add("file_count", contents.files.size());
}

}  // namespace

Result<Inspection> inspect_signature(std::string_view text, const std::string& target) {
    const auto shown = util::printable(target);
    MODELSEAL_TRY_ASSIGN(const auto bundle, oms::parse_bundle(text, shown));
    MODELSEAL_TRY_ASSIGN(const auto statement, oms::parse_statement(bundle.payload, shown));
    Inspection out{.target = target, .kind = "signature"};
    Facts facts(out);
    facts.add("format", "OpenSSF model signature (Sigstore bundle)");
    facts.add("media_type", std::string(oms::kBundleType));
    facts.add("method", std::string(oms::name_of(bundle.method)));
    const auto key_id = oms::key_id_of_hint(bundle.hint);
    facts.add("key_id", key_id);
    if (key_id.empty()) facts.add("key_hint", bundle.hint);
    if (!bundle.certificates.empty()) {
        MODELSEAL_TRY_ASSIGN(const auto leaf, crypto::Certificate::of_der(bundle.certificates.front(), shown));
        if (const auto key = leaf.key(shown); key.ok()) facts.add("key_id", to_hex(key->id()));
        add_signer(bundle, leaf, facts);
    }
    auto& contents = out.signature.emplace();
    add_statement(statement, facts, contents);
    for (const auto& stamp : bundle.timestamps) {
        const auto at = crypto::claimed_time(stamp);
        contents.timestamps.push_back(at ? time_text(static_cast<std::uint64_t>(*at)) : "unreadable");
    }
    for (const auto& entry : bundle.log) {
        contents.log_entries.push_back({entry.log_index, time_text(entry.integrated_time)});
    }
    out.warnings.emplace_back("none of this was verified, and anybody can write it");
    return out;
}

}  // namespace modelseal::jobs
