#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hook/oci/manifest.h"

namespace modelseal::hook {
namespace {

using nlohmann::json;
using Form = Layer::Form;
using Kind = Manifest::Kind;

const std::string kLayerDigest = "sha256:" + std::string(64, 'b');

json layer_descriptor(const std::string& type, const json& annotations = json::object()) {
    return {{"mediaType", type}, {"digest", kLayerDigest}, {"size", 10}, {"annotations", annotations}};
}

json manifest_of(const json& layers, const std::string& config = "application/vnd.oci.empty.v1+json") {
    return {{"schemaVersion", 2},
            {"mediaType", kOciManifest},
            {"config", {{"mediaType", config}, {"digest", kLayerDigest}, {"size", 2}}},
            {"layers", layers}};
}

Layer only_layer(const std::string& type, const json& annotations = json::object()) {
    const auto manifest =
        parse_manifest(manifest_of(json::array({layer_descriptor(type, annotations)})).dump(), kOciManifest);
    EXPECT_TRUE(manifest.ok()) << manifest.error().message;
    return manifest->layers.at(0);
}

TEST(OciManifest, OfOrasHasFilesByTheirTitles) {
    const json title{{"org.opencontainers.image.title", "model.onnx"}};
    EXPECT_EQ(only_layer("application/octet-stream", title).form, Form::raw);
    EXPECT_EQ(only_layer("application/octet-stream", title).title, "model.onnx");
    // The default of long ago, for files that are not packed.
    EXPECT_EQ(only_layer("application/vnd.oci.image.layer.v1.tar", title).form, Form::raw);
    const json folder{{"org.opencontainers.image.title", "folder"}, {"io.deis.oras.content.unpack", "true"}};
    EXPECT_EQ(only_layer("application/vnd.oci.image.layer.v1.tar+gzip", folder).form, Form::tar_gzip);
}

TEST(OciManifest, OfModelPackAndKitOpsStatesHowItIsPacked) {
    const json path{{"org.cncf.model.filepath", "a/model.safetensors"}};
    EXPECT_EQ(only_layer("application/vnd.cncf.model.weight.v1.raw", path).form, Form::raw);
    EXPECT_EQ(only_layer("application/vnd.cncf.model.weight.v1.raw", path).title, "a/model.safetensors");
    EXPECT_EQ(only_layer("application/vnd.cncf.model.weight.v1.tar", path).form, Form::tar);
    EXPECT_EQ(only_layer("application/vnd.cncf.model.weight.v1.tar+gzip", path).form, Form::tar_gzip);
    EXPECT_EQ(only_layer("application/vnd.cncf.model.weight.v1.tar+zstd", path).form, Form::zstd);
    EXPECT_EQ(only_layer("application/vnd.kitops.modelkit.model.v1.tar+gzip").form, Form::tar_gzip);
    EXPECT_EQ(only_layer("application/vnd.kitops.modelkit.model.v1.tar").form, Form::tar);
}

TEST(OciManifest, OfAContainerImageIsOneOnlyIfAllOfItIs) {
    const auto image = layer_descriptor("application/vnd.oci.image.layer.v1.tar+gzip");
    const auto named = layer_descriptor("application/vnd.oci.image.layer.v1.tar+gzip",
                                        {{"org.opencontainers.image.title", "model.bin"}});
    const std::string config = "application/vnd.oci.image.config.v1+json";
    EXPECT_EQ(parse_manifest(manifest_of(json::array({image}), config).dump(), kOciManifest)->kind,
              Kind::image);
    EXPECT_EQ(parse_manifest(manifest_of(json::array({image, named}), config).dump(), kOciManifest)->kind,
              Kind::artifact);
    EXPECT_EQ(parse_manifest(manifest_of(json::array({image})).dump(), kOciManifest)->kind, Kind::artifact);
}

TEST(OciManifest, WithANameForItsConfigurationHasThatAsAFile) {
    auto manifest = manifest_of(json::array(), "application/json");
    manifest["config"]["annotations"] = {{"org.opencontainers.image.title", "config.json"}};
    const auto parsed = parse_manifest(manifest.dump(), kOciManifest).value();
    ASSERT_EQ(parsed.layers.size(), 1u);
    EXPECT_EQ(parsed.layers[0].title, "config.json");
    EXPECT_EQ(parsed.layer_bytes, 2u);
}

TEST(OciManifest, OfAnIndexListsManifests) {
    const json index{
        {"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", {{{"digest", kLayerDigest}}}}};
    const auto parsed = parse_manifest(index.dump(), kOciIndex).value();
    EXPECT_EQ(parsed.kind, Kind::index);
    EXPECT_THAT(parsed.children, testing::ElementsAre(kLayerDigest));
}

TEST(OciManifest, WithTwoNamesForALayerIsRefused) {
    json names{{"org.opencontainers.image.title", "a"}, {"org.cncf.model.filepath", "a"}};
    EXPECT_EQ(only_layer("application/octet-stream", names).title, "a");
    names["org.cncf.model.filepath"] = "b";
    const auto manifest = manifest_of(json::array({layer_descriptor("application/octet-stream", names)}));
    EXPECT_FALSE(parse_manifest(manifest.dump(), kOciManifest).ok());
}

TEST(SpoiledOciManifest, IsRefused) {
    std::vector<std::string> spoiled{
        "", "[]", "{}", "{\"layers\": 5}", "{\"layers\": [5]}", "{\"layers\": [], \"layers\": []}"};
    const auto add = [&](json manifest) { spoiled.push_back(manifest.dump()); };
    auto both = manifest_of(json::array());
    both["manifests"] = json::array();
    add(both);
    for (const auto& [key, value] : std::vector<std::pair<const char*, json>>{{"digest", "sha256:x"},
                                                                              {"digest", nullptr},
                                                                              {"size", -1},
                                                                              {"size", "10"},
                                                                              {"size", 1e3},
                                                                              {"size", nullptr}}) {
        auto layer = layer_descriptor("x");
        layer[key] = value;
        add(manifest_of(json::array({layer})));
        auto config = manifest_of(json::array());
        config["config"][key] = value;
        add(config);
    }
    auto huge = layer_descriptor("x");
    huge["size"] = std::uint64_t{1} << 63;
    add(manifest_of(json::array({huge, huge})));
    add(manifest_of(std::vector<json>(10'001, layer_descriptor("x"))));
    add({{"manifests", std::vector<json>(1001, json{{"digest", kLayerDigest}})}});
    add({{"manifests", {{{"digest", "x"}}}}});
    for (const auto& text : spoiled) EXPECT_FALSE(parse_manifest(text, "").ok()) << text.substr(0, 300);
    EXPECT_FALSE(parse_manifest(manifest_of(json::array()).dump(), kOciIndex).ok());
    const auto old = parse_manifest(R"({"schemaVersion": 1, "fsLayers": []})", "");
    ASSERT_FALSE(old.ok());
    EXPECT_EQ(old.error().kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace modelseal::hook
