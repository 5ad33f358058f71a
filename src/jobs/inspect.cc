#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "blackbox/container/container.h"
#include "blackbox/method.h"
#include "crypto/keys/key_facts.h"
#include "crypto/secret.h"
#include "formats/json.h"
#include "identity/registry.h"
#include "io/file.h"
#include "jobs/check/files.h"
#include "jobs/inspect_identity.h"
#include "jobs/inspect_signature.h"
#include "jobs/receipt.h"
#include "jobs/web_file.h"
#include "ledger/schema.h"
#include "mark/checking/locate.h"
#include "mark/checking/part.h"
#include "model/model.h"
#include "oracle/endpoint.h"
#include "util/byte_order_mark.h"
#include "util/text.h"
#include <modelseal/inspect.h>
#include <modelseal/ledger.h>

namespace modelseal {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 64u << 10;
constexpr std::uint64_t kMaxDocumentBytes = 64u << 20;
constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle";

Result<std::string> read_all(const Source& source) {
    std::string text(source.size(), '\0');
    MODELSEAL_TRY(source.read(0, std::as_writable_bytes(std::span(text))));
    return text;
}

Inspection describe_facts(const crypto::KeyFacts& key, const std::string& target) {
    Inspection out{.target = target};
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) out.facts.push_back({name, value});
    };
    using Half = crypto::KeyFacts::Half;
    out.kind = key.half == Half::secret  ? "private-key"
               : key.half == Half::open  ? "public-key"
               : key.half == Half::check ? "check-key"
                                         : "certificate";
    add("algorithm", key.algorithm);
    if (key.half == Half::secret) out.facts.push_back({"encrypted", key.encrypted});
    add("customer", key.customer);
    add(key.half == Half::check ? "vendor_key" : "key_id", key.key_id);
    add("subject", key.subject);
    add("issuer", key.issuer);
    add("not_after", key.not_after);
    if (key.half == Half::secret && !key.encrypted) {
        out.warnings.emplace_back("not encrypted: every reader of this file can sign in its owner's name");
    }
    return out;
}

// The members of a bundle that name the signer (Sigstore bundle, verificationMaterial).
std::string method_of(const nlohmann::json& material) {
    if (material.contains("publicKey")) return "key";
    if (material.contains("x509CertificateChain")) return "certificate";
    return material.contains("certificate") ? "sigstore" : "unknown";
}

// Nullopt if the document is not a Sigstore bundle. One that is not a model signature shows its method.
std::optional<Inspection> describe_bundle(const nlohmann::json& bundle, std::string_view text,
                                          const std::string& target) {
    if (!bundle.is_object()) return std::nullopt;
    const auto type = bundle.find("mediaType");
    const auto material = bundle.find("verificationMaterial");
    if (type == bundle.end() || !type->is_string() || material == bundle.end() || !material->is_object()) {
        return std::nullopt;
    }
    const auto& name = type->get_ref<const std::string&>();
    if (!name.starts_with(kBundleType)) return std::nullopt;
    auto signature = jobs::inspect_signature(text, target);
    if (signature.ok()) return std::move(signature).value();
    Inspection out{.target = target, .kind = "signature"};
    out.warnings.push_back("cannot be verified: " + signature.error().message);
    out.facts.push_back({"format", std::string("OpenSSF model signature (Sigstore bundle)")});
    out.facts.push_back({"media_type", name});
    out.facts.push_back({"method", method_of(*material)});
    return out;
}

std::uint64_t bytes_of(const Tensor& tensor) {
    const auto& type = info(tensor.dtype);
    std::uint64_t sum = 0;
    for (const auto& segment : tensor.segments) {
        // Bytes between strided elements are not the tensor's.
        const bool strided = segment.encoding == Encoding::dense && segment.stride != 0;
        sum += strided ? segment.elements * type.group_bytes : segment.bytes;
    }
    return sum;
}

Inspection describe_model(const model::Model& model, const std::string& target) {
    Inspection out{.target = target, .kind = "model", .warnings = model.warnings};
    auto& contents = out.model.emplace();
    contents.format = model.format;
    for (const auto& file : model.files) {
        contents.files.push_back(file.path.empty() ? model.path.filename().string() : file.path);
    }
    for (const auto& tensor : model.tensors) {
        ModelContents::TensorEntry entry{.name = tensor.name,
                                         .dtype = std::string(info(tensor.dtype).name),
                                         .shape = tensor.shape,
                                         .bytes = bytes_of(tensor),
                                         .elements = tensor.elements,
                                         .pieces = tensor.segments.size(),
                                         .opaque = tensor.dtype == DType::opaque,
                                         .aliases = tensor.aliases};
        if (!tensor.segments.empty()) {
            entry.file = tensor.segments.front().file;
            entry.offset = tensor.segments.front().offset;
        }
        contents.tensors.push_back(std::move(entry));
    }
    return out;
}

// Text with a PEM block in it. A model that quotes one somewhere holds bytes that no text has.
bool looks_like_pem(std::string_view text) {
    const auto begin = text.find("-----BEGIN ");
    return begin != std::string_view::npos && (begin == 0 || text[begin - 1] == '\n') &&
           text.find('\0') == std::string_view::npos;
}

// The kind of a file that is not a model; nullopt if it may be one.
Result<std::optional<Inspection>> inspect_document(const Source& source, const std::string& target) {
    const std::optional<Inspection> none;
    std::array<std::byte, 4> front{};
    const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), front.size()));
    if (there == 0) return none;
    MODELSEAL_TRY(source.read(0, std::span(front).first(there)));
    const std::string_view begin(reinterpret_cast<const char*>(front.data()), there);
    const bool json = util::without_mark(begin).starts_with('{');
    if (source.size() > (json ? kMaxDocumentBytes : kMaxKeyBytes)) return none;
    MODELSEAL_TRY_ASSIGN(auto text, read_all(source));
    const crypto::WipeAtEnd wiped(text);
    if (text.starts_with(util::kByteOrderMark)) text.erase(0, util::kByteOrderMark.size());
    if (json) {
        const auto document = formats::parse_json(source, 0, text, "document", 32);
        return document.ok() ? describe_bundle(document.value(), text, target) : none;
    }
    if (!looks_like_pem(text)) return none;
    MODELSEAL_TRY_ASSIGN(const auto key, crypto::describe_key(text, source.name()));
    return std::optional(describe_facts(key, target));
}

Result<Inspection> inspect_receipt(const std::filesystem::path& path) {
    MODELSEAL_TRY_ASSIGN(const auto receipt, jobs::load_receipt(path));
    Inspection out{.target = path.string(), .kind = "receipt"};
    if (!receipt.check.customer.empty()) out.facts.push_back({"customer", receipt.check.customer});
    out.facts.push_back({"vendor_key", to_hex(receipt.check.vendor.id())});
    out.facts.push_back({"root", to_hex(receipt.root)});
    out.facts.push_back({"cells", std::uint64_t{receipt.cells.size()}});
    out.warnings.emplace_back(
        "keep a receipt as secret as a check key: it shows where the mark is, and removes it");
    return out;
}

// The content, for holders of its key.
void add_contents(const blackbox::Fingerprint& whole, Inspection& out) {
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) out.facts.push_back({name, value});
    };
    add("model", whole.model);
    out.facts.push_back({"root", whole.root});
    out.facts.push_back({"sealed", whole.sealed});
    add("customer", whole.customer);
    add("runtime", whole.runtime);
    add("access", std::string(name_of(whole.access)));
    add("grid", std::string(name_of(whole.grid)));
    const bool pairs = whole.method() == FingerprintMethod::pairs;
    add("schedule", std::string(name_of(pairs ? whole.pairs().schedule : whole.triggers().schedule)));
    out.facts.push_back({"classes", std::uint64_t{whole.classes}});
    FingerprintSummary made;
    blackbox::method_of(whole).describe(whole, made);
    for (const auto& rung : made.rungs) {
        out.facts.push_back({fmt::format("{}_{}", pairs ? "pairs" : "triggers", name_of(rung.rung)),
                             std::uint64_t{rung.count}});
    }
    if (made.coverage) {
        const auto& all = made.coverage->all;
        out.facts.push_back({"coverage_change", fmt::format("{:g} %", 100 * made.coverage->change)});
        out.facts.push_back({"coverage_weights", all.weights});
        out.facts.push_back({"coverage_noticed", all.noticed});
        out.facts.push_back({"coverage_dead", all.dead});
        for (const auto& one : made.coverage->tensors) {
            out.facts.push_back(
                {"coverage of " + one.name, fmt::format("{} noticed and {} dead of {}", one.noticed, one.dead,
                                                        util::counted(one.weights, "weight"))});
        }
    }
    if (made.training) {
        out.facts.push_back({"generator_width", std::uint64_t{made.training->width}});
        out.facts.push_back({"generator_steps", std::uint64_t{made.training->steps}});
        out.facts.push_back({"generator_arm", std::string(name_of(made.training->arm))});
    }
}

// Without its key only the header is shown; an expired one is opened as well.
Result<Inspection> inspect_fingerprint(const Source& source, const std::string& target,
                                       const InspectOptions& options) {
    MODELSEAL_TRY_ASSIGN(const auto shown, blackbox::show(source));
    Inspection out{.target = target, .kind = "fingerprint"};
    out.facts.push_back({"id", shown.id});
    out.facts.push_back({"vendor_key", shown.vendor_key});
    out.facts.push_back({"created", shown.created});
    if (!shown.expires.empty()) out.facts.push_back({"expires", shown.expires});
    out.facts.push_back({"for_everybody", shown.for_everybody});
    out.facts.push_back({"method", std::string(name_of(shown.method))});
    for (const auto& key : options.keys) {
        const auto whole = blackbox::load(source, key, 0);
        if (!whole.ok()) continue;
        add_contents(*whole, out);
        return out;
    }
    if (!options.keys.empty()) out.warnings.emplace_back("no given key opens it");
    return out;
}

Result<Inspection> inspect_ledger(const std::filesystem::path& path) {
    MODELSEAL_TRY_ASSIGN(const auto ledger, Ledger::open_unverified(path));
    MODELSEAL_TRY_ASSIGN(const auto customers, ledger.customers());
    MODELSEAL_TRY_ASSIGN(const auto entries, ledger.entries());
    Inspection out{.target = path.string(), .kind = "ledger"};
    out.facts.push_back({"vendor_key", to_hex(ledger.vendor().id())});
    out.facts.push_back({"customers", std::uint64_t{customers.size()}});
    out.facts.push_back({"entries", std::uint64_t{entries.size()}});
    MODELSEAL_TRY_ASSIGN(const auto records, ledger.identity_records());
    jobs::add_identity_facts(records, out);
    return out;
}

}  // namespace

namespace {

// The stamp of a seal, without reading the weights; of several keys that of the first under which there is one.
Result<SealFinding> stamp_of(const model::Model& model, const InspectOptions& options) {
    // A close look for a seal that is not there would fetch thousands of parts.
    const mark::BlockMap block_map(model.tensors);
    for (const auto& key : options.keys) {
        MODELSEAL_TRY_ASSIGN(const bool shown,
                             mark::shows_seal(model, block_map, key.secret.bytes(), mark::Sight::short_look));
        if (!shown) continue;
        MODELSEAL_TRY_ASSIGN(auto found, mark::read_stamp(model, key, 1));
        if (!found) continue;
        if (found->stamp_authentic) found->vendor_key = to_hex(key.vendor.id());
        return std::move(*found);
    }
    return SealFinding{.detail = "no seal under this key shows in the cells that were looked at"};
}

// A hostile server would have us fetch and hold more of what it calls a header.
constexpr std::uint64_t kMostWebMetadata = 64u << 20;

Result<Inspection> inspect_web_file(const std::string& url, const InspectOptions& options) {
    MODELSEAL_TRY_ASSIGN(auto source, jobs::open_web_file(url, options.endpoint));
    MODELSEAL_TRY_ASSIGN(auto document, inspect_document(*source, source->name()));
    if (document) return std::move(*document);
    auto limits = options.limits;
    limits.metadata_bytes = std::min(limits.metadata_bytes, kMostWebMetadata);
    MODELSEAL_TRY_ASSIGN(const auto model, model::open_model_source(std::move(source), limits));
    auto out = describe_model(model, model.path.string());
    if (!options.keys.empty()) {
        MODELSEAL_TRY_ASSIGN(out.seal, stamp_of(model, options));
    }
    return out;
}

}  // namespace

Result<Inspection> inspect(const std::filesystem::path& path, const InspectOptions& options) {
    const auto target = path.string();
    if (oracle::is_http_url(target)) return inspect_web_file(target, options);
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) {
        MODELSEAL_TRY_ASSIGN(const auto source, io::FileSource::open(path, target));
        MODELSEAL_TRY_ASSIGN(auto document, inspect_document(*source, target));
        if (document) return std::move(*document);
        if (jobs::looks_like_picture(*source)) return jobs::inspect_picture(path, options);
        if (identity::looks_like_registry(*source)) return jobs::inspect_registry(*source, target, options);
        if (jobs::looks_like_receipt(*source)) return inspect_receipt(path);
        if (ledger::looks_like_ledger(*source)) return inspect_ledger(path);
        if (blackbox::looks_like_fingerprint(*source)) return inspect_fingerprint(*source, target, options);
    }
    MODELSEAL_TRY_ASSIGN(const auto model, model::open_model(path, options.limits));
    auto out = describe_model(model, target);
    if (!options.keys.empty()) {
        MODELSEAL_TRY_ASSIGN(out.seal, jobs::check_seal(model, {.keys = options.keys,
                                                                .pass = {.jobs = options.jobs},
                                                                .progress = options.progress}));
    }
    MODELSEAL_TRY(model.unchanged());
    return out;
}

}  // namespace modelseal
