#include "formats/onnx_program_reader.h"

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::formats::onnx {

using protobuf::Field;

Result<void> ProgramReader::hold(std::uint64_t bytes, std::uint64_t offset) {
    const auto cap = walk.limits.metadata_bytes;
    if (cap != 0 && (held > cap || bytes > cap - held)) {
        return malformed_at(walk.input.source, offset, fmt::format("a graph of more than {} bytes", cap));
    }
    held += bytes;
    return {};
}

Result<void> ProgramReader::name(const Field& field, std::string_view what, std::string& text) {
    MODELSEAL_TRY(hold(field.payload.size(), field.tag));
    return walk.read_name(field, what, text);
}

Result<void> ProgramReader::names(const Field& field, std::string_view what, std::vector<std::string>& texts) {
    MODELSEAL_TRY(hold(sizeof(std::string), field.tag));
    std::string text;
    MODELSEAL_TRY(name(field, what, text));
    texts.push_back(std::move(text));
    return {};
}

Result<std::string> ProgramReader::text(const Field& field, std::string_view what) {
    MODELSEAL_TRY(hold(sizeof(std::string), field.tag));
    MODELSEAL_TRY(hold(field.payload.size(), field.tag));
    return protobuf::read_text(walk.input, field, walk.limits.metadata_bytes, what);
}

void normalise_domain(std::string& domain) {
    if (domain == "ai.onnx") domain.clear();
}

Result<void> add_distinct(const ProgramReader& reader, std::set<std::string>& seen, const std::string& name,
                          std::string_view what, std::uint64_t offset) {
    if (seen.insert(name).second) return {};
    return malformed_at(reader.walk.input.source, offset,
                        fmt::format("the {} '{}' comes twice", what, util::printable(name)));
}

}  // namespace modelseal::formats::onnx
