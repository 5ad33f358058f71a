// Refuses outputs that would replace an input, a key, or another file that cannot be made again.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::cli {

// ErrorKind::usage if `output` names the same file as one of `inputs`, by whatever path, or a
// file that no output replaces; ErrorKind::unreadable if the folder that it would be in is not there. Empty names are not
// files.
Result<void> refuse_overwriting(const std::string& output, const std::vector<std::string>& inputs);

// ErrorKind::usage if `output` names the same file as another output.
Result<void> refuse_same_output(const std::string& output, const std::vector<std::string>& outputs);

// For keys: fails before a passphrase is typed. The file is still created exclusively later. ErrorKind::unreadable if
// anything exists at `path`, or its folder does not. An empty path is not a file.
Result<void> refuse_existing_key(const std::string& path);

enum class OutputKind {
    page,       // HTML
    picture,    // PNG
    signature,  // an OpenSSF signature
    notes,      // text that is not JSON, which is added to
};

// ErrorKind::usage if there is a file at `output` that is neither empty nor an earlier output of this kind: it
// may be the shard of an index or the data of a graph, which no option names. So it is for every output but a signature in
// one of `folders`, which are models: a new file in a model changes it, and another one may be a part of it.
Result<void> refuse_other_content(const std::string& output, OutputKind kind,
                                  const std::vector<std::string>& folders = {});

}  // namespace modelseal::cli
