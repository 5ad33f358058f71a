// A holder of a check key can write any content into the cells of a model, after tags that hold. Here the
// fuzzer does: nothing it writes may crash the check, take long, or pass as intact.
#include <cstdint>
#include <cstdlib>
#include <random>

#include "mark/checking/evidence.h"
#include "mark/checking/verdict.h"
#include "tests/support/memory_model.h"

namespace {

using namespace modelseal;

constexpr std::size_t kElements = 8192;

// One i8 tensor as safetensors.
std::vector<std::byte> base_model() {
    const std::string header = R"({"w":{"dtype":"I8","shape":[8192],"data_offsets":[0,8192]}})";
    std::vector<std::byte> file(8);
    file[0] = static_cast<std::byte>(header.size());
    for (const char letter : header) file.push_back(static_cast<std::byte>(letter));
    std::mt19937 generator(1);
    for (std::size_t i = 0; i < kElements; ++i) file.push_back(static_cast<std::byte>(generator()));
    return file;
}

const CheckKey& key() {
    static const CheckKey fixed = public_check_key(PublicKey{});
    return fixed;
}

// The model with the input spread over its cells.
std::vector<std::byte> crafted(std::span<const std::byte> input) {
    static const auto base = base_model();
    static const model::Model model = test::memory_model("base", base).value();
    static const mark::BlockMap block_map(model.tensors);
    static const mark::CellMap cells(block_map, key().secret.bytes(), {mark::kQuantized, mark::kRateSteps});
    auto file = base;
    const auto data = file.size() - kElements;
    for (const auto& position : cells.positions()) {
        const auto begin = data + position.block * block_map.block_elements();
        const auto block =
            std::span<const std::byte>(file).subspan(begin, block_map.elements_in(0, position.block));
        const mark::Cell cell(cells.keys(0), {cells.version(), DType::i8}, position.block, block);
        if (cell.capacity() == 0) continue;
        std::vector<std::byte> content(cell.capacity() - mark::kTagBytes);
        const auto take = std::min(content.size(), input.size());
        std::copy_n(input.begin(), take, content.begin());
        input = input.subspan(take);
        const auto written = cell.write(content, 0);
        if (!written) continue;  // rare: its carriers happen to hold less than the content
        std::copy(written->begin(), written->end(), file.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = crafted({reinterpret_cast<const std::byte*>(data), size});
    const auto model = test::memory_model("crafted", file);
    if (!model) std::abort();
    const auto evidence = mark::gather(*model, key(), {.jobs = 1}, no_progress());
    if (!evidence) std::abort();
    if (!*evidence) return 0;
    const auto finding = mark::judge(*model, **evidence, true);
    if (finding.outcome == SealFinding::Outcome::intact) std::abort();
    return 0;
}
