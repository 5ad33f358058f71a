#include "hash/cards.h"

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <optional>

#include <dlfcn.h>
#include <fmt/format.h>

#include "hash/processor.h"
#include "util/text.h"

namespace modelseal::hash {
namespace {

namespace fs = std::filesystem;

// A card takes some tenths of a second to start.
constexpr std::uint64_t kWorthACard = std::uint64_t{4} << 30;
// Of blocks of 32 KiB, one a thread of the card; many threads of this machine have one in flight each.
constexpr std::size_t kCardBatch = 8u << 20;
constexpr const char* kInstead = "hash on the processor";

class CardBatch final : public Batch {
  public:
    CardBatch(const Cards& cards, int card, modelseal_cuda_lane* lane, std::size_t bytes, OnFailure on_failure,
              std::atomic<bool>& failed)
        : cards_(cards), card_(card), lane_(lane), bytes_(bytes), on_failure_(on_failure), failed_(failed) {}
    CardBatch(const CardBatch&) = delete;
    CardBatch& operator=(const CardBatch&) = delete;
    ~CardBatch() override { cards_.calls().close_lane(lane_); }

    std::span<std::byte> buffer() override {
        return {reinterpret_cast<std::byte*>(cards_.calls().buffer(lane_)), bytes_};
    }

    void start(std::byte prefix, std::span<const Block> blocks) override {
        prefix_ = prefix;
        blocks_.assign(blocks.begin(), blocks.end());
        listed_.clear();
        for (const auto& block : blocks) listed_.push_back({block.offset, block.bytes});
        problem_ =
            cards_.calls().start(lane_, std::to_integer<unsigned>(prefix), listed_.data(), listed_.size());
    }

    Result<std::span<const crypto::Digest>> finish() override {
        const unsigned char* digests = nullptr;
        if (problem_ == nullptr) problem_ = cards_.calls().finish(lane_, &digests);
        if (problem_ == nullptr)
            return std::span(reinterpret_cast<const crypto::Digest*>(digests), blocks_.size());
        if (on_failure_ == OnFailure::report) {
            return Error{ErrorKind::unsupported, fmt::format("{}: {}", cards_.name(card_), problem_), kInstead,
                         Remedy::use_cpu};
        }
        failed_ = true;
        return in_its_place_.of(buffer(), prefix_, blocks_);
    }

  private:
    const Cards& cards_;
    const int card_;
    modelseal_cuda_lane* const lane_;
    const std::size_t bytes_;
    const OnFailure on_failure_;
    std::atomic<bool>& failed_;
    std::byte prefix_{};
    std::vector<Block> blocks_;
    std::vector<modelseal_cuda_block> listed_;
    const char* problem_ = nullptr;
    ProcessorDigests in_its_place_;
};

class CardHasher final : public BlockHasher {
  public:
    CardHasher(const Cards& cards, int card, OnFailure on_failure)
        : cards_(cards), card_(card), on_failure_(on_failure) {}

    std::size_t batch_bytes() const override { return kCardBatch; }
    unsigned batches() const override { return 2; }

    Result<std::unique_ptr<Batch>> make_batch(std::size_t bytes, std::size_t blocks) const override {
        modelseal_cuda_lane* lane = nullptr;
        const auto* problem = cards_.calls().open_lane(card_, bytes, blocks, &lane);
        if (problem == nullptr) {
            return std::unique_ptr<Batch>(
                std::make_unique<CardBatch>(cards_, card_, lane, bytes, on_failure_, failed_));
        }
        if (on_failure_ == OnFailure::report) {
            return Error{ErrorKind::unsupported, fmt::format("{}: {}", cards_.name(card_), problem), kInstead,
                         Remedy::use_cpu};
        }
        failed_ = true;
        return processor().make_batch(bytes, blocks);
    }

    std::string trouble() const override {
        return failed_ ? cards_.name(card_) + " failed, and the processor hashed in its place" : std::string();
    }

  private:
    const Cards& cards_;
    const int card_;
    const OnFailure on_failure_;
    mutable std::atomic<bool> failed_ = false;
};

// The number in "cuda" or "cuda:N"; nothing for another word.
std::optional<int> card_in(std::string_view device) {
    if (device == "cuda") return 0;
    if (!device.starts_with("cuda:")) return std::nullopt;
    device.remove_prefix(5);
    int card = 0;
    const auto [end, wrong] = std::from_chars(device.data(), device.data() + device.size(), card);
    const bool number = wrong == std::errc() && end == device.data() + device.size() && card >= 0;
    return number && device.front() != '-' ? std::optional(card) : std::nullopt;
}

}  // namespace

Result<Cards> Cards::load(const fs::path& module) {
    const auto shown = util::printable(module.string());
    const auto unusable = [&](std::string_view why) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", shown, util::printable(std::string(why))),
                     kInstead, Remedy::use_cpu};
    };
    void* const handle = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return unusable(::dlerror());
    auto* const entry = reinterpret_cast<modelseal_cuda_entry*>(::dlsym(handle, cuda::kEntry));
    if (entry == nullptr) return unusable("is of another release of modelseal");
    const auto* calls = entry();
    int count = 0;
    if (const auto* problem = calls->count(&count); problem != nullptr)
        return Error{ErrorKind::unsupported, fmt::format("no graphics card can be used: {}", problem), kInstead,
                     Remedy::use_cpu};
    if (count == 0)
        return Error{ErrorKind::unsupported, "no graphics card was found", kInstead, Remedy::use_cpu};
    return Cards(*calls, count);
}

std::string Cards::name(int card) const {
    modelseal_cuda_card described{};
    if (calls_->describe(card, &described) != nullptr) return fmt::format("cuda:{}", card);
    return fmt::format("cuda:{} ({})", card, util::printable(described.name));
}

std::vector<fs::path> module_places() {
    if (const char* given = std::getenv("MODELSEAL_CUDA_MODULE"); given != nullptr && *given != '\0')
        return {fs::path(given)};
    std::vector<fs::path> places;
    std::error_code failed;
    if (const auto program = fs::read_symlink("/proc/self/exe", failed); !failed) {
        for (const char* beside : {"", "../" MODELSEAL_WORKER_FOLDER})
            places.push_back((program.parent_path() / beside / cuda::kModule).lexically_normal());
    }
    places.emplace_back(fs::path(MODELSEAL_WORKER_FULL_FOLDER) / cuda::kModule);
    return places;
}

const Result<Cards>& installed_cards() {
    static const Result<Cards> cards = []() -> Result<Cards> {
        std::string looked;
        for (const auto& place : module_places()) {
            std::error_code failed;
            if (fs::exists(place, failed)) return Cards::load(place);
            looked += (looked.empty() ? "" : ", ") + util::printable(place.string());
        }
        return Error{ErrorKind::unsupported,
                     fmt::format("the module for graphics cards was not found: {}", looked),
                     "build modelseal where the compiler of CUDA is installed, or hash on the processor",
                     Remedy::use_cpu};
    }();
    return cards;
}

std::unique_ptr<BlockHasher> card_hasher(const Cards& cards, int card, OnFailure on_failure) {
    return std::make_unique<CardHasher>(cards, card, on_failure);
}

Result<std::unique_ptr<BlockHasher>> hasher_on(const std::string& device, std::uint64_t bytes) {
    const bool any = device == "auto";
    if (device == "cpu" || (any && bytes < kWorthACard)) return std::unique_ptr<BlockHasher>();
    const auto card = any ? 0 : card_in(device);
    if (!card) {
        return Error{ErrorKind::usage, fmt::format("'{}' is not a device", util::printable(device)),
                     "give auto, cpu, cuda or cuda:N"};
    }
    const auto& cards = installed_cards();
    if (!cards.ok()) return any ? Result<std::unique_ptr<BlockHasher>>(nullptr) : cards.error();
    if (*card >= cards->count()) {
        return Error{ErrorKind::unsupported,
                     fmt::format("cuda:{}: this machine has {}", *card,
                                 util::counted(static_cast<std::uint64_t>(cards->count()), "graphics card")),
                     kInstead, Remedy::use_cpu};
    }
    return card_hasher(*cards, *card, any ? OnFailure::hash_on_processor : OnFailure::report);
}

}  // namespace modelseal::hash
