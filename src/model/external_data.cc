#include "model/external_data.h"

#include <map>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal {
namespace {

// Goes from the outermost files inwards. A candidate is open until it is known to be a model or data.
class Settlement {
  public:
    explicit Settlement(std::vector<Part> candidates) : candidates_(std::move(candidates)) {
        for (std::size_t i = 0; i < candidates_.size(); ++i) {
            open_.emplace(candidates_[i].path, i);
            for (const auto& file : data_of(candidates_[i])) ++namers_[file];
        }
        for (const auto& [path, i] : open_) {
            if (!namers_.contains(path)) unnamed_.push_back(path);
        }
    }

    void take_data_of(const Part& model) {
        for (const auto& file : data_of(model)) take_for_data(file);
    }

    Result<ModelsAndData> settle() {
        while (!unnamed_.empty()) {
            const auto found = open_.find(unnamed_.back());
            unnamed_.pop_back();
            if (found == open_.end()) continue;  // data of a model that was found meanwhile
            auto& model = candidates_[found->second];
            open_.erase(found);
            take_data_of(model);
            no_longer_names(model);
            settled_.models.push_back(std::move(model));
        }
        if (open_.empty()) return std::move(settled_);
        return Error{ErrorKind::malformed,
                     fmt::format("{}: is the external data of its own external data",
                                 util::printable(open_.begin()->first)),
                     {}};
    }

  private:
    static std::set<std::string> data_of(const Part& part) {
        return {std::next(part.files.begin()), part.files.end()};
    }

    void take_for_data(const std::string& file) {
        settled_.data.insert(file);
        const auto found = open_.find(file);
        if (found == open_.end()) return;
        const auto& data = candidates_[found->second];
        open_.erase(found);
        no_longer_names(data);
    }

    void no_longer_names(const Part& part) {
        for (const auto& file : data_of(part)) {
            if (--namers_[file] == 0) unnamed_.push_back(file);
        }
    }

    std::vector<Part> candidates_;
    std::map<std::string, std::size_t> open_;    // path to the place among the candidates
    std::map<std::string, std::size_t> namers_;  // path to the number of open candidates that name it
    std::vector<std::string> unnamed_;           // by no open candidate; some are settled already
    ModelsAndData settled_;
};

}  // namespace

Result<ModelsAndData> tell_models_from_data(std::vector<Part> candidates, const std::vector<Part>& shards) {
    Settlement settlement(std::move(candidates));
    for (const auto& shard : shards) settlement.take_data_of(shard);
    return settlement.settle();
}

}  // namespace modelseal
