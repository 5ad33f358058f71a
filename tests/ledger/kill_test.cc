// Killed at any moment while it writes: whatever was reported as done is in the ledger, and the ledger is
// whole.
#include <algorithm>
#include <csignal>
#include <random>
#include <set>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/sql.h"
#include <modelseal/ledger.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

constexpr int kKills = 200;
constexpr int kRoundsOfALedger = 20;  // then a new one, so that the making of one is killed too

// Adds customers and entries until it is killed, and tells of each on the pipe when it is done.
[[noreturn]] void write_until_killed(const std::filesystem::path& path, const SigningKey& key, int round,
                                     int pipe) {
    auto ledger = Ledger::open_or_create(path, key);
    if (!ledger.ok()) ::_exit(1);
    for (int i = 0;; ++i) {
        const auto name = std::to_string(round) + "." + std::to_string(i);
        if (!ledger->add(key, name).ok()) ::_exit(2);
        const auto told = "customer " + name + "\n";
        if (::write(pipe, told.data(), told.size()) < 0) ::_exit(3);
        const auto number = ledger->begin({.customer = name, .model = name});
        if (!number.ok() || !ledger->finish(*number).ok()) ::_exit(4);
        const auto entry = "entry " + name + "\n";
        if (::write(pipe, entry.data(), entry.size()) < 0) ::_exit(5);
    }
}

std::set<std::string> lines_from(int pipe) {
    std::string all;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(pipe, buffer, sizeof buffer)) > 0;)
        all.append(buffer, static_cast<std::size_t>(got));
    std::set<std::string> lines;
    std::istringstream stream(all);
    for (std::string line; std::getline(stream, line);) lines.insert(line);
    return lines;
}

// The content of a ledger that opens with all rows verified.
std::set<std::string> found_in(const std::filesystem::path& path, const SigningKey& key) {
    std::set<std::string> found;
    auto ledger = Ledger::open_or_create(path, key);
    EXPECT_TRUE(ledger.ok()) << ledger.error().message;
    if (!ledger.ok()) return found;
    const auto customers = ledger->customers();
    const auto entries = ledger->entries();
    EXPECT_TRUE(customers.ok()) << customers.error().message;
    EXPECT_TRUE(entries.ok()) << entries.error().message;
    if (!customers.ok() || !entries.ok()) return found;
    for (const auto& each : *customers) found.insert("customer " + each.name);
    for (const auto& each : *entries) {
        if (each.finished) found.insert("entry " + each.model);
    }
    return found;
}

TEST(LedgerKilled, KeepsWhatItReportedAsDone) {
    const test::Scratch folder;
    const auto key = test::test_key();
    std::mt19937 generator(std::random_device{}());
    std::set<std::string> reported;
    std::size_t told = 0;
    for (int round = 0; round < kKills; ++round) {
        const auto path = folder / std::to_string(round / kRoundsOfALedger);
        if (round % kRoundsOfALedger == 0) reported.clear();
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(ends[0]);
            write_until_killed(path, key, round, ends[1]);
        }
        ::close(ends[1]);
        // On a busy machine the first entry takes longer: wait longer until there was one.
        const auto longest = 30'000u * (told == 0 ? static_cast<unsigned>(round) + 1 : 1);
        ::usleep(static_cast<useconds_t>(generator() % longest));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << "round " << round << " ended with " << WEXITSTATUS(status);
        const auto lines = lines_from(ends[0]);
        ::close(ends[0]);
        told += lines.size();
        reported.insert(lines.begin(), lines.end());
        const auto found = found_in(path, key);
        for (const auto& each : reported) ASSERT_TRUE(found.contains(each)) << each << " in round " << round;
        ASSERT_EQ(test::sql(path, "PRAGMA integrity_check"), std::vector<std::string>{"ok"})
            << "round " << round;
    }
    EXPECT_GT(told, 0u) << "nothing was written before the kills";
}

// A sealed file is never out in the world without the ledger knowing of it.
TEST(LedgerKilled, HasAnEntryForEveryFileThatExists) {
    const test::Scratch folder;
    const auto key = test::test_key();
    const auto model = folder.write(
        "model", test::safetensors_file({{"w", "F32", {256, 256}, test::float_weights(1 << 16, 1)}}));
    const auto path = folder / "ledger";
    ASSERT_TRUE(Ledger::open_or_create(path, key)->add(key, "acme").ok());
    std::mt19937 generator(std::random_device{}());
    std::size_t stand = 0;
    for (int round = 0; round < 40; ++round) {
        const auto out = folder / ("out" + std::to_string(round));
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto ledger = Ledger::open(path, key);
            const auto check = ledger->check_key("acme");
            const auto done =
                seal_model(model, out, {.key = key, .check = *check, .ledger = &*ledger, .jobs = 1});
            ::_exit(done.ok() ? 0 : 1);
        }
        ::usleep(static_cast<useconds_t>(generator() % 40'000));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const auto entries = Ledger::open(path, key)->entries("acme");
        ASSERT_TRUE(entries.ok()) << entries.error().message;
        const auto noted = std::ranges::find(*entries, out.string(), &LedgerEntry::output);
        if (std::filesystem::exists(out)) {
            ++stand;
            ASSERT_NE(noted, entries->end()) << "round " << round;
        } else if (noted != entries->end()) {
            ASSERT_FALSE(noted->finished) << "round " << round;
        }
    }
    RecordProperty("outputs that stand", std::to_string(stand));
}

}  // namespace
}  // namespace modelseal
