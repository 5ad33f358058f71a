#include "io/png.h"

#include <new>
#include <stdexcept>

#include <png.h>

namespace modelseal::io {

std::vector<std::byte> encode_png(const Picture& picture) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = picture.width;
    image.height = picture.height;
    image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    const auto needed = std::size_t{picture.width} * picture.height * picture.channels;
    if ((picture.channels != 1 && picture.channels != 3) || needed == 0 || picture.samples.size() != needed) {
        throw std::runtime_error("the number of samples is not the size of the picture");
    }
    // The first call only asks for the size.
    png_alloc_size_t size = 0;
    const auto write = [&](void* memory) {
        return png_image_write_to_memory(&image, memory, &size, 0, picture.samples.data(), 0, nullptr) != 0;
    };
    std::vector<std::byte> bytes;
    if (write(nullptr)) bytes.resize(size);
    if (bytes.empty() || !write(bytes.data())) throw std::bad_alloc();
    bytes.resize(size);
    return bytes;
}

}  // namespace modelseal::io
