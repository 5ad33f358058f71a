// What Sigstore's users trust: keys of transparency logs, and certificates of authorities, each for a time
// (dev.sigstore.trustroot.v1.TrustedRoot in JSON).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/certificates.h"
#include "oms/bundle.h"

namespace modelseal::oms {

struct ValidFor {
    std::int64_t from = 0, to = 0;  // seconds since 1970, both included
    bool covers(std::int64_t at) const { return from <= at && at <= to; }
};

struct TrustedRoot {
    struct Log {
        Bytes id;
        crypto::EcPublicKey key;
        ValidFor valid;
    };
    struct Authority {
        std::vector<crypto::Certificate> chain;
        ValidFor valid;
    };
    std::vector<Log> logs;  // those with keys on P-256, P-384 or P-521
    std::vector<Authority> authorities, timestamp_authorities;
};

Result<TrustedRoot> load_trusted_root(const std::string& path);

}  // namespace modelseal::oms
