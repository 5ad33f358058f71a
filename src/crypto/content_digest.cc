#include "crypto/content_digest.h"

#include <algorithm>
#include <array>
#include <new>

#include <openssl/evp.h>

#include <modelseal/keys.h>

namespace modelseal::crypto {
namespace {

struct Algorithm {
    std::string_view name;
    std::size_t bytes;
    const EVP_MD* (*method)();
};

constexpr std::array<Algorithm, 2> kAlgorithms{{{"sha256", 32, EVP_sha256}, {"sha512", 64, EVP_sha512}}};

const Algorithm* algorithm_of(std::string_view digest) {
    const auto name = digest.substr(0, digest.find(':'));
    const auto* const found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
    return found == kAlgorithms.end() ? nullptr : found;
}

}  // namespace

struct ContentDigest::Context {
    EVP_MD_CTX* handle = EVP_MD_CTX_new();
    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() { EVP_MD_CTX_free(handle); }
};

bool is_content_digest(std::string_view text) {
    const auto* const algorithm = algorithm_of(text);
    if (algorithm == nullptr || text.size() != algorithm->name.size() + 1 + 2 * algorithm->bytes) return false;
    return text.find_first_not_of("0123456789abcdef", algorithm->name.size() + 1) == std::string_view::npos;
}

ContentDigest::ContentDigest(std::string_view like) : context_(std::make_unique<Context>()) {
    const auto& algorithm = *algorithm_of(like);
    algorithm_ = algorithm.name;
    if (context_->handle == nullptr || EVP_DigestInit_ex(context_->handle, algorithm.method(), nullptr) != 1)
        throw std::bad_alloc();
}
ContentDigest::ContentDigest(ContentDigest&&) noexcept = default;
ContentDigest::~ContentDigest() = default;

void ContentDigest::update(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size());
}

std::string ContentDigest::finish() {
    std::array<std::byte, EVP_MAX_MD_SIZE> raw{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_->handle, reinterpret_cast<unsigned char*>(raw.data()), &size);
    return std::string(algorithm_) + ":" + to_hex(std::span(raw).first(size));
}

}  // namespace modelseal::crypto
