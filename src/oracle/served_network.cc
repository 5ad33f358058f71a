#include "oracle/served_network.h"

#include <algorithm>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::oracle {
namespace {

Error unsupported(const std::string& name, const std::string& what, const char* hint = "") {
    return {ErrorKind::unsupported, fmt::format("{}: {}", name, what), hint};
}

class ServedNetwork final : public Network {
  public:
    explicit ServedNetwork(std::unique_ptr<Oracle> oracle) : oracle_(std::move(oracle)) {}

    const std::string& name() const override { return oracle_->name(); }
    const InputShape& input() const override { return oracle_->input(); }
    std::vector<std::string> devices() const override { return {"server"}; }
    std::string runtime() const override { return "served as " + name(); }

    Result<std::size_t> classes() override {
        if (classes_ > 0) return classes_;
        const std::vector<float> input(oracle_->input().elements(), 0.5f);
        MODELSEAL_TRY_ASSIGN(const auto answers, ask(input, 1));
        return classes_ = answers.classes;
    }

    Result<Answers> ask(std::span<const float> inputs, std::size_t count) override {
        MODELSEAL_TRY(check_size(inputs, count));
        MODELSEAL_TRY_ASSIGN(auto answers, oracle_->ask(inputs, count));
        if (answers.values.empty() || answers.classes < 2) {
            return unsupported(name(),
                               "a fingerprint is made from the outputs of each class; the answers have none");
        }
        if (answers.significand < kFloat32Bits || answers.rounding > 0) {
            return unsupported(
                name(),
                answers.significand < kFloat32Bits
                    ? fmt::format("the answers have {} bits of precision, fewer than the {} of float32",
                                  answers.significand, kFloat32Bits)
                    : fmt::format("the answers are rounded by up to {:.1e}", answers.rounding),
                "make the fingerprint where the service answers in float32 with all digits");
        }
        return answers;
    }

    Result<Answers> ask_as(std::span<const float> inputs, std::size_t count, const Runtime& runtime) override {
        if (runtime.channels_last || runtime.plain_kernels || runtime.arithmetic != Arithmetic::usual ||
            !(runtime.device.empty() || runtime.device == devices().front())) {
            return unsupported(name(), "how a server computes is its own matter");
        }
        MODELSEAL_TRY(check_size(inputs, count));
        const auto step = runtime.batch == 0 ? count : std::min(runtime.batch, count);
        const auto elements = input().elements();
        Answers all{.count = count};
        for (std::size_t first = 0; first < count; first += step) {
            const auto some = std::min(step, count - first);
            MODELSEAL_TRY_ASSIGN(const auto answers,
                                 ask(inputs.subspan(first * elements, some * elements), some));
            if (first > 0 && answers.classes != all.classes)
                return Error{
                    ErrorKind::malformed, name() + ": the shape of the answers changes between requests", {}};
            all.classes = answers.classes;
            all.values.insert(all.values.end(), answers.values.begin(), answers.values.end());
        }
        return all;
    }

    Result<std::vector<float>> gradient(std::span<const float>, std::size_t, const Cotangents&) override {
        return unsupported(name(), "a served model has no gradient");
    }

  private:
    std::unique_ptr<Oracle> oracle_;
    std::size_t classes_ = 0;  // 0: not asked yet
};

}  // namespace

std::unique_ptr<Network> served_network(std::unique_ptr<Oracle> oracle) {
    return std::make_unique<ServedNetwork>(std::move(oracle));
}

}  // namespace modelseal::oracle
