// Where many targets come from: a list, or a folder of models.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/many/crew.h"
#include <modelseal/result.h>

namespace modelseal::jobs {

// One target a line, or, with `separator` 0, each ended by a NUL byte. Empty lines are skipped; a carriage return at the end
// of a line is not part of it.
class TargetList {
  public:
    // "-": standard input, which is read as targets are asked for. ErrorKind::unreadable if the file cannot be opened.
    static Result<TargetList> open(const std::string& file, char separator);
    std::optional<Target> next();
    // After the end: an Error if the list could not be read to it.
    Result<void> complete() const;

  private:
    std::string name_;
    std::unique_ptr<std::ifstream> file_;  // none: standard input
    char separator_ = '\n';
    bool too_long_ = false;
};

// The models in a folder at any depth, each on its own, in ascending order of their paths: files that are models, and the index
// of shards instead of the shards that it names. Neither symbolic links nor what is in .git. With `others`, all other files as
// well. Names of targets are relative to the folder.
Result<std::vector<Target>> models_below(const std::filesystem::path& folder, bool others);

}  // namespace modelseal::jobs
