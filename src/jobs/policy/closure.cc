#include "jobs/policy/closure.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "formats/json.h"
#include "io/folder.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

constexpr std::uint64_t kMostConfigBytes = 16u << 20;
constexpr std::uint32_t kDeepestConfig = 64;
constexpr std::array<std::string_view, 8> kConfigNames = {"config.json",
                                                          "adapter_config.json",
                                                          "tokenizer_config.json",
                                                          "processor_config.json",
                                                          "preprocessor_config.json",
                                                          "generation_config.json",
                                                          "model_index.json",
                                                          "modules.json"};

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}
std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

// Finds the references of one file.
class Finder {
  public:
    Finder(const std::set<std::string>& files, const std::string& file, std::vector<policy::Reference>& out)
        : files_(files), file_(file), folder_(folder_of(file)), out_(out) {}

    void find(const nlohmann::json& document) {
        walk(document, {});
        const auto name = base_name(file_);
        if (name == "model_index.json") pipeline(document);
        if (name == "modules.json") modules(document);
    }

  private:
    void walk(const nlohmann::json& value, const std::string& at) {
        if (value.is_array()) {
            for (const auto& entry : value) walk(entry, at);
        }
        if (!value.is_object()) return;
        for (const auto& [key, member] : value.items()) {
            const auto here = at.empty() ? key : at + "." + key;
            if (key == "auto_map" || key == "custom_pipelines") {
                classes(member, here);
            } else if (key == "base_model_name_or_path") {
                base_model(member, here);
            } else {
                walk(member, here);
            }
        }
    }

    // "modeling_x.Class" in this folder, "org/repo--modeling_x.Class" in another repository; in lists and objects of any
    // depth.
    void classes(const nlohmann::json& value, const std::string& at) {
        if (value.is_string()) code(value.get<std::string>(), at);
        if (value.is_array()) {
            for (const auto& entry : value) classes(entry, at);
        }
        if (!value.is_object()) return;
        for (const auto& [key, member] : value.items()) {
            // Of a custom pipeline, only "impl" names code.
            const bool names = !value.contains("impl") || key == "impl";
            if (names) classes(member, at + "." + key);
        }
    }

    void code(const std::string& name, const std::string& at) {
        auto module = name.substr(0, name.rfind('.'));
        std::ranges::replace(module, '.', '/');
        add("remote code", name, at, name.find("--") == std::string::npos && holds(module + ".py"));
    }

    void base_model(const nlohmann::json& value, const std::string& at) {
        if (!value.is_string() || value.get_ref<const std::string&>().empty()) return;
        const auto name = value.get<std::string>();
        add("base model", name, at, holds(name) || holds_folder(name));
    }

    // Of Diffusers: ["file", "Class"].
    void pipeline(const nlohmann::json& document) {
        if (!document.is_object() || !document.contains("_class_name")) return;
        const auto& name = document["_class_name"];
        if (!name.is_array() || name.empty() || !name[0].is_string()) return;
        const auto file = name[0].get<std::string>();
        add("remote code", file, "_class_name", holds(file + ".py"));
    }

    // Of Sentence Transformers: a list of {"type": "package.Class"}.
    void modules(const nlohmann::json& document) {
        if (!document.is_array()) return;
        for (const auto& entry : document) {
            if (!entry.is_object() || !entry.contains("type") || !entry["type"].is_string()) continue;
            const auto type = entry["type"].get<std::string>();
            if (!type.starts_with("sentence_transformers.")) code(type, "type");
        }
    }

    bool holds(const std::string& path) const { return !io::way_out(path) && files_.contains(folder_ + path); }
    bool holds_folder(const std::string& path) const {
        if (io::way_out(path)) return false;
        const auto prefix = folder_ + path + (path.ends_with('/') ? "" : "/");
        const auto first = files_.lower_bound(prefix);
        return first != files_.end() && first->starts_with(prefix);
    }

    void add(const char* what, const std::string& name, const std::string& at, bool inside) {
        out_.push_back({.what = what,
                        .name = util::printable(name),
                        .named_by = util::printable(fmt::format("{}: {}", file_, at)),
                        .inside = inside});
    }

    const std::set<std::string>& files_;
    const std::string& file_;
    const std::string folder_;
    std::vector<policy::Reference>& out_;
};

}  // namespace

bool is_configuration(std::string_view file_name) {
    return std::ranges::find(kConfigNames, file_name) != kConfigNames.end();
}

Result<std::vector<policy::Reference>> references_of(const model::Model& model) {
    std::vector<policy::Reference> out;
    if (!model.folder) return out;
    std::set<std::string> files;
    for (const auto& file : model.files) files.insert(file.path);
    for (const auto& file : model.files) {
        if (!is_configuration(base_name(file.path))) continue;
        const auto& source = *file.source;
        if (source.size() > kMostConfigBytes) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: {}, of a configuration at most {} are read", source.name(),
                                     util::counted(source.size(), "byte"), util::grouped(kMostConfigBytes)),
                         {}};
        }
        std::string text(static_cast<std::size_t>(source.size()), '\0');
        MODELSEAL_TRY(source.read(0, std::as_writable_bytes(std::span(text))));
        MODELSEAL_TRY_ASSIGN(const auto document,
                             formats::parse_json(source, 0, text, "the configuration", kDeepestConfig));
        Finder(files, file.path, out).find(document);
    }
    return out;
}

std::vector<std::filesystem::path> adapters_beside(const std::filesystem::path& model) {
    std::vector<std::filesystem::path> out;
    std::error_code ignored;
    if (std::filesystem::is_directory(model, ignored)) return out;
    for (const auto name : kAdapterNames) {
        auto path = model.parent_path() / name;
        if (model.filename() != name && std::filesystem::exists(path, ignored)) out.push_back(std::move(path));
    }
    return out;
}

}  // namespace modelseal::jobs
