// Files that modelseal itself writes next to a model, which a sealed folder may therefore gain without being
// changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/folder.h"

namespace modelseal::model {

// The kind of the file at `path` in the folder: "signature", "receipt", "fingerprint", "check key" or "public
// key"; nullopt for any other file.
//
// Such a file is not covered by a seal, so whoever can write to the folder can add one. Two things must hold,
// and neither is enough alone:
// - the content, to the last byte, is what modelseal writes: a receipt, fingerprint or check key whose
//   signature holds under the key that it names, a complete signature bundle, one public key in PEM. So the
//   file cannot be a model or code as well;
// - the name has the ending that goes with it. So no loader that asks for a file of a fixed name, such as
//   chat_template.jinja, is given a signature to read as a text.
Result<std::optional<std::string_view>> own_file(const io::Folder& folder, const std::string& path);

}  // namespace modelseal::model
