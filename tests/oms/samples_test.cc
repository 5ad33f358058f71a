// Every file among the samples of the specification and of the reference is put to use: no signature, statement
// or list of digests is passed over.
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oms/statement.h"
#include "tests/oms/signing.h"

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class Samples : public test::Signing {
  protected:
    void SetUp() override {
        MODELSEAL_NEED_DATA();
        fs::create_directory(scratch / "links");
        fs::create_symlink(reference / "golden_models/file_model", scratch / "links/symlink_file");
    }

    // The model that a golden file is of.
    fs::path model_of(const std::string& golden) {
        const auto golden_model = [&](const char* name) { return reference / "golden_models" / name; };
        if (golden.starts_with("deep_model")) return golden_model("deep_model");
        if (golden.starts_with("empty_model_file")) return golden_model("empty_file_model");
        if (golden.starts_with("model_folder_with_empty_file")) return golden_model("empty_file_inside_model");
        if (golden.starts_with("sample_model_file")) return golden_model("file_model");
        if (golden.starts_with("sample_model_folder")) return golden_model("sample_model");
        if (golden.starts_with("symlink_model_folder")) return scratch / "links";
        if (!golden.starts_with("empty_model_folder")) ADD_FAILURE() << golden << " is of no known model";
        fs::create_directory(scratch / "nothing");
        return scratch / "nothing";
    }

    // "name:digest", or "name:begin:end:digest", of what modelseal signs; none if there is nothing to sign.
    std::vector<std::string> resources_of(const std::string& golden, std::optional<std::uint64_t> shard) {
        use_model(model_of(golden));
        sign.shard_size = shard;
        sign.component_order = true;
        sign.allow_symlinks = true;
        std::vector<std::string> out;
        const auto done = sign_model(model, sign);
        if (!done.ok()) {
            EXPECT_THAT(done.error().message, HasSubstr("contains no files to sign"));
            return out;
        }
        EXPECT_EQ(must_verify().outcome, SignatureFinding::Outcome::valid);
        const auto whole = statement();
        for (const auto& each : whole["predicate"]["resources"]) {
            out.push_back(each["name"].get<std::string>() + ":" + each["digest"].get<std::string>());
        }
        return out;
    }

    static std::optional<std::uint64_t> shard_of(const std::string& golden) {
        if (golden.ends_with("_small_shards")) return 8;
        return golden.ends_with("_shard") ? std::optional<std::uint64_t>(1'000'000'000) : std::nullopt;
    }

    void check_statement(const fs::path& file) {
        const auto wanted = json::parse(test::content_of(file));
        const auto name = file.filename().string();
        std::vector<std::string> resources;
        for (const auto& each : wanted["predicate"]["resources"]) {
            resources.push_back(each["name"].get<std::string>() + ":" + each["digest"].get<std::string>());
        }
        EXPECT_EQ(resources_of(name, shard_of(name)), resources) << name;
        if (resources.empty()) return;
        EXPECT_EQ(statement()["subject"][0]["digest"], wanted["subject"][0]["digest"]) << name;
    }

    // Lists of digests, as the reference's manifests are written in its tests.
    void check_list(const fs::path& file) {
        const auto name = file.filename().string();
        const bool shards = file.parent_path().filename() == "file_shard";
        const auto shard = name.ends_with("_small_shards") ? 8u : 1'000'000'000u;
        std::vector<std::string> lines;
        std::istringstream text(test::content_of(file));
        for (std::string line; std::getline(text, line);) lines.push_back(line);
        EXPECT_EQ(resources_of(name, shards ? std::optional<std::uint64_t>(shard) : std::nullopt), lines)
            << file;
    }

    // As its makers verify it.
    void check_signature(const fs::path& file) {
        const auto folder = file.parent_path();
        const auto name = folder.filename().string();
        SignatureCheck options{.signature = file, .ignore = {folder / "ignore-me"}};
        if (name.ends_with("-elliptic-key")) {
            options.public_keys = {test::oms_public_key()};
        } else if (name.ends_with("-certificate")) {
            options.anchors = {test::oms_key("ca-cert.pem")};
        } else {
            options.trusted_root = (test::oms_folder() / "trusted_root.json").string();
            options.identity = "stefanb@us.ibm.com";
            options.issuer = "https://sigstore.verify.ibm.com/oauth2";
        }
        const auto bundle = oms::parse_bundle(test::content_of(file), name);
        ASSERT_TRUE(bundle.ok()) << bundle.error().message;
        const auto listed = oms::parse_statement(bundle->payload, name).value().resources;
        const bool single = listed.size() == 1 && listed[0].name == oms::kWholeModel;
        const auto finding = verify_model(single ? folder / "signme-1" : folder, options);
        ASSERT_TRUE(finding.ok()) << finding.error().message;
        EXPECT_EQ(finding->outcome, SignatureFinding::Outcome::valid) << name << ": " << finding->detail;
    }

    void check_bundle(const fs::path& file) {
        const auto kind = file.parent_path().filename();
        const auto bundle = oms::parse_bundle(test::content_of(file), file.filename().string());
        if (kind == "invalid") {
            EXPECT_FALSE(bundle.ok()) << file;
            return;
        }
        ASSERT_TRUE(bundle.ok()) << bundle.error().message;
        EXPECT_EQ(oms::parse_statement(bundle->payload, "s").ok(), kind == "valid") << file;
    }

    fs::path reference = test::oms_folder() / "model-transparency";
};

TEST_F(Samples, AreAllCovered) {
    std::map<std::string, std::size_t> seen;
    for (const auto& entry : fs::recursive_directory_iterator(test::oms_folder())) {
        if (entry.is_directory()) continue;
        const auto path = entry.path().lexically_relative(test::oms_folder()).generic_string();
        const auto in = [&](const char* folder) { return path.starts_with(folder); };
        std::string kind = "others";
        if (path.ends_with("/model.sig")) {
            kind = "signatures";
            check_signature(entry.path());
        } else if (in("spec/v1.0/")) {
            kind = "bundles";
            check_bundle(entry.path());
        } else if (in("model-transparency/payload_goldens/")) {
            kind = "statements";
            check_statement(entry.path());
        } else if (in("model-transparency/serialization_goldens/")) {
            kind = "lists";
            check_list(entry.path());
        } else if (in("model-transparency/historical/") || in("model-transparency/golden_models/")) {
            kind = "model files";  // of the signatures and statements above
        } else if (in("model-transparency/keys/") || path == "trusted_root.json") {
            kind = "keys";
        } else if (in("spec/schemas/")) {
            kind = "schemas";  // reference_reader.py holds our signatures against them
        } else {
            EXPECT_THAT(path, HasSubstr("LICENSE")) << "a sample that nothing reads";
        }
        ++seen[kind];
    }
    EXPECT_EQ(seen["signatures"], 13u);
    EXPECT_EQ(seen["bundles"], 8u);
    EXPECT_EQ(seen["statements"], 21u);
    EXPECT_EQ(seen["lists"], 21u);
    EXPECT_EQ(seen["schemas"], 4u);
}

}  // namespace
}  // namespace modelseal
