// Certificates of a test's own authority.
#pragma once

#include <string>

namespace modelseal::test {

struct Certificate {
    std::string pem, key;  // both PEM
};

// One that signs others.
Certificate make_authority(const std::string& name);

// A server's, from `authority`. `names` as in openssl-x509v3_config(5): "DNS:localhost,IP:127.0.0.1".
// None: a certificate without that extension, whose subject is "localhost".
// `days`: how long it is valid from now on; negative: it ended so long ago.
Certificate issue(const Certificate& authority, const std::string& names, int days = 1);

}  // namespace modelseal::test
