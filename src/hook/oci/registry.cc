#include "hook/oci/registry.h"

#include <utility>

#include <fmt/format.h>

#include "hook/oci/names.h"

namespace modelseal::hook {
namespace {

using Clock = std::chrono::steady_clock;

bool reads(http::Method method) {
    return method == http::Method::get || method == http::Method::head;
}

}  // namespace

Result<Registry> Registry::open(http::Url base, http::ClientOptions options) {
    MODELSEAL_TRY_ASSIGN(auto client, http::Client::open(std::move(options)));
    return Registry(std::move(base), std::move(client));
}

Result<http::Url> Registry::url(const std::string& repository, const std::string& rest) const {
    return http::Url::parse(base_.below(fmt::format("/v2/{}/{}", repository, rest)));
}

Error Registry::unexpected(const http::Response& response, std::string_view doing) const {
    const bool access = response.status == 401 || response.status == 403;
    // A refusal that does not speak of access, time or load comes again.
    const bool final = response.status >= 400 && response.status < 500 && !access && response.status != 408 &&
                       response.status != 429;
    return {final ? ErrorKind::malformed : ErrorKind::unreadable,
            fmt::format("{}: cannot {}: {}", base_.origin(), doing, http::answer_text(response)),
            access ? "the registry wants a login that may do this; logins are read from the netrc file" : ""};
}

// A token server may be another host: it gets the login that the netrc file has for that host, and none else.
Result<Registry::Granted> Registry::token_for(const Challenge& challenge, const std::string& repository) {
    auto realm = http::Url::parse(challenge.realm);
    if (!realm.ok() || (base_.is_tls() && !realm->is_tls()) || !http::may_carry_secrets(*realm)) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: names a token server that is not asked, since it is not encrypted",
                                 base_.origin()),
                     {}};
    }
    if (!challenge.service.empty()) realm = realm->with_query("service", challenge.service);
    for (std::string_view rest = challenge.scope; !rest.empty();) {
        const auto scope = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(rest.size(), scope.size() + 1));
        if (!scope.empty()) realm = realm->with_query("scope", scope);
    }
    MODELSEAL_TRY_ASSIGN(const auto response, client_.send({.url = *realm, .max_body = 256u << 10}));
    if (response.status != 200) {
        // Says nothing about an upload, whatever the status.
        auto error = unexpected(response, fmt::format("get a token for '{}'", repository));
        error.kind = ErrorKind::unreadable;
        return error;
    }
    auto token = parse_token(response.body);
    if (!token.ok()) return Error{ErrorKind::unreadable, realm->origin() + ": " + token.error().message, {}};
    // Renewed before it ends.
    return Granted{"Bearer " + token->text, Clock::now() + token->lifetime * 3 / 4};
}

Result<http::Response> Registry::ask(http::Request request, const std::string& repository,
                                     const http::Sink* sink) {
    const auto key = repository + (reads(request.method)                 ? ""
                                   : request.method == http::Method::del ? ":d"
                                                                         : ":w");
    std::uint64_t delivered = 0;
    const http::Sink counting = [&](std::span<const std::byte> bytes) {
        delivered += bytes.size();
        return (*sink)(bytes);
    };
    const auto perform = [&] {
        return sink != nullptr ? client_.fetch(request, counting) : client_.send(request);
    };
    const auto known = tokens_.find(key);
    if (known != tokens_.end() && known->second.until > Clock::now())
        request.authorization = known->second.authorization;
    auto response = perform();
    if (!response.ok() || response->status != 401) return response;
    // The token ended while a body was continued; from the front, the sink would take it twice.
    if (delivered > 0) return unexpected(*response, "go on with a layer");
    const auto challenge = parse_challenge(response->field("www-authenticate"));
    // A basic login has been sent, if the netrc file has one.
    if (!challenge || challenge->scheme != Challenge::Scheme::bearer || !http::may_carry_secrets(base_))
        return response;
    MODELSEAL_TRY_ASSIGN(auto granted, token_for(*challenge, repository));
    request.authorization = granted.authorization;
    constexpr std::size_t kMostTokens = 1000;
    if (tokens_.size() >= kMostTokens) tokens_.clear();
    tokens_[key] = std::move(granted);
    return perform();
}

Result<std::optional<StoredManifest>> Registry::manifest(const std::string& repository,
                                                         const std::string& reference) {
    MODELSEAL_TRY_ASSIGN(auto at, url(repository, "manifests/" + reference));
    MODELSEAL_TRY_ASSIGN(auto response, ask({.url = std::move(at),
                                             .fields = {{"Accept", std::string(kAcceptedManifests)}},
                                             .max_body = kMostManifestBytes},
                                            repository));
    if (response.status == 404) return std::optional<StoredManifest>();
    if (response.status != 200) return unexpected(response, "read a manifest");
    if (is_digest(reference) && !has_digest(response.body, reference)) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: the manifest that it sends does not have the digest {}", base_.origin(),
                                 reference),
                     {}};
    }
    auto media_type = std::string(response.field("content-type"));
    media_type.resize(std::min(media_type.size(), media_type.find(';')));
    return std::optional(StoredManifest{std::move(response.body), std::move(media_type)});
}

Result<void> Registry::blob(const std::string& repository, const Layer& layer, const http::Sink& sink) {
    MODELSEAL_TRY_ASSIGN(auto at, url(repository, "blobs/" + layer.digest));
    MODELSEAL_TRY_ASSIGN(const auto response,
                         ask({.url = std::move(at), .max_body = layer.size}, repository, &sink));
    if (response.status == 200) return {};
    if (response.status == 404) {
        return Error{ErrorKind::malformed,
                     fmt::format("{}: does not have the layer {}", base_.origin(), layer.digest),
                     {}};
    }
    return unexpected(response, "read a layer");
}

Result<bool> Registry::has_blob(const std::string& repository, const std::string& digest) {
    MODELSEAL_TRY_ASSIGN(auto at, url(repository, "blobs/" + digest));
    MODELSEAL_TRY_ASSIGN(const auto response,
                         ask({.method = http::Method::head, .url = std::move(at)}, repository));
    if (response.status == 404) return false;
    if (response.status != 200) return unexpected(response, "look for a blob");
    return true;
}

// OCI distribution 1.1, "Pushing a blob": where the bytes are to be sent, which must be the registry itself, since they go with
// its token.
Result<std::optional<http::Url>> Registry::begin_upload(const std::string& repository,
                                                        const std::string& query) {
    MODELSEAL_TRY_ASSIGN(auto at, url(repository, "blobs/uploads/" + query));
    MODELSEAL_TRY_ASSIGN(const auto response,
                         ask({.method = http::Method::post, .url = std::move(at)}, repository));
    if (response.status == 201) return std::optional<http::Url>();
    if (response.status != 202) return unexpected(response, "begin an upload");
    auto location = response.url.resolve(response.field("location"));
    if (!location.ok() || location->origin() != base_.origin()) {
        return Error{ErrorKind::unreadable,
                     base_.origin() + ": wants an upload sent to another server, which does not get its token",
                     {}};
    }
    return std::optional(std::move(*location));
}

Result<void> Registry::push_blob(const std::string& repository, std::string_view bytes) {
    const auto digest = digest_of(bytes);
    MODELSEAL_TRY_ASSIGN(const bool there, has_blob(repository, digest));
    if (there) return {};
    MODELSEAL_TRY_ASSIGN(const auto location, begin_upload(repository, ""));
    if (!location) return {};
    MODELSEAL_TRY_ASSIGN(const auto response, ask({.method = http::Method::put,
                                                   .url = location->with_query("digest", digest),
                                                   .body = std::string(bytes),
                                                   .media_type = "application/octet-stream"},
                                                  repository));
    return response.status == 201 ? Result<void>() : unexpected(response, "store a blob");
}

Result<void> Registry::mount_blob(const std::string& repository, const std::string& digest,
                                  const std::string& from) {
    MODELSEAL_TRY_ASSIGN(const bool there, has_blob(repository, digest));
    if (there) return {};
    MODELSEAL_TRY_ASSIGN(const auto location,
                         begin_upload(repository, fmt::format("?mount={}&from={}", digest, from)));
    if (!location) return {};
    return Error{ErrorKind::unsupported, base_.origin() + ": does not mount blobs of other repositories", {}};
}

Result<bool> Registry::push_manifest(const std::string& repository, const std::string& reference,
                                     const StoredManifest& manifest) {
    MODELSEAL_TRY_ASSIGN(auto at, url(repository, "manifests/" + reference));
    MODELSEAL_TRY_ASSIGN(const auto response, ask({.method = http::Method::put,
                                                   .url = std::move(at),
                                                   .body = manifest.bytes,
                                                   .media_type = manifest.media_type},
                                                  repository));
    if (response.status != 201) return unexpected(response, "store a manifest");
    return !response.field("oci-subject").empty();
}

Result<void> Registry::delete_manifest(const std::string& repository, const std::string& digest) {
    MODELSEAL_TRY_ASSIGN(auto at, url(repository, "manifests/" + digest));
    MODELSEAL_TRY_ASSIGN(const auto response,
                         ask({.method = http::Method::del, .url = std::move(at)}, repository));
    if (response.status == 202 || response.status == 200 || response.status == 204 || response.status == 404)
        return {};
    auto error = unexpected(response, "delete a manifest");
    if (response.status == 405)
        error.hint =
            "the registry must allow deletion: storage.delete.enabled in the configuration of distribution";
    return error;
}

}  // namespace modelseal::hook
