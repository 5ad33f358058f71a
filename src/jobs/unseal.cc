#include <fmt/format.h>

#include "io/threads.h"
#include "jobs/receipt.h"
#include "mark/checking/evidence.h"
#include "model/output.h"
#include "util/text.h"
#include <modelseal/progress.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;

Result<void> restore_cells(const model::Model& model, const mark::Evidence& evidence,
                           const jobs::Receipt& receipt, unsigned jobs, model::ModelOutput& output) {
    const auto& block_map = *evidence.scan.block_map;
    const auto restore = [&](std::size_t i, unsigned) -> Result<void> {
        const auto& entry = receipt.cells[i];
        const auto wrong = [&] {
            return Error{ErrorKind::mismatch,
                         fmt::format("{}: the receipt lists a cell that the model does not have",
                                     util::printable(model.path.string())),
                         {}};
        };
        const auto& cells = evidence.scan.cells;
        if (entry.tensor >= model.tensors.size() || !cells.find(entry.tensor, entry.block)) return wrong();
        std::vector<std::byte> block;
        MODELSEAL_TRY(mark::read_block(model, block_map, entry.tensor, entry.block, block));
        const auto& tensor = model.tensors[entry.tensor];
        const mark::Cell cell(cells.keys(entry.tensor),
                              {cells.version(), tensor.dtype, cells.grid(entry.tensor)}, entry.block, block);
        if (cell.capacity() == 0 || cell.carrier_bytes() != entry.bits.size()) return wrong();
        return output.write_elements(tensor, entry.block * block_map.block_elements(),
                                     block_map.elements_in(entry.tensor, entry.block),
                                     cell.restore(entry.bits));
    };
    return io::parallel_for(receipt.cells.size(), jobs, restore);
}

}  // namespace

Result<void> unseal_model(const fs::path& sealed, const fs::path& receipt_path, const fs::path& out,
                          const UnsealOptions& options) {
    auto& progress = options.progress != nullptr ? *options.progress : no_progress();
    MODELSEAL_TRY_ASSIGN(const auto receipt, jobs::load_receipt(receipt_path));
    MODELSEAL_TRY_ASSIGN(const auto given, model::open_model(sealed, options.limits));
    progress.total(2 * given.bytes());  // checked, copied
    MODELSEAL_TRY_ASSIGN(const auto evidence,
                         mark::gather(given, receipt.check, {.jobs = options.jobs}, progress));
    if (!evidence || !evidence->recovered.manifest ||
        mark::root(*evidence->recovered.manifest) != receipt.root) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: not the sealed model of this receipt", util::printable(sealed.string())),
                     "each seal has a receipt of its own"};
    }
    if (!evidence->intact()) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: changed since it was sealed, so the original cannot be restored",
                                 util::printable(sealed.string())),
                     "check the seal to see what changed", Remedy::check_seal};
    }
    const auto& model = evidence->model(given);
    MODELSEAL_TRY_ASSIGN(auto output, model::ModelOutput::copy(model, out, options.jobs, progress));
    MODELSEAL_TRY(restore_cells(model, *evidence, receipt, options.jobs, output));
    MODELSEAL_TRY(mark::renew_checksums(model, evidence->scan.frame, options.jobs, output));
    MODELSEAL_TRY(given.unchanged());
    return output.commit();
}

}  // namespace modelseal
