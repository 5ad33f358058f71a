// What `seal`, `sign` and `fingerprint` made, as people and machines read it. Each has the paths in the words of the
// caller. JSON is pure ASCII and ends with a newline.
#pragma once

#include <optional>
#include <string>

#include "report/report.h"
#include <modelseal/fingerprint.h>
#include <modelseal/oms.h>
#include <modelseal/seal.h>

namespace modelseal::report {

// What a summary of a seal does not know.
struct Sealing {
    std::string model, out;
    std::optional<std::string> receipt = {};
    Scheme scheme = Scheme::modelseal;
    std::string vendor_key;  // key id
};

// Warnings are left to the caller.
std::string to_text(const SealSummary& summary, const Sealing& sealing, const TextStyle& style);
// Schema modelseal-seal/1.
std::string to_json(const SealSummary& summary, const Sealing& sealing);

// `out`: the signature's file. Warnings are left to the caller.
std::string to_text(const SignSummary& summary, const std::string& model, const std::string& out,
                    const TextStyle& style);
// Schema modelseal-sign/1.
std::string to_json(const SignSummary& summary, const std::string& model, const std::string& out);

// `out`: the file that was written; empty: none was, and what each tensor's weights are seen of is wanted. Notes are left to the caller: they are warnings.
std::string to_text(const FingerprintSummary& summary, const std::string& out, const TextStyle& style);
// Schema modelseal-fingerprint/1.
std::string to_json(const FingerprintSummary& summary, const std::string& out);

}  // namespace modelseal::report
