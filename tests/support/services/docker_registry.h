// The registry of Debian's package docker-registry, on this machine, for as long as a test needs.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "hook/oci/registry.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/background.h"

namespace modelseal::test {

class DockerRegistry {
  public:
    // Sends notifications to `notify` ("http://127.0.0.1:1/notifications"), with `authorization`; empty: to nobody.
    explicit DockerRegistry(const std::string& notify, const std::string& authorization = {});

    std::string url() const;
    std::string host() const;  // "127.0.0.1:5000"
    // A client of it that is allowed everything.
    hook::Registry client() const;

  private:
    Scratch folder_;
    unsigned port_;
    std::unique_ptr<Background> process_;
};

struct PushedFile {
    std::string title, bytes;
    std::string media_type = "application/octet-stream";
    bool path_of_modelpack = false;  // the title is ModelPack's
};

// Pushes files as ORAS does, each a layer, and returns the digest of the manifest. Throws on an error.
std::string push_files(hook::Registry& registry, const std::string& repository, const std::string& tag,
                       const std::vector<PushedFile>& files);

}  // namespace modelseal::test

#define MODELSEAL_NEED_DOCKER_REGISTRY() \
    if (!modelseal::test::installed("docker-registry")) GTEST_SKIP() << "docker-registry is not installed"
