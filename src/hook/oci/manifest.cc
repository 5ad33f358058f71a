#include "hook/oci/manifest.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hook/oci/json_fields.h"
#include "hook/oci/names.h"
#include "util/checked.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

using nlohmann::json;

Error not_a_manifest(std::string_view what) {
    return util::malformed("manifest", what);
}

// ModelPack (https://github.com/modelpack/model-spec) and KitOps state in the media type how a layer is packed.
bool states_its_form(std::string_view media_type) {
    return media_type.starts_with("application/vnd.cncf.model.") ||
           media_type.starts_with("application/vnd.kitops.modelkit.");
}

Layer::Form packed_form(std::string_view media_type) {
    using enum Layer::Form;
    if (media_type.ends_with("zstd")) return zstd;
    if (media_type.ends_with("tar+gzip") || media_type.ends_with("tar.gzip") || media_type.ends_with("tar+gz"))
        return tar_gzip;
    return media_type.ends_with(".tar") ? tar : raw;
}

// ORAS writes files as they are, under any media type, that of a tar included (its default of long ago), and names them; only
// folders are packed, and marked.
Layer::Form form_of(std::string_view media_type, const std::string& title, const json& annotations) {
    if (states_its_form(media_type)) return packed_form(media_type);
    if (text_field(annotations, "io.deis.oras.content.unpack") == "true") {
        const auto form = packed_form(media_type);
        return form == Layer::Form::raw ? Layer::Form::tar_gzip : form;
    }
    return title.empty() ? packed_form(media_type) : Layer::Form::raw;
}

Result<Layer> layer_of(const json& descriptor) {
    if (!descriptor.is_object()) return not_a_manifest("a layer that is not an object");
    Layer layer{.media_type = text_field(descriptor, "mediaType"), .digest = text_field(descriptor, "digest")};
    if (!is_digest(layer.digest)) {
        return not_a_manifest(
            fmt::format("a layer with the digest '{}', which is not one of SHA-256 or SHA-512",
                        util::printable(layer.digest.substr(0, 100))));
    }
    const auto size = descriptor.find("size");
    if (size == descriptor.end() || !size->is_number_unsigned())
        return not_a_manifest("a layer without a size");
    layer.size = size->get<std::uint64_t>();
    const auto annotations = descriptor.value("annotations", json::object());
    layer.title = text_field(annotations, "org.opencontainers.image.title");
    // Which one becomes the file differs between programs.
    const auto path = text_field(annotations, "org.cncf.model.filepath");
    if (!layer.title.empty() && !path.empty() && layer.title != path)
        return not_a_manifest("a layer with two names");
    if (layer.title.empty()) layer.title = path;
    layer.form = form_of(layer.media_type, layer.title, annotations);
    return layer;
}

bool is_image_layer(const Layer& layer) {
    return layer.title.empty() && (layer.media_type.starts_with("application/vnd.oci.image.layer.") ||
                                   layer.media_type.starts_with("application/vnd.docker.image.rootfs."));
}

bool is_image_config(std::string_view media_type) {
    return media_type == "application/vnd.oci.image.config.v1+json" ||
           media_type == "application/vnd.docker.container.image.v1+json";
}

Result<Manifest> index_of(const json& children, Manifest manifest) {
    manifest.kind = Manifest::Kind::index;
    if (!children.is_array() || children.size() > kMostChildren)
        return not_a_manifest("the list of manifests is none, or has more than 1,000");
    for (const auto& child : children) {
        auto digest = text_field(child, "digest");
        if (!is_digest(digest)) return not_a_manifest("an entry without a digest of SHA-256 or SHA-512");
        manifest.children.push_back(std::move(digest));
    }
    return manifest;
}

Result<void> add_layers(const json& layers, Manifest& manifest) {
    if (!layers.is_array() || layers.size() > kMostLayers)
        return not_a_manifest("the list of layers is none, or has more than 10,000");
    for (const auto& descriptor : layers) {
        MODELSEAL_TRY_ASSIGN(auto layer, layer_of(descriptor));
        if (!util::checked_add(manifest.layer_bytes, layer.size, manifest.layer_bytes))
            return not_a_manifest("layers of impossible size");
        manifest.blobs.push_back(layer.digest);
        manifest.layers.push_back(std::move(layer));
    }
    return {};
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text, std::string_view media_type) {
    if (text.size() > kMostManifestBytes) return not_a_manifest("more than 4 MiB");
    MODELSEAL_TRY_ASSIGN(const auto object, parse_json_object(text, "manifest"));
    Manifest manifest{.media_type = text_field(object, "mediaType")};
    if (manifest.media_type.empty()) manifest.media_type = media_type;
    if (!media_type.empty() && manifest.media_type != media_type)
        return not_a_manifest("states another media type than the registry");
    if (object.contains("fsLayers")) {
        return Error{ErrorKind::unsupported,
                     "manifest: of Docker's first schema, which has no digests of files",
                     "push it again with a newer program"};
    }
    const bool layers = object.contains("layers"), blobs = object.contains("blobs"),
               index = object.contains("manifests");
    if (layers + blobs + index != 1)
        return not_a_manifest("must have layers or a list of manifests, and not both");
    if (index) return index_of(object["manifests"], std::move(manifest));
    MODELSEAL_TRY(add_layers(layers ? object["layers"] : object["blobs"], manifest));
    const auto config = object.find("config");
    std::string config_type;
    if (config != object.end()) {
        MODELSEAL_TRY_ASSIGN(auto configuration, layer_of(*config));
        config_type = configuration.media_type;
        manifest.blobs.push_back(configuration.digest);
        // ORAS writes it to a file then.
        if (!configuration.title.empty()) {
            if (!util::checked_add(manifest.layer_bytes, configuration.size, manifest.layer_bytes))
                return not_a_manifest("layers of impossible size");
            manifest.layers.push_back(std::move(configuration));
        }
    }
    if (is_image_config(config_type) && std::ranges::all_of(manifest.layers, is_image_layer))
        manifest.kind = Manifest::Kind::image;
    return manifest;
}

}  // namespace modelseal::hook
