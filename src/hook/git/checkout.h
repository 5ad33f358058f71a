// Puts a model of a push into a folder, as a checkout of the commit would.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hook/git/contents.h"
#include "hook/git/models.h"
#include "hook/git/objects.h"
#include <modelseal/result.h>

namespace modelseal::hook {

// What a model consists of, found before anything is written.
struct Checkout {
    struct File {
        std::string path;  // relative to the folder that it is put into
        Content content;
    };
    std::vector<std::string> folders;  // each after the one that it is in
    std::vector<File> files;
    std::uint64_t bytes = 0;  // of the model itself, without what lies beside it
};

// Refuses symbolic links and submodules, which may lead anywhere, and more files than a model may have.
Result<Checkout> plan_checkout(Objects& objects, Contents& contents, const ChangedModel& model);

// Into `folder`, which is empty.
Result<void> write_checkout(Contents& contents, const Checkout& checkout, const std::filesystem::path& folder);

}  // namespace modelseal::hook
