#include "jobs/check/loaded.h"

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <vector>

#include <fmt/format.h>

#include "jobs/check/files.h"
#include "model/elements.h"
#include "model/model.h"
#include "policy/decide.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

class CardMemory {
  public:
    CardMemory(const hash::Cards& cards, int card) : cards_(cards), card_(card) {}

    Result<void> read(const void* memory, std::uint64_t offset, std::span<std::byte> out) const {
        return told(cards_.calls().read_memory(card_, static_cast<const std::byte*>(memory) + offset,
                                               out.size(), out.data()));
    }
    Result<std::vector<crypto::Digest>> digests(const LoadedTensor& tensor, std::uint64_t block_bytes) const {
        std::vector<crypto::Digest> digests((tensor.bytes + block_bytes - 1) / block_bytes);
        MODELSEAL_TRY(told(cards_.calls().hash_memory(card_, tensor.memory, tensor.bytes, block_bytes,
                                                      std::to_integer<unsigned>(mark::kPlainBlock),
                                                      reinterpret_cast<unsigned char*>(digests.data()))));
        return digests;
    }

  private:
    Result<void> told(const char* problem) const {
        if (problem == nullptr) return {};
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", cards_.name(card_), problem), {}};
    }
    const hash::Cards& cards_;
    const int card_;
};

// A file some of whose bytes are those on a card instead.
class PartlyLoaded final : public Source {
  public:
    // By where they begin in the file; they do not overlap.
    using Loaded = std::map<std::uint64_t, const LoadedTensor*>;
    PartlyLoaded(const Source& file, Loaded loaded, const CardMemory& card)
        : file_(file), loaded_(std::move(loaded)), card_(card) {}

    const std::string& name() const override { return file_.name(); }
    std::uint64_t size() const override { return file_.size(); }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        if (offset > size() || out.size() > size() - offset) return file_.read(offset, out);  // reports it
        auto next = loaded_.upper_bound(offset);
        if (next != loaded_.begin() && std::prev(next)->first + std::prev(next)->second->bytes > offset) --next;
        while (!out.empty()) {
            const bool here = next != loaded_.end() && next->first <= offset;
            const auto end = here                    ? next->first + next->second->bytes
                             : next == loaded_.end() ? size()
                                                     : next->first;
            const auto part = out.first(std::min<std::uint64_t>(out.size(), end - offset));
            MODELSEAL_TRY(here ? card_.read(next->second->memory, offset - next->first, part)
                               : file_.read(offset, part));
            if (here) ++next;
            offset += part.size();
            out = out.subspan(part.size());
        }
        return {};
    }

  private:
    const Source& file_;
    const Loaded loaded_;
    const CardMemory& card_;
};

// A model with loaded tensors in place of those in its files, for as long as this lives.
class LoadedModel {
  public:
    LoadedModel(model::Model& model, const CardMemory& card) : model_(model), card_(card) {}
    LoadedModel(const LoadedModel&) = delete;
    LoadedModel& operator=(const LoadedModel&) = delete;
    ~LoadedModel() {
        for (std::size_t i = 0; i < files_.size(); ++i) model_.files[i].source = std::move(files_[i]);
    }

    Result<void> put(std::span<const LoadedTensor> tensors) {
        std::vector<PartlyLoaded::Loaded> in_files(model_.files.size());
        loaded_.resize(model_.tensors.size());
        for (const auto& each : tensors) {
            MODELSEAL_TRY_ASSIGN(const auto index, find(each));
            const auto& segment = model_.tensors[index].segments.front();
            loaded_[index] = &each;
            if (each.bytes != 0) in_files[segment.file][segment.offset] = &each;
        }
        for (std::size_t i = 0; i < model_.files.size(); ++i) {
            files_.push_back(std::move(model_.files[i].source));
            model_.files[i].source = std::make_unique<PartlyLoaded>(*files_[i], std::move(in_files[i]), card_);
        }
        return {};
    }

    Result<std::optional<std::vector<crypto::Digest>>> known(std::size_t tensor,
                                                             std::uint64_t block_bytes) const {
        if (loaded_[tensor] == nullptr) return std::optional<std::vector<crypto::Digest>>();
        MODELSEAL_TRY_ASSIGN(auto digests, card_.digests(*loaded_[tensor], block_bytes));
        return std::optional(std::move(digests));
    }

  private:
    Result<std::size_t> find(const LoadedTensor& loaded) const {
        const auto refused = [&](ErrorKind kind, const std::string& why) {
            return Error{kind,
                         fmt::format("{}: tensor '{}': {}", util::printable(model_.path.string()),
                                     util::printable(loaded.name), why),
                         {}};
        };
        const auto found = std::ranges::lower_bound(model_.tensors, loaded.name, {}, &Tensor::name);
        if (found == model_.tensors.end() || found->name != loaded.name)
            return refused(ErrorKind::usage, "is loaded, and the model has none of this name");
        std::uint64_t bytes = 0;
        storage_bytes(found->dtype, found->elements, bytes);
        if (bytes != loaded.bytes) {
            return refused(ErrorKind::usage,
                           fmt::format("{} are loaded, it has {}", util::counted(loaded.bytes, "byte"), bytes));
        }
        if (!model::in_one_piece(*found))
            return refused(ErrorKind::unsupported, "is loaded, and is not in one piece in its file");
        return static_cast<std::size_t>(found - model_.tensors.begin());
    }

    model::Model& model_;
    const CardMemory& card_;
    std::vector<std::unique_ptr<Source>> files_;
    std::vector<const LoadedTensor*> loaded_;  // by tensor
};

Result<SealFinding> find_loaded(model::Model& model, const CardMemory& card,
                                std::span<const LoadedTensor> tensors, const CheckOptions& options) {
    LoadedModel loaded(model, card);
    MODELSEAL_TRY(loaded.put(tensors));
    const mark::KnownBlocks known = [&](std::size_t tensor, std::uint64_t block_bytes) {
        return loaded.known(tensor, block_bytes);
    };
    return check_seal(model, {.keys = options.seal->keys,
                              .all = options.seal->all,
                              .pass = {.jobs = options.jobs, .known = &known},
                              .progress = options.progress});
}

}  // namespace

Result<CheckReport> check_loaded(const std::filesystem::path& path, const hash::Cards& cards, int card,
                                 std::span<const LoadedTensor> tensors, const CheckOptions& options) {
    try {
        policy::Findings found;
        auto model = model::open_model(path, options.limits);
        if (model.ok()) {
            const CardMemory memory(cards, card);
            found.seal = find_loaded(*model, memory, tensors, options);
            if (!found.seal->ok() && found.seal->error().kind == ErrorKind::usage) return found.seal->error();
            if (auto same = model->unchanged(); found.seal->ok() && !same.ok()) found.seal = same.error();
        } else {
            found.seal = model.error();
        }
        auto policy = options.policy;
        policy.expected.seal = true;
        return policy::report_of(path.string(), found, policy, policy::decide(found, policy));
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable, path.string() + ": not enough memory to check it", {}};
    }
}

}  // namespace modelseal::jobs
