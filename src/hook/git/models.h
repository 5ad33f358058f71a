// The models that a push changes.
//
// A folder is one model if a model file lies in it beside a configuration or an index of shards, or if it has
// model_index.json or modules.json and a model file at any depth: what programs load as a folder. The outermost such folder
// counts. Every other model file is a model by itself, together with what belongs to it: its external data, adapters beside
// it, its signature. What is neither is not looked at, except links and submodules: a program that follows one finds files
// that were not checked under its name, so it has to lead to a file of the same commit, and not to a model.
//
// A model is changed by a commit if it differs, in any of its files, from what each of the commit's parents has in its place.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "hook/git/contents.h"
#include "hook/git/objects.h"
#include <modelseal/result.h>

namespace modelseal::hook {

struct ChangedModel {
    std::string path;    // in the repository; empty: all of it is one model
    std::string commit;  // or the tree, or the blob, that a ref names
    std::string ref;
    // The model, a file or a folder, and then what lies beside it and belongs to it.
    struct Part {
        std::string path;  // relative to the folder that the model lies in: "net.onnx", "data/weights.bin"
        TreeEntry entry;
    };
    std::vector<Part> parts;
};

class ModelFinder {
  public:
    struct Options {
        bool each = false;                        // every model file is a model by itself
        std::uint64_t most_folders = 20'000'000;  // that are looked at, in all commits together
    };
    // Called once for each model in each state. An Error ends the search.
    using Found = std::function<Result<void>(const ChangedModel& model)>;
    // Called for a changed file that cannot be read, and for a link that may lead to a model; `file` has no parts.
    using Failed = std::function<Result<void>(const ChangedModel& file, const Error& error)>;

    ModelFinder(Objects& objects, Contents& contents, Options options, Found found, Failed failed)
        : objects_(objects),
          contents_(contents),
          options_(options),
          found_(std::move(found)),
          failed_(std::move(failed)) {}

    // `tree` against `before`, the trees of the parents. `commit` and `ref` are handed on.
    Result<void> find(const std::string& commit, const std::string& ref, const std::string& tree,
                      std::span<const std::string> before);

    // A file alone, which a ref names.
    Result<void> find_blob(const std::string& id, const std::string& ref);

  private:
    using Trees = std::vector<std::shared_ptr<const Tree>>;
    // A folder, and what the parents have in its place; fewer than there are parents if some have nothing there.
    struct Place {
        std::string path;
        std::shared_ptr<const Tree> tree;
        Trees before;
        unsigned depth = 0;
    };
    Result<void> look_into(const Place& place);
    Result<void> look_at_folder(const Place& place, const TreeEntry& entry);
    Result<void> look_at_file(const Place& place, const TreeEntry& entry, const std::set<std::string>& shards);
    Result<void> look_at_link(const Place& place, const TreeEntry& entry);
    Result<bool> leads_to_other_file(const Place& place, const TreeEntry& link);
    std::set<std::string> shards_in(const Place& place);
    Result<void> emit_if_changed(const Place& place, const TreeEntry& entry,
                                 const std::vector<std::string>& others);
    Result<void> emit(const std::string& path, std::vector<ChangedModel::Part> parts);
    Result<std::vector<ChangedModel::Part>> parts_of(const Tree& tree, const TreeEntry& entry,
                                                     const std::vector<std::string>& others);
    Result<std::optional<TreeEntry>> resolve(const Tree& tree, std::string_view path);
    Result<bool> is_model_folder(const std::string& tree, const std::string& path, unsigned depth);
    struct Below {
        bool model = false;  // at any depth
        bool link = false;   // or a submodule; not looked for beside a model
    };
    Result<Below> look_below(const std::string& tree, const std::string& path, unsigned depth);
    bool has_model_in(const Tree& tree, const std::string& path, Contents::Digest digest);
    bool has_index_in(const Tree& tree, const std::string& path, Contents::Digest digest);
    bool may_be(const TreeEntry& entry, const std::string& path, bool FileFacts::*what,
                Contents::Digest digest);
    Result<void> add_unless_model(Place& place, const std::string& before);
    Result<void> count_folder();

    Objects& objects_;
    Contents& contents_;
    Options options_;
    Found found_;
    Failed failed_;
    std::string commit_, ref_;
    std::uint64_t folders_ = 0;
    std::shared_ptr<const Tree> root_;    // of the commit
    std::map<std::string, Below> below_;  // by tree
    std::set<std::string> seen_;          // models that were found
    // Trees, each with those of the parents, in which nothing was found: a folder may stand in a tree many times, and in trees
    // of trees many millions of times.
    std::set<std::string> quiet_;
    std::uint64_t findings_ = 0;
    std::uint64_t links_ = 0;  // that were looked at, with a finding or without
};

}  // namespace modelseal::hook
