// The trusted root of Sigstore: keys of transparency logs, and certificates of authorities, each valid for a
// time (dev.sigstore.trustroot.v1.TrustedRoot in JSON).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/x509/certificates.h"
#include "crypto/x509/log_key.h"
#include "oms/bundle.h"

namespace modelseal::oms {

struct ValidFor {
    std::int64_t from = 0, to = 0;  // seconds since 1970, both included
    bool covers(std::int64_t at) const { return from <= at && at <= to; }
};

struct TrustedRoot {
    struct Log {
        Bytes id;
        std::optional<crypto::LogKey> key;  // none if it is of a kind that is not supported
        std::string kind;                   // of the key, as in the file
        ValidFor valid;
    };
    struct Authority {
        std::vector<crypto::Certificate> chain;
        ValidFor valid;
    };
    std::vector<Log> logs;              // of signatures
    std::vector<Log> certificate_logs;  // of certificates (RFC 6962)
    std::vector<Authority> authorities, timestamp_authorities;
};

// `shown` names the file in errors.
Result<TrustedRoot> parse_trusted_root(std::string_view text, const std::string& shown);
Result<TrustedRoot> load_trusted_root(const std::string& path);

// The log's key, or ErrorKind::unsupported that names its kind.
Result<const crypto::LogKey*> usable(const TrustedRoot::Log& log, const std::string& shown);

}  // namespace modelseal::oms
