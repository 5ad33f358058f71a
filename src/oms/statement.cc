
#include "oms/statement.h"

#include <fmt/format.h>

#include "crypto/hash.h"
#include "oms/resource.h"
#include "util/encodings.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::oms {
namespace {

constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
constexpr std::size_t kRootBytes = 32;

std::string_view statement_text(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// An annotation that is text; empty if it is not there.
std::string annotation(const Fields& fields, const char* key) {
    const auto* held = fields.find("annotations");
    if (held == nullptr || !held->is_object() || !held->contains(key)) return {};
    const auto& value = held->at(key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

Result<void> read_serialization(const Fields& fields, Statement& out) {
    MODELSEAL_TRY_ASSIGN(const auto method, fields.text("method"));
    if (method != "files" && method != "shards") {
        return fields.malformed(
            fmt::format("'method' is '{}'; files and shards are supported", util::printable(method)));
    }
    MODELSEAL_TRY_ASSIGN(const auto hash, fields.text("hash_type"));
    const auto type = hash_named(hash);
    if (!type) {
        return Error{hash == "blake3" ? ErrorKind::unsupported : ErrorKind::malformed,
                     fmt::format("{}: 'hash_type' is '{}'; sha256 and blake2b are supported", fields.where(),
                                 util::printable(hash)),
                     {}};
    }
    out.hash = *type;
    MODELSEAL_TRY_ASSIGN(out.allow_symlinks, fields.flag("allow_symlinks"));
    if (method == "shards") {
        MODELSEAL_TRY_ASSIGN(out.shard_size, fields.number("shard_size"));
        if (*out.shard_size == 0) return fields.malformed("'shard_size' is 0");
    }
    if (fields.find("ignore_paths") == nullptr) return {};
    MODELSEAL_TRY_ASSIGN(const auto* paths, fields.list("ignore_paths"));
    for (const auto& path : *paths) {
        if (!path.is_string()) return fields.malformed("'ignore_paths' contains an entry that is not a string");
        out.ignore_paths.push_back(path.get<std::string>());
    }
    return {};
}

Result<void> read_subject(const Fields& outer, Statement& out) {
    MODELSEAL_TRY_ASSIGN(const auto* subjects, outer.list("subject"));
    if (subjects->size() != 1) {
        return outer.malformed(
            fmt::format("'subject' has {}, 1 is needed", util::counted(subjects->size(), "entry")));
    }
    MODELSEAL_TRY_ASSIGN(const auto subject, Fields::of(subjects->front(), outer.where() + ".subject[0]"));
    MODELSEAL_TRY_ASSIGN(out.subject, subject.text("name"));
    if (out.subject.empty()) return subject.malformed("'name' is empty");
    MODELSEAL_TRY_ASSIGN(const auto digest, subject.object("digest"));
    MODELSEAL_TRY_ASSIGN(out.root, digest.digest("sha256", kRootBytes));
    out.seal_root = annotation(subject, kSealKey);
    out.fingerprint = annotation(subject, kFingerprintKey);
    return {};
}

Result<void> read_v1(const Fields& outer, Statement& out) {
    MODELSEAL_TRY(read_subject(outer, out));
    MODELSEAL_TRY_ASSIGN(const auto predicate, outer.object("predicate"));
    MODELSEAL_TRY_ASSIGN(const auto serialization, predicate.object("serialization"));
    MODELSEAL_TRY(read_serialization(serialization, out));
    MODELSEAL_TRY_ASSIGN(const auto* list, predicate.list("resources"));
    if (list->empty()) return predicate.malformed("'resources' is empty");
    out.resources.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
        MODELSEAL_TRY_ASSIGN(const auto entry,
                             Fields::of((*list)[i], fmt::format("{}.resources[{}]", predicate.where(), i)));
        MODELSEAL_TRY_ASSIGN(auto resource, read_resource(entry, out));
        out.resources.push_back(std::move(resource));
    }
    MODELSEAL_TRY(check_list(out.resources, out.shard_size.has_value(), predicate));
    if (root_of(out.resources) != out.root) {
        return outer.malformed("the root digest of 'subject' differs from that of 'resources'");
    }
    return {};
}

// One subject a file, and nothing else.
Result<void> read_0_2_0(const Fields& outer, Statement& out) {
    out.release_0_2_0 = true;
    MODELSEAL_TRY(outer.object("predicate"));
    MODELSEAL_TRY_ASSIGN(const auto* subjects, outer.list("subject"));
    if (subjects->empty()) return outer.malformed("'subject' is empty");
    for (std::size_t i = 0; i < subjects->size(); ++i) {
        MODELSEAL_TRY_ASSIGN(const auto subject,
                             Fields::of((*subjects)[i], fmt::format("{}.subject[{}]", outer.where(), i)));
        Resource resource;
        MODELSEAL_TRY_ASSIGN(resource.name, subject.text("name"));
        MODELSEAL_TRY(check_name(resource.name, subject));
        const auto how = annotation(subject, "actual_hash_algorithm");
        if (!how.empty() && how != "file-sha256") {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: hashed as '{}'; file-sha256 is supported", subject.where(),
                                     util::printable(how)),
                         {}};
        }
        MODELSEAL_TRY_ASSIGN(const auto digest, subject.object("digest"));
        MODELSEAL_TRY_ASSIGN(resource.digest, digest.digest("sha256", kRootBytes));
        out.resources.push_back(std::move(resource));
    }
    return check_list(out.resources, false, outer);
}

// An ordered object looks through all its members at each insertion by name; names of a map are distinct, so
// the members are appended as they come.
nlohmann::ordered_json tensors_json(const TensorDigests& digests) {
    auto out = nlohmann::ordered_json::object();
    std::vector<std::pair<const std::string, nlohmann::ordered_json>>& members =
        out.get_ref<nlohmann::ordered_json::object_t&>();
    members.reserve(digests.size());
    for (const auto& [name, digest] : digests) members.emplace_back(name, to_hex(digest));
    return out;
}

nlohmann::ordered_json resource_json(const Resource& resource, const Statement& of) {
    nlohmann::ordered_json out;
    out["name"] =
        of.shard_size ? fmt::format("{}:{}:{}", resource.name, resource.begin, resource.end) : resource.name;
    out["algorithm"] = of.shard_size && of.sharded_algorithm
                           ? fmt::format("{}-sharded-{}", name_of(of.hash), *of.shard_size)
                           : std::string(name_of(of.hash));
    out["digest"] = to_hex(resource.digest);
    if (resource.tensors.empty()) return out;
    out["annotations"][kTensorsKey] = tensors_json(resource.tensors);
    return out;
}

}  // namespace

Bytes root_of(const std::vector<Resource>& resources) {
    crypto::Sha256 hash;
    for (const auto& resource : resources) hash.update(resource.digest);
    const auto digest = hash.finish();
    return {digest.begin(), digest.end()};
}

Result<Statement> parse_statement(const Bytes& payload, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto json, parse_document(statement_text(payload), shown, "statement"));
    MODELSEAL_TRY_ASSIGN(const auto outer, Fields::of(json, shown + ": statement"));
    MODELSEAL_TRY_ASSIGN(const auto type, outer.text("_type"));
    if (type != kStatementType) return outer.malformed(fmt::format("'_type' is not {}", kStatementType));
    MODELSEAL_TRY_ASSIGN(const auto predicate, outer.text("predicateType"));
    Statement out;
    if (predicate == kPredicateType) {
        MODELSEAL_TRY(read_v1(outer, out));
    } else if (predicate == kPredicateType_0_2_0) {
        MODELSEAL_TRY(read_0_2_0(outer, out));
    } else {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: 'predicateType' is '{}', not a model signature of a supported version",
                                 outer.where(), util::printable(predicate)),
                     {}};
    }
    return out;
}

bool claims_0_2_0(const Bytes& payload) {
    const auto json = parse_document(statement_text(payload), "", "statement");
    if (!json.ok()) return false;
    const auto outer = Fields::of(*json, "");
    const auto predicate = outer.ok() ? outer->text("predicateType") : Result<std::string>(outer.error());
    return predicate.ok() && *predicate == kPredicateType_0_2_0;
}

Bytes write_statement(const Statement& statement) {
    using nlohmann::ordered_json;
    ordered_json subject = {{"name", statement.subject}, {"digest", {{"sha256", to_hex(statement.root)}}}};
    if (!statement.seal_root.empty()) subject["annotations"][kSealKey] = statement.seal_root;
    if (!statement.fingerprint.empty()) subject["annotations"][kFingerprintKey] = statement.fingerprint;
    ordered_json serialization;
    serialization["method"] = statement.shard_size ? "shards" : "files";
    serialization["hash_type"] = name_of(statement.hash);
    serialization["allow_symlinks"] = statement.allow_symlinks;
    if (statement.shard_size) serialization["shard_size"] = *statement.shard_size;
    serialization["ignore_paths"] = statement.ignore_paths;
    ordered_json resources = ordered_json::array();
    for (const auto& resource : statement.resources) resources.push_back(resource_json(resource, statement));
    ordered_json out;
    out["_type"] = kStatementType;
    out["subject"] = ordered_json::array({std::move(subject)});
    out["predicateType"] = kPredicateType;
    out["predicate"] = {{"resources", std::move(resources)}, {"serialization", std::move(serialization)}};
    const auto text = out.dump(2, ' ', true);
    const auto raw = std::as_bytes(std::span(text));
    return {raw.begin(), raw.end()};
}

}  // namespace modelseal::oms
