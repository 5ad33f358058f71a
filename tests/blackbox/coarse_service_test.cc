// Whole checks of a served model, over HTTP: what a server does to hide that its model was changed, and what an
// honest one must not be blamed for.
#include <cmath>
#include <cstring>
#include <random>
#include <set>

#include <gmock/gmock.h>

#include "blackbox/container/container.h"
#include "blackbox/pairs/make.h"
#include "tests/support/models/small_fingerprint.h"
#include "tests/support/models/toy_network.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/oip_model.h"
#include <modelseal/check.h>
#include <modelseal/progress.h>

namespace modelseal::blackbox {
namespace {

using test::HttpAsked;
using test::HttpServer;
using test::ToyNetwork;
using testing::HasSubstr;
using Outcome = FingerprintFinding::Outcome;

// The server's version of an answer; `again`: it has seen this input before.
using Disguise = std::function<void(std::vector<float>& outputs, bool again)>;

Disguise decimals(int count) {
    return [scale = std::pow(10.0f, static_cast<float>(count))](std::vector<float>& outputs, bool) {
        for (auto& output : outputs) output = std::nearbyint(output * scale) / scale;
    };
}

// In a format with so many bits of significand.
Disguise narrow(int bits) {
    return [bits](std::vector<float>& outputs, bool) {
        for (auto& output : outputs) {
            int exponent = 0;
            const float fraction = std::frexp(output, &exponent);
            output = std::ldexp(std::nearbyint(std::ldexp(fraction, bits)), exponent - bits);
        }
    };
}

enum class Varies { always, when_asked_again };

Disguise noise(double deviation, Varies varies) {
    return [deviation, varies, random = std::mt19937(5)](std::vector<float>& outputs, bool again) mutable {
        std::normal_distribution<double> normal(0, deviation);
        if (varies == Varies::when_asked_again && !again) return;
        for (auto& output : outputs) output += static_cast<float>(normal(random));
    };
}

// A fingerprint of a network, and a server that answers for the network as it has become.
class CoarseService : public testing::Test {
  protected:
    void make_fingerprint(unsigned seed, Access access = Access::logits) {
        network_ = ToyNetwork(seed);
        network_.softmax = access == Access::probabilities;
        const Plan plan{.count = 20, .access = access, .input = {.shape = network_.input()}, .threads = 2};
        constexpr std::array<std::byte, 32> kSalt{std::byte{7}};
        auto made = make_pairs(network_, plan, Secret32(kSalt), kSalt, no_progress());
        ASSERT_TRUE(made.ok()) << made.error().message;
        auto& print = made->fingerprint;
        print.root = std::string(64, '0');
        print.model = "toy";
        print.created = "2026-11-21T00:00:00Z";
        print.runtime = "toy";
        test::write_fingerprint(print, vendor_, public_check_key(vendor_.public_key()), file_);
    }

    // Every weight by that part of their mean size, up or down.
    void move_weights(float part) {
        std::mt19937 random(9);
        for (auto* weights : {&network_.first, &network_.second}) {
            float sum = 0;
            for (const float weight : *weights) sum += std::abs(weight);
            const float step = part * sum / static_cast<float>(weights->size());
            for (auto& weight : *weights) weight += random() % 2 == 0 ? step : -step;
        }
    }

    CheckReport check(const Disguise& disguise, std::optional<Rung> rung = {}) {
        const auto server = serve(disguise);
        const auto key = public_check_key(vendor_.public_key());
        const FingerprintCheck asked{.file = file_, .keys = {key}, .rung = rung, .endpoint = {.batch = 25}};
        return check_model(server->url("/v2/models/net"), {.fingerprint = asked}).value();
    }

    std::unique_ptr<HttpServer> serve(const Disguise& disguise) {
        model_.input_shape = {-1, 1, 6, 6};
        model_.classes = 5;
        model_.classify = [this, disguise, seen = std::set<std::string>()](
                              std::span<const float> input) mutable -> std::vector<float> {
            const auto answers = network_.ask_as(
                input, 1,
                {.batch = 1,
                 .arithmetic = half_ ? oracle::Arithmetic::half_weights : oracle::Arithmetic::usual});
            auto outputs = answers->values;
            const std::string bytes(reinterpret_cast<const char*>(input.data()), input.size_bytes());
            if (disguise) disguise(outputs, !seen.insert(bytes).second);
            return outputs;
        };
        return std::make_unique<HttpServer>([this](const HttpAsked& asked) { return model_.answer(asked); });
    }

    const SigningKey vendor_ = SigningKey::generate();
    const test::Scratch scratch_;
    const std::filesystem::path file_ = scratch_ / "toy.fp";
    ToyNetwork network_{1};
    bool half_ = false;  // computes with weights in half precision
    test::OipTestModel model_;
};

// The attacks of a server that chooses its precision, and what its model is then called.
TEST_F(CoarseService, DoesNotHideAChangeOfItsModel) {
    for (const float moved : {0.001f, 0.0025f, 0.01f}) {
        make_fingerprint(1);
        EXPECT_EQ(check({}).verdict, Verdict::intact);
        move_weights(moved);
        EXPECT_EQ(check({}).verdict, Verdict::tampered);
        std::vector<Disguise> disguises = {narrow(11), narrow(8)};
        for (const int count : {2, 3, 4, 5, 6}) disguises.push_back(decimals(count));
        for (const double deviation : {1e-6, 1e-5, 2.5e-5, 1e-4, 3e-4, 1e-3, 1e-2}) {
            disguises.push_back(noise(deviation, Varies::when_asked_again));
            disguises.push_back(noise(deviation, Varies::always));
        }
        for (std::size_t i = 0; i < disguises.size(); ++i) {
            const auto report = check(disguises[i]);
            ASSERT_TRUE(report.fingerprint) << report.error;
            const auto outcome = report.fingerprint->outcome;
            EXPECT_THAT(outcome, testing::AnyOf(Outcome::tampered, Outcome::inconclusive)) << moved << " " << i;
            EXPECT_EQ(report.verdict, outcome == Outcome::tampered ? Verdict::tampered : Verdict::error);
        }
    }
}

TEST_F(CoarseService, IsNotBlamedForItsPrecision) {
    for (const auto access : {Access::logits, Access::probabilities, Access::label}) {
        for (const unsigned seed : {1u, 2u, 3u}) {
            make_fingerprint(seed, access);
            EXPECT_EQ(check({}).verdict, Verdict::intact);
            std::vector<Disguise> disguises = {narrow(11), narrow(8)};
            for (const int count : {3, 4, 5, 6}) disguises.push_back(decimals(count));
            for (const double deviation : {1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2}) {
                disguises.push_back(noise(deviation, Varies::always));
            }
            for (std::size_t i = 0; i < disguises.size(); ++i) {
                const auto report = check(disguises[i]);
                ASSERT_TRUE(report.fingerprint) << report.error;
                EXPECT_NE(report.verdict, Verdict::tampered) << i << ": " << report.fingerprint->detail;
            }
        }
    }
}

TEST_F(CoarseService, IsNotBlamedForHalfPrecision) {
    for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
        make_fingerprint(seed);
        half_ = true;
        const auto report = check(narrow(11));
        ASSERT_TRUE(report.fingerprint) << report.error;
        EXPECT_EQ(report.fingerprint->outcome, Outcome::inconclusive) << report.fingerprint->detail;
        EXPECT_NE(check(narrow(11), Rung::mixed).verdict, Verdict::tampered);
        half_ = false;
    }
}

TEST_F(CoarseService, ThatIsInconclusiveExitsWith3) {
    make_fingerprint(1);
    scratch_.write("v.pub", public_key_pem(vendor_.public_key()));
    const auto server = serve(decimals(2));
    const auto url = server->url("/v2/models/net");
    const auto outcome = test::run(test::modelseal({"check", url, "--fingerprint", "toy.fp", "--pub", "v.pub"}),
                                   {.folder = scratch_.path()});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err,
                HasSubstr(url + ": inconclusive, the rung fp32 cannot show that the model is intact:"));
    EXPECT_THAT(outcome.err, HasSubstr("rung mixed"));
}

}  // namespace
}  // namespace modelseal::blackbox
