// Whether a picture is the identity image of somebody who may use the model, as far as that can be seen without
// asking the model.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "identity/payload.h"
#include "identity/registry.h"
#include "io/png.h"
#include <modelseal/identity.h>

namespace modelseal::identity {

struct Judged {
    Admission admission = Admission::no_identity;
    std::string detail;  // a sentence without the name of the picture
    // Into the registry. The mark once the signature was found valid, the identity if it is registered.
    const IssuedIdentity* identity = nullptr;
    const IdentityMark* mark = nullptr;
    std::optional<Payload> payload;
};

// `now`: seconds since 1970. The first reason to refuse, in the order of Admission. `unsupported` if the registry
// is older than the identity, which may then be in a later one.
Result<Judged> judge(const io::Picture& picture, const Registry& registry, std::int64_t now);

}  // namespace modelseal::identity
