// Hashing on graphics cards. The code for them, with the CUDA runtime in it, is a module of its own, which is loaded when
// a card is to be used: without one a check does not pay for it, and needs none of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hash/block_hasher.h"
#include "hash/cuda/module.h"

namespace modelseal::hash {

// The module, which stays loaded. Thread safety: calls may run at the same time.
class Cards {
  public:
    // ErrorKind::unsupported if it cannot be loaded, or finds no card.
    static Result<Cards> load(const std::filesystem::path& module);

    int count() const { return count_; }
    // "cuda:1 (NVIDIA H100 80GB HBM3)".
    std::string name(int card) const;
    const modelseal_cuda_module& calls() const { return *calls_; }

  private:
    Cards(const modelseal_cuda_module& calls, int count) : calls_(&calls), count_(count) {}
    const modelseal_cuda_module* calls_;
    int count_;
};

// The module that is installed. What went wrong when it was first asked for stays so.
const Result<Cards>& installed_cards();
// Where it may be, the likeliest place first.
std::vector<std::filesystem::path> module_places();

// What becomes of blocks that a card fails to hash.
enum class OnFailure { report, hash_on_processor };

// `cards` must outlive the hasher.
std::unique_ptr<BlockHasher> card_hasher(const Cards& cards, int card, OnFailure on_failure);

// `device`: "cpu"; "cuda" or "cuda:N", the first card or card N, and an Error if that cannot be used; or "auto": a card if
// there is one and so many bytes are worth its start, else the processor. Null for the processor.
// ErrorKind::usage for another word, unsupported without such a card.
Result<std::unique_ptr<BlockHasher>> hasher_on(const std::string& device, std::uint64_t bytes);

}  // namespace modelseal::hash
