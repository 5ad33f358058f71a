// What ecdsa.h keeps to itself: the OpenSSL key behind it. Included by src/crypto only.
#pragma once

#include <memory>

#include "crypto/openssl.h"

namespace modelseal::crypto {

struct EcKeyHandle {
    openssl::Key key;
};

inline std::shared_ptr<const EcKeyHandle> make_handle(openssl::Key key) {
    return std::make_shared<const EcKeyHandle>(EcKeyHandle{std::move(key)});
}

}  // namespace modelseal::crypto
