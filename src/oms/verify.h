// What a check asks of a signature, beside verify_model().
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "oms/statement.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

// The statement of a signature that is by whom the check trusts; what is known of both is added to `finding`. No file of the model is
// read.
Result<Statement> signed_statement(const SignatureCheck& check, SignatureFinding& finding);

// `finding`, unless an examination of a signature ended with an Error: a mismatch makes it `invalid`.
Result<SignatureFinding> judged(const Result<void>& examined, SignatureFinding finding);

// Whether the signature is by whom the check trusts; no file of the model is read.
Result<void> authenticate(const SignatureCheck& check);

// What a signature claims, which anybody can have written: nothing is verified.
struct Claim {
    std::string subject;  // its name for the model
    std::string key_id;   // of the signer; empty where it names none
};
// Nullopt if it cannot be read.
std::optional<Claim> claim_of(const std::filesystem::path& signature);

}  // namespace modelseal::oms
