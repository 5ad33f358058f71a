
#include "model/output.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include <fmt/format.h>

#include "io/file.h"
#include "io/new_folder.h"
#include "io/staging.h"
#include "io/threads.h"
#include "model/elements.h"
#include "model/frame.h"
#include "util/text.h"

namespace modelseal::model {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPieceBytes = 1u << 20;

class OutputSource final : public Source {
  public:
    OutputSource(io::AtomicFile file, std::string name, std::uint64_t size)
        : file_(std::move(file)), name_(std::move(name)), size_(size) {}
    const std::string& name() const override { return name_; }
    std::uint64_t size() const override { return size_; }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        return file_.read(offset, out);
    }
    io::AtomicFile& file() { return file_; }

  private:
    io::AtomicFile file_;
    std::string name_;
    std::uint64_t size_;
};

// Bytes [begin, end).
Result<void> copy_bytes(const Source& from, io::AtomicFile& to, std::uint64_t begin, std::uint64_t end,
                        unsigned jobs, Progress& progress) {
    const auto pieces = (end - begin + kPieceBytes - 1) / kPieceBytes;
    std::vector<std::vector<std::byte>> buffers(jobs);
    return io::parallel_for(pieces, jobs, [&](std::size_t piece, unsigned worker) -> Result<void> {
        auto& buffer = buffers[worker];
        const auto offset = begin + piece * kPieceBytes;
        buffer.resize(std::min(kPieceBytes, end - offset));
        MODELSEAL_TRY(from.read(offset, buffer));
        MODELSEAL_TRY(to.write(offset, buffer));
        progress.advance(buffer.size());
        return {};
    });
}

std::uint32_t mode_of(const Source& source) {
    const auto* file = dynamic_cast<const io::FileSource*>(&source);
    return file != nullptr ? file->mode() & 0777 : 0644;
}

std::string shown(const fs::path& path) {
    return util::printable(path.string());
}

Result<void> refuse_overwriting(const Model& model, const fs::path& path) {
    for (const auto& file : model.files) {
        const auto* source = dynamic_cast<const io::FileSource*>(file.source.get());
        if (source != nullptr && source->same_file(path)) {
            return Error{ErrorKind::usage, fmt::format("{}: output and input are the same file", shown(path)),
                         "give another path for the output; the original stays as it is",
                         Remedy::choose_output};
        }
    }
    if (!model.folder) return {};
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
        return Error{ErrorKind::unreadable, fmt::format("{}: already exists", shown(path)),
                     "a sealed folder is written completely or not at all; give a new path for the output",
                     Remedy::choose_output};
    }
    const auto inside =
        fs::weakly_canonical(path, ignored).lexically_relative(fs::weakly_canonical(model.path, ignored));
    if (!inside.empty() && *inside.begin() != "..") {
        return Error{
            ErrorKind::usage, fmt::format("{}: the output is inside the folder to seal", shown(path)), {}};
    }
    return {};
}

class Borrowed final : public Source {
  public:
    explicit Borrowed(const Source& source) : source_(source) {}
    const std::string& name() const override { return source_.name(); }
    std::uint64_t size() const override { return source_.size(); }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        return source_.read(offset, out);
    }

  private:
    const Source& source_;
};

}  // namespace

struct ModelOutput::State {
    const Model* model = nullptr;
    fs::path path;
    std::vector<std::unique_ptr<OutputSource>> files;
    std::vector<fs::path> made;  // removed in reverse order unless all went well
    std::mutex varints;

    ~State() {
        files.clear();
        std::error_code ignored;
        for (auto path_made = made.rbegin(); path_made != made.rend(); ++path_made) {
            fs::remove(*path_made, ignored);
        }
    }

    fs::path target_of(const ModelFile& file) const {
        if (model->folder) return path / file.path;
        return file.path.empty() ? path : path.parent_path() / file.path;
    }

    // The folders on the way to `target`.
    Result<void> make_folders(const fs::path& target) {
        std::error_code code;
        std::vector<fs::path> missing;
        for (auto folder = target.parent_path(); !folder.empty() && !fs::exists(folder, code);
             folder = folder.parent_path()) {
            missing.push_back(folder);
        }
        for (auto folder = missing.rbegin(); folder != missing.rend(); ++folder) {
            if (!fs::create_directory(*folder, code)) {
                return io::os_error(code ? code.value() : EEXIST, folder->string(), "create");
            }
            made.push_back(*folder);
        }
        return {};
    }

    // All is on the disk before the folder is begun, so that a process that is killed hardly ever leaves one.
    Result<void> commit_folder() {
        for (const auto& file : files) MODELSEAL_TRY(file->file().sync());
        std::error_code code;
        const auto given = fs::status(model->path, code).permissions() & fs::perms::all;
        if (code) return io::os_error(code.value(), model->path.string(), "read");
        MODELSEAL_TRY_ASSIGN(auto folder, io::NewFolder::create(path, static_cast<std::uint32_t>(given)));
        for (std::size_t i = 0; i < files.size(); ++i) {
            const auto target = folder.inside() / model->files[i].path;
            fs::create_directories(target.parent_path(), code);
            if (code) return io::os_error(code.value(), target_of(model->files[i]).string(), "create");
            MODELSEAL_TRY(files[i]->file().commit(target));
        }
        return folder.commit();
    }

    Result<io::AtomicFile> create(const ModelFile& file) {
        const auto target = target_of(file);
        const auto mode = mode_of(*file.source);
        if (file.path.empty()) return io::AtomicFile::create(target, mode, io::WriteMode::replace);
        if (model->folder) {
            return io::AtomicFile::create(target, mode, io::WriteMode::exclusive, io::Unseen::nameless,
                                          io::folder_of(path));
        }
        std::error_code ignored;
        if (fs::exists(fs::symlink_status(target, ignored))) {
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: already exists, and the output needs this file for external data",
                                     shown(target)),
                         "give a path in another folder for the output", Remedy::choose_output};
        }
        MODELSEAL_TRY(make_folders(target));
        return io::AtomicFile::create(target, mode, io::WriteMode::exclusive);
    }
};

ModelOutput::ModelOutput(std::unique_ptr<State> state) : state_(std::move(state)) {}
ModelOutput::ModelOutput(ModelOutput&&) noexcept = default;
ModelOutput::~ModelOutput() = default;

Result<ModelOutput> ModelOutput::copy(const Model& model, const fs::path& wanted, unsigned jobs,
                                      Progress& progress) {
    if (jobs == 0) jobs = io::default_jobs();
    MODELSEAL_TRY_ASSIGN(auto output, reserve(model, wanted));
    for (std::size_t i = 0; i < model.files.size(); ++i) {
        const auto& source = *model.files[i].source;
        MODELSEAL_TRY(copy_bytes(source, output.state_->files[i]->file(), 0, source.size(), jobs, progress));
    }
    return output;
}

Result<void> ModelOutput::copy_rest(unsigned jobs) {
    if (jobs == 0) jobs = io::default_jobs();
    const auto& model = *state_->model;
    std::vector<std::vector<Range>> written(model.files.size());
    for (const auto& tensor : model.tensors) {
        if (!in_one_piece(tensor)) continue;
        const auto& segment = tensor.segments.front();
        std::uint64_t bytes = 0;
        storage_bytes(tensor.dtype, tensor.elements, bytes);
        written[segment.file].push_back({segment.offset, bytes});
    }
    for (std::size_t i = 0; i < model.files.size(); ++i) {
        std::ranges::sort(written[i], {}, &Range::offset);
        const auto& source = *model.files[i].source;
        auto& to = state_->files[i]->file();
        std::uint64_t done = 0;
        for (const auto& range : written[i]) {
            if (range.offset > done)
                MODELSEAL_TRY(copy_bytes(source, to, done, range.offset, jobs, no_progress()));
            done = std::max(done, range.offset + range.bytes);
        }
        MODELSEAL_TRY(copy_bytes(source, to, done, source.size(), jobs, no_progress()));
    }
    return {};
}

Result<ModelOutput> ModelOutput::reserve(const Model& model, const fs::path& wanted) {
    const auto path = wanted.has_filename() ? wanted : wanted.parent_path();  // "sealed/" is "sealed"
    MODELSEAL_TRY(refuse_overwriting(model, path));
    auto state = std::make_unique<State>();
    state->model = &model;
    state->path = path;
    for (const auto& file : model.files) {
        MODELSEAL_TRY_ASSIGN(auto to, state->create(file));
        MODELSEAL_TRY(to.reserve(file.source->size()));
        state->files.push_back(
            std::make_unique<OutputSource>(std::move(to), shown(state->target_of(file)), file.source->size()));
    }
    return ModelOutput(std::move(state));
}

Model ModelOutput::as_model() const {
    const auto& original = *state_->model;
    Model model{.path = original.path,
                .folder = original.folder,
                .rule = original.rule,
                .limits = original.limits,
                .format = original.format};
    model.tensors = original.tensors;
    for (std::size_t i = 0; i < original.files.size(); ++i) {
        model.files.push_back(
            {original.files[i].path, std::make_unique<Borrowed>(file(i)), original.files[i].checksums});
    }
    return model;
}

const Source& ModelOutput::file(std::size_t index) const {
    return *state_->files[index];
}

Result<void> ModelOutput::write(std::size_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
    return state_->files[file]->file().write(offset, bytes);
}

namespace {

// Sets the lowest seven bits of each requested varint to those of its element, or of its pair, which never changes its
// length.
Result<void> patch_varints(const ElementRun& run, const DTypeInfo& type, std::span<const std::byte> elements,
                           std::span<std::byte> segment) {
    const auto skip = run.skip / type.group_elements;
    const auto groups = (run.elements + type.group_elements - 1) / type.group_elements;
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < skip + groups && at < segment.size(); ++i) {
        if (i >= skip) {
            const auto low = elements[(i - skip) * type.group_bytes] & std::byte{0x7F};
            segment[at] = (segment[at] & std::byte{0x80}) | low;
        }
        while (at < segment.size() && (segment[at] & std::byte{0x80}) != std::byte{0}) ++at;
        ++at;
    }
    return {};
}

}  // namespace

Result<void> ModelOutput::write_elements(const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                                         std::span<const std::byte> bytes) {
    const auto& type = info(tensor.dtype);
    const auto write_run = [&](const ElementRun& run) -> Result<void> {
        const auto& where = run.where;
        const auto from = (run.first - first) / type.group_elements * type.group_bytes;
        if (where.encoding == Encoding::varint) {
            const std::scoped_lock one_at_a_time(state_->varints);  // neighbors may share the segment
            std::vector<std::byte> segment(where.bytes);
            MODELSEAL_TRY(file(where.file).read(where.offset, segment));
            MODELSEAL_TRY(patch_varints(run, type, bytes.subspan(from), segment));
            return write(where.file, where.offset, segment);
        }
        if (where.stride == 0 || where.stride == type.group_bytes)
            return write(where.file, where.offset, bytes.subspan(from, where.bytes));
        for (std::uint64_t i = 0; i < run.elements; ++i) {
            MODELSEAL_TRY(write(where.file, where.offset + i * where.stride,
                                bytes.subspan(from + i * type.group_bytes, type.group_bytes)));
        }
        return {};
    };
    return for_each_run(tensor, first, count, write_run);
}

Result<void> ModelOutput::commit() {
    if (state_->model->folder) return state_->commit_folder();
    // The files that the first one refers to appear before it.
    for (auto i = state_->files.size(); i-- > 0;) {
        const auto& file = state_->model->files[i];
        MODELSEAL_TRY(state_->files[i]->file().commit());
        if (!file.path.empty()) state_->made.push_back(state_->target_of(file));
    }
    state_->made.clear();
    return {};
}

}  // namespace modelseal::model
