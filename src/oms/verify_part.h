// Verification of some tensors by a signature that knows their digests (sign_model() notes them), without reading the rest.
#pragma once

#include <functional>
#include <string_view>

#include "model/model.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

// The values of the chosen tensors of `model`, opened at `path`, against digests that were signed: SHA-256 under the names by which the
// signature lists them. `partial` if all that the model has or the signature lists are as they were signed, else `invalid`; type and shape
// are not compared. ErrorKind::unsupported for a signature that knows no tensors.
Result<SignatureFinding> verify_part(const model::Model& model, const SignatureCheck& check,
                                     const std::function<bool(std::string_view name)>& chosen,
                                     const VerifyOptions& options);

}  // namespace modelseal::oms
