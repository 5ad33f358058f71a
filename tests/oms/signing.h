// A folder with a model in it and a key, for tests that sign and verify.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/oms/data.h"
#include <modelseal/oms.h>

namespace modelseal::test {

class Signing : public testing::Test {
  protected:
    Signing() {
        scratch.write("model/config.json", "{}");
        scratch.write("model/empty", "");
        scratch.write("model/sub/weights.bin", std::string(100'000, 'w'));
        use_type(KeyType::p256);
    }

    void use_type(KeyType type) {
        sign.key = SigningKey::generate(type);
        verify.public_keys = {sign.key.public_key()};
        sign.signature = verify.signature = scratch / "model.sig";
    }

    void use_model(const std::filesystem::path& path) { model = path; }

    SignSummary must_sign() {
        auto summary = sign_model(model, sign);
        EXPECT_TRUE(summary.ok()) << summary.error().message;
        return summary.ok() ? *summary : SignSummary{};
    }
    SignatureFinding must_verify() {
        auto finding = verify_model(model, verify);
        EXPECT_TRUE(finding.ok()) << finding.error().message;
        return finding.ok() ? *finding : SignatureFinding{};
    }
    std::string refused() {
        const auto summary = sign_model(model, sign);
        EXPECT_FALSE(std::filesystem::exists(sign.signature));
        return summary.ok() ? "" : summary.error().message;
    }
    oms::Bundle bundle() { return oms::parse_bundle(content_of(sign.signature), "s").value(); }
    nlohmann::json statement() { return nlohmann::json::parse(text_of(bundle().payload)); }
    std::vector<std::string> names() {
        std::vector<std::string> out;
        const auto whole = statement();
        for (const auto& each : whole["predicate"]["resources"]) out.push_back(each["name"]);
        return out;
    }
    // "name outcome", for all that is wrong.
    std::vector<std::string> wrong() {
        using FileOutcome = SignatureFinding::FileFinding::Outcome;
        std::vector<std::string> out;
        const auto finding = must_verify();
        for (const auto& each : finding.findings) {
            out.push_back(each.name + (each.outcome == FileOutcome::changed   ? " changed"
                                       : each.outcome == FileOutcome::missing ? " missing"
                                                                              : " added"));
        }
        return out;
    }

    Scratch scratch;
    std::filesystem::path model = scratch / "model";
    SignOptions sign{.key = SigningKey::generate(KeyType::p256)};
    SignatureCheck verify;
};

}  // namespace modelseal::test
