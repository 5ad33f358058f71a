// PEM texts of keys, as OpenSSL writes and reads them: PKCS#8 (RFC 5958, RFC 8410), SEC 1 (RFC 5915) and
// SubjectPublicKeyInfo. Included by src/crypto, and by src/cli, which names the option that a wrong file is
// for.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <modelseal/keys.h>

namespace modelseal::crypto {

// The one PEM block of a key file, not yet parsed. Wiped when it goes.
class PemBlock {
  public:
    // Malformed unless `text` holds exactly one block. Text around it is skipped, and so are the EC PARAMETERS
    // that older OpenSSL commands put before an EC key.
    static Result<PemBlock> parse(std::string_view text, const std::string& shown);
    PemBlock(PemBlock&& other) noexcept;
    PemBlock& operator=(PemBlock&&) = delete;
    ~PemBlock();

    const std::string& label() const { return label_; }
    // In the traditional form of OpenSSL (RFC 1421: Proc-Type, DEK-Info), which is not read.
    bool encrypted() const { return encrypted_; }
    std::span<const unsigned char> body() const { return {body_, size_}; }

  private:
    PemBlock() = default;
    std::string label_;
    bool encrypted_ = false;
    unsigned char* body_ = nullptr;
    std::size_t size_ = 0;
};

// `shown` names the file in errors, and is what `passphrase` is asked for. A key of any type that KeyType has.
Result<SigningKey> parse_signing_key(std::string_view text, const std::string& shown,
                                     const Passphrase& passphrase);
Result<PublicKey> parse_public_key(std::string_view text, const std::string& shown);

// The complete text of a key file, at most 64 KiB. The caller wipes it: a private key may have been given by
// mistake.
Result<std::string> read_key_file(const std::string& path);

// SHA-256 of public_key_pem() in hexadecimal, as an OpenSSF signature names its key ("hint"); key.id() begins
// it.
std::string pem_digest(const PublicKey& key);

}  // namespace modelseal::crypto
