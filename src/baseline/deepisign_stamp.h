// The stamp of a deepisign mark. It is one text in the paper; here it has a line for each entry:
//
//   vendor=HASH      the hash of the vendor's key (mark::vendor_hash()), in hexadecimal
//   NAME=VALUE       for each entry
//   signature=HEX    the vendor's, over "modelseal/1 deepisign" | 0x00 | the lines before |
//                    SHA-256 of the identities of all tensors
//
// Each line is ended by a line feed. The signature binds the stamp to the list of tensors, not to the weights,
// as nothing in this scheme does; but nobody else can make a stamp.
#pragma once

#include <string>

#include "mark/manifest.h"
#include "model/model.h"
#include <modelseal/report.h>

namespace modelseal::baseline {

// ErrorKind::usage for an entry that the text cannot hold: a line break, '=' in a name, or a name of its own.
Result<void> check_names(const mark::Stamp& stamp);

// Precondition: check_names().
Result<std::string> stamp_text(const model::Model& model, const mark::Stamp& stamp, const SigningKey& key);

// Fills in stamp and vendor of `finding`, and whether `vendor` signed `text` for these tensors. Any text will
// do.
void parse_stamp(const model::Model& model, const PublicKey& vendor, const std::string& text,
                 SealFinding& finding);

}  // namespace modelseal::baseline
