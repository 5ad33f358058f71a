// The finding of a signature check, in every form of report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/report.h"

namespace modelseal::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using SignatureOutcome = SignatureFinding::Outcome;
using FileOutcome = SignatureFinding::FileFinding::Outcome;

constexpr const char* kHostileSigner = "w\x1b[31m<script>alert('1')</script>&\"\xff\xc2\x9b";

CheckReport valid() {
    CheckReport check{.target = "net", .verdict = Verdict::intact};
    check.signature = SignatureFinding{.outcome = SignatureOutcome::valid,
                                       .detail = "3 files are as signed",
                                       .method = "key",
                                       .signer = "5b4f",
                                       .model = "net",
                                       .root = "00ff",
                                       .serialization = "files",
                                       .hash = "sha256",
                                       .files = 3,
                                       .bytes = 1000};
    return check;
}

CheckReport invalid(const std::string& name = "a.bin") {
    auto check = valid();
    check.verdict = Verdict::tampered;
    check.signature->outcome = SignatureOutcome::invalid;
    check.signature->detail = "1 file changed, 1 file missing";
    check.signature->findings = {{.name = name,
                                  .outcome = FileOutcome::changed,
                                  .tensors = {{.name = name, .outcome = TensorFinding::Outcome::changed}}},
                                 {.name = "b.bin", .outcome = FileOutcome::missing}};
    return check;
}

CheckReport untold() {
    CheckReport check{.target = "net", .verdict = Verdict::error, .error = "model.sig: not JSON"};
    check.signature = SignatureFinding{.detail = "model.sig: not JSON"};
    return check;
}

std::string sarif(const CheckReport& check) {
    return to_sarif({&check, 1}, "1.0");
}
std::string html(const CheckReport& check) {
    return to_html({&check, 1});
}

TEST(SignatureReport, StatesInOneLineThatItHoldsAndByWhom) {
    EXPECT_EQ(to_text(valid(), {}), "net: signature valid, 3 files are as signed\n  signed by key 5b4f\n");
}

TEST(SignatureReport, ListsFilesAndTensorsThatAreNotAsSigned) {
    const auto text = to_text(invalid(), {});
    EXPECT_THAT(text, HasSubstr("net: signature invalid, 1 file changed, 1 file missing\n"));
    EXPECT_THAT(text, HasSubstr("changed    a.bin\n      tensor a.bin changed\n"));
    EXPECT_THAT(text, HasSubstr("missing    b.bin\n"));
}

TEST(SignatureReport, StatesOnceWhyItCouldNotBeVerified) {
    EXPECT_EQ(to_text(untold(), {}), "net: signature not verified\n  model.sig: not JSON\n");
    EXPECT_THAT(html(untold()), HasSubstr("model.sig: not JSON"));
}

TEST(SignatureReport, AppearsNextToTheSeal) {
    auto check = valid();
    check.seal = SealFinding{.outcome = SealFinding::Outcome::intact, .tensors_total = 2, .bytes_total = 10};
    EXPECT_THAT(to_text(check, {}), HasSubstr("net: intact, 2 tensors"));
    EXPECT_THAT(to_text(check, {}), HasSubstr("net: signature valid"));
    const auto entries = json::parse(to_json({&check, 1}, true)).at("checks");
    EXPECT_EQ(entries.at(0).at("kind"), "seal");
    EXPECT_EQ(entries.at(1).at("kind"), "signature");
    EXPECT_EQ(entries.at(1).at("outcome"), "valid");
}

TEST(SignatureReport, HasOneResultPerFileInSarif) {
    EXPECT_TRUE(json::parse(sarif(valid())).at("runs").at(0).at("results").empty());
    const auto run = json::parse(sarif(invalid())).at("runs").at(0);
    ASSERT_EQ(run.at("results").size(), 2u);
    EXPECT_EQ(run.at("results").at(0).at("ruleId"), "file-not-as-signed");
    const auto rule = run.at("results").at(0).at("ruleIndex").get<std::size_t>();
    EXPECT_EQ(run.at("tool").at("driver").at("rules").at(rule).at("id"), "file-not-as-signed");
    EXPECT_EQ(run.at("results").at(0).at("properties").at("tensors").at(0), "a.bin");
    auto forged = invalid();
    forged.signature->findings.clear();
    EXPECT_EQ(json::parse(sarif(forged)).at("runs").at(0).at("results").at(0).at("ruleId"),
              "signature-invalid");
    const auto failed = json::parse(sarif(untold())).at("runs").at(0).at("invocations").at(0);
    EXPECT_FALSE(failed.at("executionSuccessful").get<bool>());
    EXPECT_EQ(failed.at("toolExecutionNotifications").size(), 1u);
}

TEST(SignatureReport, IsATableOfFilesOnThePage) {
    EXPECT_THAT(html(valid()), HasSubstr("signature valid, 3 files are as signed"));
    EXPECT_THAT(html(valid()), Not(HasSubstr("Files that are not as signed")));
    EXPECT_THAT(html(invalid()), HasSubstr("Files that are not as signed"));
    EXPECT_THAT(html(invalid()), HasSubstr("tensor <span class=\"mono\">a.bin</span> changed"));
}

TEST(SignatureReport, KeepsHostileNamesInTheirPlace) {
    const auto check = invalid(kHostileSigner);
    EXPECT_THAT(html(check), Not(HasSubstr("<script>alert")));
    for (const auto& out : {to_text(check, {}), sarif(check), to_json({&check, 1}, true)}) {
        EXPECT_THAT(out, Not(HasSubstr("\x1b"))) << out;
        EXPECT_THAT(out, Not(HasSubstr("\xff")));
    }
}

}  // namespace
}  // namespace modelseal::report
