// Manifests of registries: OCI image manifests and indexes, Docker's, and the former artifact manifests; what ModelPack, KitOps
// and ORAS put into them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::hook {

inline constexpr std::size_t kMostManifestBytes = 4u << 20, kMostLayers = 10'000, kMostChildren = 1000;

inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json",
                                  kOciIndex = "application/vnd.oci.image.index.v1+json";
// Everything that a registry is asked for.
inline constexpr std::string_view kAcceptedManifests =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.oci.artifact.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json";

struct Layer {
    enum class Form { raw, tar, tar_gzip, zstd };  // zstd: not supported
    std::string media_type;
    std::string digest;  // is_digest()
    std::uint64_t size = 0;
    Form form = Form::raw;
    // The file that a raw layer is, as it was written; empty: the layer has no name.
    std::string title;
};

struct Manifest {
    enum class Kind {
        artifact,  // files
        image,     // a container's file system: layers without names
        index,     // a list of other manifests
    };
    Kind kind = Kind::artifact;
    std::string media_type;
    std::vector<Layer> layers;          // with the configuration, if that has a name as a file
    std::vector<std::string> blobs;     // digests of all layers and of the configuration
    std::vector<std::string> children;  // digests of the manifests of an index
    std::uint64_t layer_bytes = 0;      // of all layers together
};

// ErrorKind::malformed for anything else, also for what is an index and a manifest at the same time (CVE-2021-41190);
// unsupported for Docker's first schema. `media_type`: as the registry states it; the manifest must not disagree.
Result<Manifest> parse_manifest(std::string_view text, std::string_view media_type);

}  // namespace modelseal::hook
