// The hook against a real registry: what is pushed is checked, and what comes of it is done there.
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hook/oci/names.h"
#include "hook/oci/service.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/services/docker_registry.h"
#include <modelseal/keys.h>
#include <modelseal/seal.h>

namespace modelseal::hook {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kOciSecret = "0123456789abcdef-secret";

class OciHook : public testing::Test {
  protected:
    void SetUp() override {
        MODELSEAL_NEED_DOCKER_REGISTRY();
        scratch.write("v.pub", public_key_pem(vendor.public_key()));
        scratch.write("policy.toml", R"(version = 1
[[vendor]]
name = "acme"
keys = ["v.pub"]
[[model]]
match = "acme/versioned"
minimum = { version = "2" }
[[model]]
match = "acme/held"
action = "quarantine"
)");
    }

    void start(OnDeny on_deny = OnDeny::quarantine) {
        const auto port = test::free_port();
        registry = std::make_unique<test::DockerRegistry>(
            "http://127.0.0.1:" + std::to_string(port) + "/notifications", std::string("Bearer ") + kOciSecret);
        ServiceOptions options;
        options.receiver.port = static_cast<std::uint16_t>(port);
        options.secret = kOciSecret;
        options.registry = http::Url::parse(registry->url()).value();
        options.policy = scratch / "policy.toml";
        options.queue = scratch / "queue.db";
        options.audit = scratch / "audit.jsonl";
        options.workers = 2;
        options.effects.on_deny = on_deny;
        options.log = [this](const std::string& line) { logged += line + "\n"; };
        auto started = Service::start(std::move(options));
        ASSERT_TRUE(started.ok()) << started.error().message;
        service = std::move(*started);
        client.emplace(registry->client());
    }

    std::string push(const std::string& repository, const std::vector<test::PushedFile>& files) {
        return test::push_files(*client, repository, "latest", files);
    }

    // The line of the audit log about the digest, which must come.
    json decision_about(const std::string& digest, const std::string& repository = "acme/net") {
        for (int i = 0; i < 600; ++i) {
            std::istringstream lines(test::content_of(scratch / "audit.jsonl"));
            for (std::string line; std::getline(lines, line);) {
                if (line.find(digest) == std::string::npos) continue;
                if (auto entry = json::parse(line); entry["repository"] == repository) return entry;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        ADD_FAILURE() << "nothing was decided about " << digest << "; log: " << logged;
        return {};
    }

    bool is_there(const std::string& repository, const std::string& reference) {
        return client->manifest(repository, reference).value().has_value();
    }

    // The report that the list of referrers of `digest` has.
    json report_on(const std::string& repository, const std::string& digest) {
        const auto list = client->manifest(repository, "sha256-" + digest.substr(7)).value();
        if (!list) return {};
        const auto index = json::parse(list->bytes);
        EXPECT_EQ(index["manifests"].size(), 1u);
        EXPECT_EQ(index["manifests"][0]["artifactType"], kReportType);
        const auto referrer = json::parse(
            client->manifest(repository, index["manifests"][0]["digest"].get<std::string>()).value()->bytes);
        EXPECT_EQ(referrer["subject"]["digest"], digest);
        const Layer layer{.digest = referrer["layers"][0]["digest"], .size = referrer["layers"][0]["size"]};
        std::string text;
        const auto read =
            client->blob(repository, layer, [&](std::span<const std::byte> bytes) -> Result<void> {
                text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                return {};
            });
        EXPECT_TRUE(read.ok());
        return json::parse(text);
    }

    std::string sealed_with(const std::vector<std::pair<std::string, std::string>>& stamp) {
        const auto in = scratch.write("plain", plain);
        std::filesystem::remove(scratch / "sealed");
        const auto done =
            seal_model(in, scratch / "sealed",
                       {.key = vendor, .check = public_check_key(vendor.public_key()), .stamp = stamp});
        EXPECT_TRUE(done.ok());
        return test::content_of(scratch / "sealed");
    }

    std::vector<test::PushedFile> sealed_folder(const std::vector<std::pair<std::string, std::string>>& files) {
        scratch.write("folder/model.safetensors", plain);
        for (const auto& [name, text] : files) scratch.write("folder/" + name, text);
        const auto done = seal_model(scratch / "folder", scratch / "sealed-folder",
                                     {.key = vendor, .check = public_check_key(vendor.public_key())});
        EXPECT_TRUE(done.ok()) << done.error().message;
        std::vector<test::PushedFile> out;
        for (const auto& entry : std::filesystem::directory_iterator(scratch / "sealed-folder"))
            out.push_back({entry.path().filename(), test::content_of(entry.path())});
        return out;
    }

    const SigningKey vendor = test::test_key();
    const std::string plain =
        test::safetensors_file({{"conv1.weight", "F32", {60'000}, test::float_weights(60'000, 1)}});
    const std::string sealed = test::sealed_bytes(plain, vendor);
    test::Scratch scratch;
    std::unique_ptr<test::DockerRegistry> registry;
    std::string logged;
    std::unique_ptr<Service> service;
    std::optional<Registry> client;
};

TEST_F(OciHook, AdmitsASealedModelAndAttachesTheReport) {
    start();
    const auto digest = push("acme/net", {{"model.safetensors", sealed}, {"README.md", "# A model"}});
    const auto line = decision_about(digest);
    EXPECT_EQ(line["outcome"], "allow") << line;
    EXPECT_EQ(line["verdict"], "intact");
    EXPECT_EQ(line["repository"], "acme/net");
    EXPECT_EQ(line["reference"], "latest");
    EXPECT_EQ(line["action"], "report attached");
    EXPECT_TRUE(is_there("acme/net", digest));
    const auto report = report_on("acme/net", digest);
    EXPECT_EQ(report["schema"], "modelseal-check/1");
    EXPECT_EQ(report["verdict"], "intact");
    EXPECT_EQ(report["target"], "model.safetensors");
    EXPECT_EQ(report["policy"]["outcome"], "allow");
    EXPECT_EQ(report["policy"]["name"], "acme/net");
}

TEST_F(OciHook, QuarantinesAFlippedBitAndNamesTheTensor) {
    start();
    auto flipped = sealed;
    flipped[flipped.size() / 2] ^= 1;
    const auto digest = push("acme/net", {{"model.safetensors", flipped}});
    const auto line = decision_about(digest);
    EXPECT_EQ(line["outcome"], "deny") << line;
    EXPECT_EQ(line["verdict"], "tampered");
    EXPECT_THAT(line["reason"].get<std::string>(), HasSubstr("'conv1.weight'"));
    EXPECT_EQ(line["action"], "moved to quarantine/acme/net, report attached");
    EXPECT_FALSE(is_there("acme/net", digest));
    EXPECT_TRUE(is_there("quarantine/acme/net", digest));
    EXPECT_EQ(report_on("quarantine/acme/net", digest)["verdict"], "tampered");
    // The same upload again is decided again.
    push("acme/net", {{"model.safetensors", flipped}});
    for (int i = 0; i < 200 && is_there("acme/net", digest); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(is_there("acme/net", digest));
}

TEST_F(OciHook, DeletesIfItIsToldTo) {
    start(OnDeny::remove);
    const auto unsealed = push("acme/net", {{"model.safetensors", plain}});
    EXPECT_EQ(decision_about(unsealed)["action"], "deleted");
    EXPECT_FALSE(is_there("acme/net", unsealed));
    EXPECT_FALSE(is_there("quarantine/acme/net", unsealed));
    // What the policy quarantines is not deleted.
    const auto held = push("acme/held", {{"model.safetensors", plain}});
    EXPECT_EQ(decision_about(held, "acme/held")["outcome"], "quarantine");
    EXPECT_TRUE(is_there("quarantine/acme/held", held));
}

TEST_F(OciHook, RefusesARolledBackVersionAsSuch) {
    start();
    const auto old = push("acme/versioned", {{"model.safetensors", sealed_with({{"version", "1.9"}})}});
    const auto line = decision_about(old, "acme/versioned");
    EXPECT_EQ(line["outcome"], "deny");
    EXPECT_THAT(line["reason"].get<std::string>(),
                testing::AllOf(HasSubstr("minimum.version: "), HasSubstr("1.9")));
    EXPECT_THAT(line["reason"].get<std::string>(), testing::Not(HasSubstr("conv1.weight")));
    const auto current = push("acme/versioned", {{"model.safetensors", sealed_with({{"version", "2.0"}})}});
    EXPECT_EQ(decision_about(current, "acme/versioned")["outcome"], "allow");
}

TEST_F(OciHook, RefusesAnUnsealedAdapterBesideASealedModel) {
    start();
    const auto adapter = test::safetensors_file({{"lora", "F32", {60'000}, test::float_weights(60'000, 2)}});
    const auto digest =
        push("acme/net", {{"model.safetensors", sealed}, {"adapter_model.safetensors", adapter}});
    const auto line = decision_about(digest);
    EXPECT_EQ(line["outcome"], "deny");
    EXPECT_THAT(line["reason"].get<std::string>(), testing::StartsWith("adapters: "));
    const auto both = push("acme/net", {{"model.safetensors", sealed},
                                        {"adapter_model.safetensors", test::sealed_bytes(adapter, vendor)}});
    EXPECT_EQ(decision_about(both)["outcome"], "allow");
}

TEST_F(OciHook, RefusesRemoteCodeOutsideTheSeal) {
    start();
    const std::string config = R"({"auto_map": {"AutoModel": "modeling_x.Model"}})";
    const auto outside = push("acme/net", sealed_folder({{"config.json", config}}));
    const auto line = decision_about(outside);
    EXPECT_EQ(line["outcome"], "deny");
    EXPECT_THAT(line["reason"].get<std::string>(), HasSubstr("closure: "));
    std::filesystem::remove_all(scratch / "sealed-folder");
    const auto inside =
        push("acme/net", sealed_folder({{"config.json", config}, {"modeling_x.py", "class Model: pass"}}));
    EXPECT_EQ(decision_about(inside)["outcome"], "allow");
    // Code that was added to a sealed file is not covered either.
    const auto added =
        push("acme/net", {{"model.safetensors", sealed}, {"config.json", config}, {"modeling_x.py", "evil"}});
    EXPECT_EQ(decision_about(added)["outcome"], "deny");
}

TEST_F(OciHook, DecidesIndexesByTheirManifests) {
    start();
    const auto one = push("acme/net", {{"model.safetensors", sealed}});
    const auto manifest = client->manifest("acme/net", one).value();
    const auto index =
        json{{"schemaVersion", 2},
             {"mediaType", kOciIndex},
             {"manifests", {{{"mediaType", kOciManifest}, {"digest", one}, {"size", manifest->bytes.size()}}}}}
            .dump();
    ASSERT_TRUE(client->push_manifest("acme/net", "all", {index, std::string(kOciIndex)}).ok());
    const auto line = decision_about(digest_of(std::as_bytes(std::span(index))));
    EXPECT_EQ(line["outcome"], "allow");
    EXPECT_THAT(line["reason"].get<std::string>(), HasSubstr("an index of 1 manifest"));
    EXPECT_EQ(decision_about(one)["outcome"], "allow");
}

TEST_F(OciHook, PolicyIsReadAgainWhenItIsCompleteAndValid) {
    start();
    const auto policy = test::content_of(scratch / "policy.toml");
    const auto look = [&] {
        service->look();
        service->look();
    };
    scratch.write("policy.toml", policy + "[[model]]\nmatch = ");
    look();
    EXPECT_THAT(logged, HasSubstr("the policy of before stays in force"));
    EXPECT_EQ(decision_about(push("acme/one", {{"m.safetensors", plain}}), "acme/one")["outcome"], "deny");
    scratch.write("policy.toml", policy + "[[model]]\nmatch = \"trial/**\"\naudit = \"warn\"\n");
    look();
    EXPECT_THAT(logged, HasSubstr("the policy was read again"));
    EXPECT_EQ(decision_about(push("trial/two", {{"m.safetensors", plain}}), "trial/two")["outcome"], "warn");
}

}  // namespace
}  // namespace modelseal::hook
