// `modelseal hook oci` as people start it, stop it, and kill it.
#include <csignal>
#include <map>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hook/oci/names.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/docker_registry.h"
#include <modelseal/keys.h>

namespace modelseal::hook {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class OciProgram : public testing::Test {
  protected:
    OciProgram() {
        scratch.write("v.pub", public_key_pem(vendor.public_key()));
        scratch.write("policy.toml", "version = 1\n[[vendor]]\nname = \"acme\"\nkeys = [\"v.pub\"]\n");
        scratch.write("secret", "0123456789abcdef\n");
    }
    test::Words command(test::Words more = {}) const {
        test::Words words{"hook",     "oci",
                          "--listen", "127.0.0.1:" + std::to_string(port),
                          "--queue",  scratch / "queue.db",
                          "--policy", scratch / "policy.toml",
                          "--audit",  scratch / "audit.jsonl",
                          "--jobs",   "2"};
        words.insert(words.end(), more.begin(), more.end());
        return test::modelseal(words);
    }
    // The exit code, and what standard error has.
    test::Outcome refused(test::Words more) const { return test::run(command(std::move(more))); }
    // For a minute at most.
    static bool comes_to_listen(const std::filesystem::path& log) {
        const auto listens = [&] { return test::content_of(log).find("listening") != std::string::npos; };
        for (int i = 0; i < 600 && !listens(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return listens();
    }

    const SigningKey vendor = test::test_key();
    test::Scratch scratch;
    const unsigned port = test::free_port();
};

TEST_F(OciProgram, RefusesMistakesAtTheStart) {
    const std::string registry = "http://127.0.0.1:1";
    EXPECT_EQ(refused({"--registry", "ftp://x"}).code, 2);
    for (const auto& [listen, message] : {std::pair{"nowhere", "is not an address and a port"},
                                          {"127.0.0.1:99999", "is not an address and a port"},
                                          {"0.0.0.0:0", "--secret-file"},
                                          {"127.0.0.999:1", "not the address of an interface"}}) {
        const auto outcome =
            test::run(test::modelseal({"hook", "oci", "--listen", listen, "--registry", registry, "--queue",
                                       scratch / "q", "--policy", scratch / "policy.toml"}));
        EXPECT_EQ(outcome.code, 2) << listen;
        EXPECT_THAT(outcome.err, HasSubstr(message)) << listen;
    }
    scratch.write("short", "x\n");
    EXPECT_EQ(refused({"--registry", registry, "--secret-file", scratch / "short"}).code, 2);
    scratch.write("netrc", "default login a password b\n");
    EXPECT_EQ(refused({"--registry", registry, "--netrc", scratch / "netrc"}).code, 2);
    EXPECT_EQ(refused({"--registry", registry, "--quarantine", "../x"}).code, 2);
    scratch.write("policy.toml", "version = 1\nx = 1\n");
    const auto policy = refused({"--registry", registry});
    EXPECT_EQ(policy.code, 2);
    EXPECT_THAT(policy.err, HasSubstr("policy.toml:2:1"));
}

TEST_F(OciProgram, DecidesEachUploadOnceHoweverOftenItIsKilled) {
    MODELSEAL_NEED_DOCKER_REGISTRY();
    const test::DockerRegistry registry("http://127.0.0.1:" + std::to_string(port) + "/notifications",
                                        "Bearer 0123456789abcdef");
    auto client = registry.client();
    const auto words = command({"--registry", registry.url(), "--secret-file", scratch / "secret"});
    auto log = scratch / "log";
    auto hook = std::make_unique<test::Background>(words, log);
    const auto plain = test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}});
    const auto sealed = test::sealed_bytes(plain, vendor);
    std::map<std::string, std::string> expected;
    for (int i = 0; i < 16; ++i) {
        const auto digest = test::push_files(
            client, "acme/net", "v" + std::to_string(i),
            {{"model.safetensors", i % 2 == 0 ? sealed : plain}, {"README.md", std::to_string(i)}});
        expected[digest] = i % 2 == 0 ? "allow" : "deny";
        if (i % 4 != 3) continue;
        std::this_thread::sleep_for(std::chrono::milliseconds(100 * i));
        hook->stop(SIGKILL);
        log = scratch / ("log" + std::to_string(i));
        hook = std::make_unique<test::Background>(words, log);
    }
    std::map<std::string, std::vector<std::string>> found;
    for (int i = 0; i < 600 && found.size() < expected.size(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        found.clear();
        std::istringstream lines(test::content_of(scratch / "audit.jsonl"));
        for (std::string line; std::getline(lines, line);) {
            const auto entry = json::parse(line);
            found[entry["digest"]].push_back(entry["outcome"]);
        }
    }
    EXPECT_EQ(found.size(), expected.size()) << test::content_of(log);
    for (const auto& [digest, outcome] : expected)
        EXPECT_THAT(found[digest], testing::ElementsAre(outcome)) << digest;
    // The one before may have decided all of them while the last was still starting.
    EXPECT_TRUE(comes_to_listen(log));
    EXPECT_EQ(hook->stop(SIGTERM), 0) << test::content_of(log);
}

// By the program that people copy images with, from a folder in OCI's layout.
TEST_F(OciProgram, ChecksWhatSkopeoCopies) {
    MODELSEAL_NEED_DOCKER_REGISTRY();
    if (!test::installed("skopeo")) GTEST_SKIP() << "skopeo is not installed";
    const test::DockerRegistry registry("http://127.0.0.1:" + std::to_string(port) + "/notifications");
    const test::Background hook(command({"--registry", registry.url(), "--on-deny", "delete"}),
                                scratch / "log");
    const auto put = [&](const std::string& bytes) {
        const auto digest = digest_of(std::as_bytes(std::span(bytes)));
        scratch.write("layout/blobs/sha256/" + digest.substr(7), bytes);
        return json{{"digest", digest}, {"size", bytes.size()}};
    };
    const auto model = test::sealed_bytes(
        test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}}), vendor);
    auto layer = put(model), config = put("{}");
    layer["mediaType"] = "application/vnd.cncf.model.weight.v1.raw";
    layer["annotations"] = {{"org.cncf.model.filepath", "model.safetensors"}};
    config["mediaType"] = "application/vnd.cncf.model.config.v1+json";
    auto manifest = put(json{{"schemaVersion", 2},
                             {"mediaType", kOciManifest},
                             {"artifactType", "application/vnd.cncf.model.manifest.v1+json"},
                             {"config", config},
                             {"layers", json::array({layer})}}
                            .dump());
    manifest["mediaType"] = kOciManifest;
    scratch.write("layout/oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
    scratch.write("layout/index.json",
                  json{{"schemaVersion", 2}, {"manifests", json::array({manifest})}}.dump());
    const auto copied =
        test::run({"skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false",
                   "oci:" + (scratch / "layout").string(), "docker://" + registry.host() + "/acme/net:v1"});
    ASSERT_EQ(copied.code, 0) << copied.err;
    std::string audit;
    for (int i = 0; i < 300 && audit.empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        audit = test::content_of(scratch / "audit.jsonl");
    }
    EXPECT_EQ(json::parse(audit)["outcome"], "allow") << audit << test::content_of(scratch / "log");
}

}  // namespace
}  // namespace modelseal::hook
