// Digests that state their algorithm, as OCI writes them (image specification 1.1, "Digests"): "sha256:" or "sha512:" and the
// bytes in hexadecimal digits in lower case.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace modelseal::crypto {

bool is_content_digest(std::string_view text);

// What a content is hashed with to be compared with a digest. By OpenSSL. Thread safety: none.
class ContentDigest {
  public:
    // With the algorithm of `like`, a digest, or its part up to ':'. Precondition: there is such an algorithm.
    explicit ContentDigest(std::string_view like);
    ContentDigest(ContentDigest&&) noexcept;
    ~ContentDigest();
    void update(std::span<const std::byte> bytes);
    std::string finish();  // once

  private:
    struct Context;
    std::unique_ptr<Context> context_;
    std::string_view algorithm_;
};

}  // namespace modelseal::crypto
