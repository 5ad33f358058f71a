// A registry, as the OCI distribution specification 1.1 describes it: manifests and blobs by digest, with tokens.
//
// What comes in is compared with the digest that was asked for. A token, once granted, goes to the registry alone, and a login
// to the hosts that the netrc file names.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "hook/oci/challenge.h"
#include "hook/oci/manifest.h"
#include "http/client.h"
#include <modelseal/result.h>

namespace modelseal::hook {

struct StoredManifest {
    std::string bytes;
    std::string media_type;
};

// Not thread-safe: each thread has its own.
class Registry {
  public:
    // `base`: "https://registry.example", without "/v2/".
    static Result<Registry> open(http::Url base, http::ClientOptions options);

    // Errors of all calls: malformed or mismatch for answers that break the rules, which come out the same the next time;
    // unreadable for what may succeed later.

    // Nothing if there is none of that digest or tag. ErrorKind::mismatch if its bytes have another digest.
    Result<std::optional<StoredManifest>> manifest(const std::string& repository, const std::string& reference);
    // Streams a blob; size and digest are the sink's to check. ErrorKind::malformed if the registry does not have it.
    Result<void> blob(const std::string& repository, const Layer& layer, const http::Sink& sink);

    Result<void> push_blob(const std::string& repository, std::string_view bytes);
    // Makes a blob of `from` one of `repository`, without copying it. ErrorKind::unsupported if the registry cannot.
    Result<void> mount_blob(const std::string& repository, const std::string& digest, const std::string& from);
    // Returns whether the registry lists it as a referrer of its subject by itself.
    Result<bool> push_manifest(const std::string& repository, const std::string& reference,
                               const StoredManifest& manifest);
    // A manifest that is gone already is fine.
    Result<void> delete_manifest(const std::string& repository, const std::string& digest);

    const http::Url& base() const { return base_; }

  private:
    struct Granted {
        std::string authorization;
        std::chrono::steady_clock::time_point until;
    };
    Registry(http::Url base, http::Client client) : base_(std::move(base)), client_(std::move(client)) {}

    Result<http::Url> url(const std::string& repository, const std::string& rest) const;
    // With the token that the registry asks for. `sink`: as Client::fetch().
    Result<http::Response> ask(http::Request request, const std::string& repository,
                               const http::Sink* sink = nullptr);
    Result<Granted> token_for(const Challenge& challenge, const std::string& repository);
    // Begins an upload; nothing if a blob that `query` mounts is there.
    Result<std::optional<http::Url>> begin_upload(const std::string& repository, const std::string& query);
    Result<bool> has_blob(const std::string& repository, const std::string& digest);
    // malformed for a refusal that is final, unreadable for the others.
    Error unexpected(const http::Response& response, std::string_view doing) const;

    http::Url base_;
    http::Client client_;
    std::map<std::string, Granted> tokens_;  // by repository and what is done there
};

}  // namespace modelseal::hook
