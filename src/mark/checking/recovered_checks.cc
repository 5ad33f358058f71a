#include "mark/checking/recovered_checks.h"

#include <algorithm>

#include "formats/bytes.h"

namespace modelseal::mark {
namespace {

bool can_have(const Tensor& tensor, Grid grid) {
    return std::ranges::count(grids_of(Version::two, tensor.dtype), grid) != 0;
}

}  // namespace

bool same_tensors(const BlockMap& block_map, const SignedPart& part) {
    if (part.tensors != block_map.tensors().size()) return false;
    const auto directory = decode_directory(part.directory, part.tensors);
    if (!directory) return part.directory.empty();
    return std::ranges::equal(*directory, block_map.tensors(),
                              [&](const DirectoryEntry& entry, const Tensor& tensor) {
                                  const bool named = part.version == Version::two || entry.name == tensor.name;
                                  return named && same_kind(entry, tensor);
                              });
}

std::optional<CellUse> stated_use(const model::Model& model, const CellMap& cells, const Manifest& manifest) {
    const auto& use = manifest.signed_part.use;
    const bool fits = (use.carrying.empty() || use.carrying.size() == cells.positions().size()) &&
                      (use.grids.empty() || std::ranges::equal(model.tensors, use.grids, can_have)) &&
                      manifest.signed_part.tensors == model.tensors.size();
    return fits ? std::optional(use) : std::nullopt;
}

void recover_common_table(const BlockMap& block_map, const Manifest& manifest, bool same,
                          SealedChecks& checks) {
    const auto& part = manifest.signed_part;
    const auto directory = same ? std::nullopt : decode_directory(part.directory, part.tensors);
    if (!same && !directory) return;
    std::size_t next = 0;
    for (std::size_t sealed = 0; sealed < part.in_common_table.size(); ++sealed) {
        if (!part.in_common_table[sealed]) continue;
        std::optional<std::size_t> here = sealed;
        std::uint64_t blocks = 0;
        if (same) {
            blocks = block_map.blocks(sealed);
        } else {
            const auto& entry = (*directory)[sealed];
            std::uint64_t elements = 1;
            for (const auto extent : entry.shape) elements *= extent;
            blocks = (elements + block_map.block_elements() - 1) / block_map.block_elements();
            const auto found = std::ranges::lower_bound(block_map.tensors(), entry.name, {}, &Tensor::name);
            const bool there =
                found != block_map.tensors().end() && found->name == entry.name && same_kind(entry, *found);
            here = there ? std::optional<std::size_t>(found - block_map.tensors().begin()) : std::nullopt;
        }
        // The common table is not signed: it may be shorter than the bitmap and the directory say.
        if (blocks > manifest.common.size() - next) return;
        for (std::uint64_t block = 0; here && block < std::min(blocks, block_map.blocks(*here)); ++block) {
            checks.set(block_map.first_block(*here) + block, manifest.common[next + block]);
        }
        next += blocks;
    }
}

void recover_own_table(const BlockMap& block_map, const CellMap& cells, std::size_t cell,
                       const CellContent& content, SealedChecks& checks) {
    const auto tensor = cells.positions()[cell].tensor;
    for (const auto& own : content.own) {
        formats::ByteReader values(own.values);
        for (std::uint64_t block = own.first_block; values.left() > 0 && block < block_map.blocks(tensor);
             ++block) {
            checks.set(block_map.first_block(tensor) + block, read_check(values, cells.version()));
        }
    }
}

}  // namespace modelseal::mark
