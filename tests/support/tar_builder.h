// Tar archives for tests, good ones and others, and gzip around them.
#pragma once

#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <zlib.h>

namespace modelseal::test {

// One member: header, content, padding. `type`: '0' file, '5' folder, '2' symbolic link, 'x' pax header, ...
inline std::string tar_member(const std::string& name, const std::string& content, char type = '0',
                              const std::string& link = {}) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    put(0, name.substr(0, 100));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", content.size()));
    put(136, "00000000000");
    header[156] = type;
    put(157, link.substr(0, 100));
    put(257, std::string("ustar\0"
                         "00",
                         8));
    put(148, "        ");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

inline std::string tar_end() {
    return std::string(1024, '\0');
}

inline std::string gzipped(const std::string& bytes) {
    z_stream zip{};
    if (deflateInit2(&zip, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("zlib");
    std::string out(deflateBound(&zip, bytes.size()), '\0');
    zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zip.avail_in = static_cast<uInt>(bytes.size());
    zip.next_out = reinterpret_cast<Bytef*>(out.data());
    zip.avail_out = static_cast<uInt>(out.size());
    deflate(&zip, Z_FINISH);
    out.resize(zip.total_out);
    deflateEnd(&zip);
    return out;
}

}  // namespace modelseal::test
