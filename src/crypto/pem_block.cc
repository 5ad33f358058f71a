
#include "crypto/pem_block.h"

#include <climits>
#include <optional>
#include <utility>

#include "crypto/openssl.h"
#include "crypto/secret.h"

namespace modelseal {

PemBlock::PemBlock(PemBlock&& other) noexcept
    : label_(std::move(other.label_)),
      body_(std::exchange(other.body_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

PemBlock::~PemBlock() {
    OPENSSL_clear_free(body_, size_);
}

Result<PemBlock> PemBlock::parse(std::string_view text, const std::string& shown) {
    if (text.size() > INT_MAX) return Error{ErrorKind::malformed, shown + ": too large for a key", ""};
    const openssl::Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    std::optional<PemBlock> found;
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* body = nullptr;
    long size = 0;
    while (PEM_read_bio(bio.get(), &label, &header, &body, &size) == 1) {
        PemBlock block;
        block.label_ = label;
        block.body_ = body;
        block.size_ = static_cast<std::size_t>(size);
        OPENSSL_free(label);
        OPENSSL_free(header);
        if (block.label_ == "EC PARAMETERS") continue;
        if (found) {
            return Error{ErrorKind::malformed, shown + ": holds several PEM blocks, one key is needed", ""};
        }
        found.emplace(std::move(block));
    }
    const bool clean_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const std::string reason = openssl::last_error();
    if (!clean_end) return Error{ErrorKind::malformed, shown + ": broken PEM: " + reason, ""};
    if (!found) return Error{ErrorKind::malformed, shown + ": no PEM block in it, so not a key", ""};
    return std::move(*found);
}

}  // namespace modelseal
