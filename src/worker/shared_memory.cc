
#include "worker/shared_memory.h"

#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

namespace modelseal::worker {
namespace {

constexpr std::size_t kMostFloats = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float);

Error no_memory() {
    return io::os_error(errno, "shared memory", "reserve memory for the network's inputs and outputs");
}

}  // namespace

Result<SharedMemory> SharedMemory::create(std::size_t floats) {
    if (floats > kMostFloats)
        return Error{ErrorKind::unsupported, "the network's inputs and outputs do not fit in memory", {}};
    Descriptor descriptor(::memfd_create("modelseal", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (descriptor.get() < 0) return no_memory();
    if (::ftruncate(descriptor.get(), static_cast<off_t>(floats * sizeof(float))) != 0 ||
        ::fcntl(descriptor.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return no_memory();
    }
    return map(std::move(descriptor), floats);
}

Result<SharedMemory> SharedMemory::open(Descriptor descriptor, std::size_t floats) {
    struct stat status {};
    if (floats > kMostFloats || ::fstat(descriptor.get(), &status) != 0 ||
        status.st_size != static_cast<off_t>(floats * sizeof(float))) {
        return Error{ErrorKind::malformed, "the size of the shared memory is not the announced one", {}};
    }
    return map(std::move(descriptor), floats);
}

Result<SharedMemory> SharedMemory::map(Descriptor descriptor, std::size_t floats) {
    SharedMemory memory;
    if (floats > 0) {
        void* address =
            ::mmap(nullptr, floats * sizeof(float), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.get(), 0);
        if (address == MAP_FAILED) return no_memory();
        memory.address_ = address;
    }
    memory.count_ = floats;
    memory.descriptor_ = std::move(descriptor);
    return memory;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : descriptor_(std::move(other.descriptor_)),
      address_(std::exchange(other.address_, nullptr)),
      count_(std::exchange(other.count_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(address_, other.address_);
    std::swap(count_, other.count_);
    return *this;
}

SharedMemory::~SharedMemory() {
    if (address_ != nullptr) ::munmap(address_, count_ * sizeof(float));
}

}  // namespace modelseal::worker
