#include "tests/support/services/docker_registry.h"

#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hook/oci/names.h"

namespace modelseal::test {

using nlohmann::json;

DockerRegistry::DockerRegistry(const std::string& notify, const std::string& authorization)
    : port_(free_port()) {
    auto config = fmt::format(R"(version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {}}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{}"}}
)",
                              (folder_ / "data").string(), port_);
    if (!notify.empty()) {
        config += fmt::format(R"(notifications:
  endpoints:
    - name: modelseal
      url: {}
      headers: {{Authorization: ["{}"]}}
      timeout: 5s
      threshold: 3
      backoff: 100ms
)",
                              notify, authorization);
    }
    const auto file = folder_.write("config.yml", config);
    process_ = std::make_unique<Background>(std::vector<std::string>{"docker-registry", "serve", file},
                                            folder_ / "log");
    auto asked = http::Client::open({.retries = 0}).value();
    for (int i = 0; i < 300; ++i) {
        const auto answer = asked.send({.url = http::Url::parse(url() + "/v2/").value()});
        if (answer.ok() && answer->status == 200) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("docker-registry does not start: " + content_of(folder_ / "log"));
}

std::string DockerRegistry::host() const {
    return fmt::format("127.0.0.1:{}", port_);
}

std::string DockerRegistry::url() const {
    return "http://" + host();
}

hook::Registry DockerRegistry::client() const {
    return hook::Registry::open(http::Url::parse(url()).value(), {}).value();
}

std::string push_files(hook::Registry& registry, const std::string& repository, const std::string& tag,
                       const std::vector<PushedFile>& files) {
    const auto must = [](const auto& result) {
        if (!result.ok()) throw std::runtime_error(result.error().message);
    };
    const auto descriptor = [&](const std::string& type, const std::string& bytes) {
        must(registry.push_blob(repository, bytes));
        return json{{"mediaType", type},
                    {"digest", hook::digest_of(std::as_bytes(std::span(bytes)))},
                    {"size", bytes.size()}};
    };
    json manifest{{"schemaVersion", 2},
                  {"mediaType", hook::kOciManifest},
                  {"config", descriptor("application/vnd.oci.empty.v1+json", "{}")},
                  {"layers", json::array()}};
    for (const auto& file : files) {
        auto layer = descriptor(file.media_type, file.bytes);
        const auto* key = file.path_of_modelpack ? "org.cncf.model.filepath" : "org.opencontainers.image.title";
        if (!file.title.empty()) layer["annotations"] = {{key, file.title}};
        manifest["layers"].push_back(layer);
    }
    const auto text = manifest.dump();
    must(registry.push_manifest(repository, tag, {text, std::string(hook::kOciManifest)}));
    return hook::digest_of(std::as_bytes(std::span(text)));
}

}  // namespace modelseal::test
