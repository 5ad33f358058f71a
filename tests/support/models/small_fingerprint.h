// A made-up fingerprint of a 3-class model of 2 x 3 x 3 inputs: two paths, an exact and an fp32 rung.
#pragma once

#include <filesystem>
#include <string>

#include "blackbox/fingerprint.h"
#include <modelseal/keys.h>

namespace modelseal::test {

// Whole gray levels between two bytes, unit 1/255: everything lies on the 8-bit grid.
blackbox::Fingerprint small_fingerprint();
// The same with a boundary and a noise of its own for each path and pair.
blackbox::Fingerprint small_fingerprint_of_levels();

// The same model with two triggers on gray levels; the first counts on both rungs.
blackbox::Fingerprint small_triggers();

// A customer's check key whose secret is always the same.
CheckKey customer_key(const SigningKey& vendor, const std::string& name = "acme", unsigned seed = 7);

// Writes the fingerprint's file in place and returns its id; throws std::runtime_error if it cannot be made.
std::string write_fingerprint(const blackbox::Fingerprint& print, const SigningKey& vendor,
                              const CheckKey& check, const std::filesystem::path& out);

}  // namespace modelseal::test
