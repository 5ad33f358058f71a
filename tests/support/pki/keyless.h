// A Sigstore of a test's own: an authority that names people in certificates, a log of certificates, a log of
// signatures (Rekor 1 and 2), and an authority for timestamps. It makes keyless signatures as the real one
// does, or spoils one thing about them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "oms/bundle.h"

namespace modelseal::test {

inline constexpr const char* kIdentity = "alice@example.com";
inline constexpr const char* kIssuer = "https://accounts.example.com";

// What one signature is made of. Times are seconds after signing_time(). Edits come before what covers them is
// computed; those of `entry`, `checkpoint` and `root` after everything.
struct KeylessRecipe {
    int rekor = 1;

    // The certificate.
    std::string subject = std::string("email:") + kIdentity;  // as in openssl-x509v3_config(5); empty: none
    std::string issuer = kIssuer;                             // of the identity; empty: not named
    std::string key = "P-256";
    std::string usage = "critical,digitalSignature", extended_usage = "codeSigning";
    std::int64_t begin = -60, end = 540;
    bool other_authority = false;  // of the same name, which the root does not know

    struct Sct {
        bool known_log = true, right_key = true, right_certificate = true, right_issuer = true;
        std::int64_t at = -60;
        unsigned version = 0, hash = 4;
        std::string extensions, behind;  // `behind`: in the SCT, after its signature
    };
    std::vector<Sct> scts = {{}};
    bool sct_extension = true;
    std::function<void(std::string& der)> sct_list;  // the extension's value

    // The entry of the log.
    bool own_signature = true, own_payload = true, own_certificate = true;
    std::function<void(nlohmann::json& body)> body;
    std::function<void(std::string& note)> note;
    std::function<void(std::string& checkpoint)> checkpoint;
    bool right_log_key = true, right_promise_key = true;
    bool promise = true;  // Rekor 1 only
    std::function<void(nlohmann::json& entry)> entry;

    struct Stamp {
        bool known = true, own_signature = true;
        std::int64_t at = 10;
    };
    std::vector<Stamp> stamps = {};  // Rekor 2 has no time without one
    std::function<void(nlohmann::json& root)> root;
};

// Keys are made once, and serve all tests of a run.
class Sigstore {
  public:
    Sigstore();
    ~Sigstore();
    static const Sigstore& shared();

    static std::int64_t signing_time();
    // A recipe of a signature that verifies.
    static KeylessRecipe good(int rekor);

    struct Made {
        nlohmann::json bundle, root;
    };
    Made sign(const oms::Bytes& payload, const KeylessRecipe& recipe) const;

  private:
    struct Keys;
    std::unique_ptr<Keys> keys_;
};

}  // namespace modelseal::test
