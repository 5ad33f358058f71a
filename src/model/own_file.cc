
#include "model/own_file.h"

#include <algorithm>
#include <span>

#include "blackbox/container/container.h"
#include "crypto/keys/armor.h"
#include "crypto/keys/check_key.h"
#include "crypto/keys/key_facts.h"
#include "crypto/secret.h"
#include "formats/reader.h"
#include "jobs/receipt.h"
#include "oms/bundle.h"
#include "oms/statement.h"

namespace modelseal::model {
namespace {

constexpr std::uint64_t kMostBytes = 64u << 20;  // a larger one is read as part of the model, and covered

bool is_signature(std::string_view text) {
    const auto bundle = oms::parse_bundle(text, {});
    return bundle.ok() && oms::parse_statement(bundle->payload, {}).ok();
}

bool is_receipt(std::string_view text) {
    return jobs::decode_receipt(std::as_bytes(std::span(text)), {}).ok();
}

bool is_fingerprint(std::string_view text) {
    return blackbox::show(formats::MemorySource({}, std::as_bytes(std::span(text)))).ok();
}

bool is_check_key(std::string_view text) {
    return crypto::tidy_armor(text) == text && crypto::parse_check_key(text, {}).ok();
}

// One block of PEM and nothing around it.
bool is_public_key(std::string_view text) {
    if (!text.starts_with("-----BEGIN PUBLIC KEY-----\n") || !text.ends_with("\n-----END PUBLIC KEY-----\n"))
        return false;
    const auto key = crypto::describe_key(text, {});
    return key.ok() && key->half == crypto::KeyFacts::Half::open;
}

struct Kind {
    std::string_view ending, what;
    bool (*is)(std::string_view text);
};
constexpr Kind kKinds[] = {
    {".sig", "signature", is_signature},   {".sigstore", "signature", is_signature},
    {".receipt", "receipt", is_receipt},   {".fp", "fingerprint", is_fingerprint},
    {".check", "check key", is_check_key}, {".pub", "public key", is_public_key},
};

}  // namespace

Result<std::optional<std::string_view>> own_file(const io::Folder& folder, const std::string& path) {
    const std::optional<std::string_view> none;
    const auto* kind =
        std::ranges::find_if(kKinds, [&](const Kind& each) { return path.ends_with(each.ending); });
    if (kind == std::end(kKinds)) return none;
    MODELSEAL_TRY_ASSIGN(const auto source, folder.file(path));
    if (source->size() > kMostBytes) return none;
    std::string text(source->size(), '\0');
    const crypto::WipeAtEnd wiped(text);
    MODELSEAL_TRY(source->read(0, std::as_writable_bytes(std::span(text))));
    return kind->is(text) ? std::optional(kind->what) : none;
}

}  // namespace modelseal::model
