#include "hook/audit.h"

#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/scratch.h"

namespace modelseal::hook {
namespace {

using testing::HasSubstr;

std::vector<nlohmann::json> audit_lines(const std::filesystem::path& file) {
    std::vector<nlohmann::json> lines;
    std::istringstream in(test::content_of(file));
    for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
}

TEST(AuditLog, HasALineForEachDecision) {
    const test::Scratch folder;
    auto log = AuditLog::open(folder / "audit.jsonl").value();
    ASSERT_TRUE(log.write({.hook = "oci", .repository = "acme/net", .outcome = "deny"}).ok());
    // Control characters, and a line of a forger's own.
    ASSERT_TRUE(log.write({.hook = "git", .reason = "a\n{\"outcome\":\"allow\"}\x1b[2J\xff"}).ok());
    const auto lines = audit_lines(folder / "audit.jsonl");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0]["schema"], "modelseal-audit/1");
    EXPECT_EQ(lines[0]["repository"], "acme/net");
    EXPECT_EQ(lines[0]["outcome"], "deny");
    EXPECT_EQ(lines[1]["reason"], "a\\x0a{\"outcome\":\"allow\"}\\x1b[2J\\xff");
}

TEST(AuditLog, KeepsLinesOfManyThreadsApart) {
    const test::Scratch folder;
    auto log = AuditLog::open(folder / "audit.jsonl").value();
    auto other = AuditLog::open(folder / "audit.jsonl").value();
    std::vector<std::thread> threads;
    for (auto* one : {&log, &other, &log}) {
        threads.emplace_back([one] {
            for (int i = 0; i < 50; ++i)
                EXPECT_TRUE(one->write({.hook = "oci", .reason = std::string(3000, 'x')}).ok());
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(audit_lines(folder / "audit.jsonl").size(), 150u);
}

TEST(AuditLog, BeginsANewFileAfterRotation) {
    const test::Scratch folder;
    auto log = AuditLog::open(folder / "audit.jsonl").value();
    ASSERT_TRUE(log.write({.hook = "oci"}).ok());
    std::filesystem::rename(folder / "audit.jsonl", folder / "audit.jsonl.1");
    ASSERT_TRUE(log.write({.hook = "git"}).ok());
    EXPECT_EQ(audit_lines(folder / "audit.jsonl.1").size(), 1u);
    EXPECT_EQ(audit_lines(folder / "audit.jsonl").size(), 1u);
}

TEST(AuditLog, FindsALineByItsId) {
    const test::Scratch folder;
    auto log = AuditLog::open(folder / "audit.jsonl").value();
    EXPECT_FALSE(log.contains("7.1").value());
    ASSERT_TRUE(log.write({.id = "7.1", .hook = "oci"}).ok());
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(log.write({.id = "8.1", .reason = std::string(16'000, 'x')}).ok());
    EXPECT_TRUE(log.contains("7.1").value());
    EXPECT_FALSE(log.contains("7.10").value());
    EXPECT_FALSE(log.contains(".1").value());
}

TEST(AuditLog, ThatCannotBeWrittenIsAnError) {
    const test::Scratch folder;
    EXPECT_FALSE(AuditLog::open(folder / "gone/audit.jsonl").ok());
    auto full = AuditLog::open("/dev/full");
    ASSERT_TRUE(full.ok());
    const auto written = full->write({.hook = "oci"});
    ASSERT_FALSE(written.ok());
    EXPECT_THAT(written.error().message, HasSubstr("no space left"));
}

TEST(AuditEntry, NamesWhatFailed) {
    CheckReport report{.target = "net"};
    report.verdict = Verdict::tampered;
    report.seal = SealFinding{};
    report.seal->tensors = {{.name = "conv1.weight", .outcome = TensorFinding::Outcome::changed},
                            {.name = "fc", .outcome = TensorFinding::Outcome::intact}};
    report.ruling = Ruling{.outcome = Ruling::Outcome::deny, .name = "acme/net"};
    report.ruling->requirements = {{.what = "seal", .found = "tampered", .holds = false},
                                   {.what = "expect.name", .found = "net", .holds = true}};
    const auto entry = audit_entry_of(report);
    EXPECT_EQ(entry.outcome, "deny");
    EXPECT_EQ(entry.verdict, "tampered");
    EXPECT_EQ(entry.name, "acme/net");
    EXPECT_EQ(entry.reason, "seal: tampered; tensors 'conv1.weight'");
    report.ruling->outcome = Ruling::Outcome::allow;
    EXPECT_EQ(audit_entry_of(report).reason, "");
    EXPECT_EQ(audit_entry_of({.target = "x", .error = "x: cannot read"}).outcome, "error");
}

}  // namespace
}  // namespace modelseal::hook
