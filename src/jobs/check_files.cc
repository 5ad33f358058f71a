#include "jobs/check_files.h"

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <new>
#include <set>
#include <system_error>

#include "io/shared_reads.h"
#include "io/threads.h"
#include "jobs/check_seal.h"
#include "model/model.h"
#include "oms/verify.h"

namespace modelseal::jobs {
namespace {

using Side = io::SharedReads::Side;

// Lends the model's files to two passes, and takes them back.
class Lent {
  public:
    explicit Lent(Model& model) : model_(model) {
        std::set<std::uint32_t> with_tensors;
        for (const auto& tensor : model.tensors) {
            for (const auto& segment : tensor.segments) with_tensors.insert(segment.file);
        }
        for (std::uint32_t i = 0; i < model.files.size(); ++i) {
            auto& file = model.files[i];
            files_.push_back(std::move(file.source));
            file.source = shared.view(*files_.back(), Side::first);
            // A single file has no path, and is the only one whatever it is called.
            if (with_tensors.contains(i)) views_[file.path] = shared.view(*files_.back(), Side::second);
        }
    }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    ~Lent() {
        for (std::size_t i = 0; i < files_.size(); ++i) model_.files[i].source = std::move(files_[i]);
    }

    std::size_t count() const { return views_.size(); }
    const Source* view(const std::string& name) const {
        const auto found = views_.find(model_.folder ? name : std::string());
        return found == views_.end() ? nullptr : found->second.get();
    }

    io::SharedReads shared;

  private:
    Model& model_;
    std::vector<std::unique_ptr<Source>> files_;
    std::map<std::string, std::unique_ptr<Source>> views_;  // for the second side, by path
};

template <class Finding>
void keep(Result<Finding> result, std::optional<Finding>& finding, Result<void>& told) {
    if (result.ok()) {
        finding = std::move(result).value();
    } else {
        told = std::move(result).error();
    }
}

void verify(const std::filesystem::path& path, const VerifyOptions& options, const oms::SharedFiles* shared,
            FilesFinding& found) {
    try {
        keep(oms::verify(path, options, shared), found.signature, found.signature_told);
    } catch (const std::bad_alloc&) {
        found.signature_told =
            Error{ErrorKind::unreadable, path.string() + ": not enough memory to verify its signature", {}};
    }
}

// On another thread, or before all else where the system gives no more of them.
std::future<void> start(io::SharedReads& shared, std::function<void()> pass) {
    auto run = [&shared, pass = std::move(pass)] {
        const io::FinishesSide finishes(shared, Side::second);
        pass();
    };
    try {
        return std::async(std::launch::async, run);
    } catch (const std::system_error&) {
        shared.finish(Side::first);
        run();
        return {};
    }
}

// Each pass has threads of its own: hashing a file is a chain, so it takes one a file and no more than half.
FilesFinding check_both(const std::filesystem::path& path, Model& model, const CheckOptions& options,
                        VerifyOptions signature) {
    FilesFinding found;
    Lent lent(model);
    const auto jobs = options.jobs == 0 ? io::default_jobs() : options.jobs;
    const auto hashing =
        static_cast<unsigned>(std::clamp<std::size_t>(lent.count(), 1, std::max(1u, jobs / 2)));
    const oms::SharedFiles files{.view = [&](const std::string& name) { return lent.view(name); },
                                 .at_once = hashing};
    signature.jobs = hashing;
    signature.progress = nullptr;
    {
        const auto verified = start(lent.shared, [&] { verify(path, signature, &files, found); });
        const io::FinishesSide finishes(lent.shared, Side::first);
        const mark::Pass pass{.jobs = std::max(1u, jobs - hashing), .files_at_once = hashing};
        keep(check_seal(model, options, pass), found.seal, found.seal_told);
    }  // both are done
    return found;
}

FilesFinding signature_only(const std::filesystem::path& path, const CheckOptions& options,
                            VerifyOptions signature) {
    signature.jobs = options.jobs;
    signature.progress = options.progress;
    FilesFinding found;
    verify(path, signature, nullptr, found);
    return found;
}

}  // namespace

FilesFinding check_files(const std::filesystem::path& path, const CheckOptions& options,
                         const std::optional<VerifyOptions>& signature) {
    if (signature && options.keys.empty()) return signature_only(path, options, *signature);
    auto model = open_model(path, options.limits);
    if (!model) {
        // Files that are no model can be signed all the same.
        auto found = signature ? signature_only(path, options, *signature) : FilesFinding{};
        found.seal_told = model.error();
        return found;
    }
    FilesFinding found;
    if (signature) {
        found = check_both(path, *model, options, *signature);
    } else {
        keep(check_seal(*model, options, {.jobs = options.jobs}), found.seal, found.seal_told);
    }
    if (auto same = model->unchanged(); found.seal && !same) {
        found.seal.reset();
        found.seal_told = std::move(same);
    }
    return found;
}

}  // namespace modelseal::jobs
