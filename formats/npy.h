// NumPy's array files (numpy/lib/format.py, versions 1.0 to 3.0): arrays of numbers, row-major.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <modelseal/format.h>

namespace modelseal::formats {

struct NpyArray {
    enum class Kind { floating, integer };  // of 4 or 8 bytes; integers have a sign
    Kind kind = Kind::floating;
    std::uint32_t item_bytes = 4;
    bool big_endian = false;
    std::vector<std::uint64_t> shape;
    std::uint64_t elements = 0;
    std::uint64_t offset = 0;  // of the first element; the elements end where the file does
};

// Reads the header and compares it with the file's size. `unsupported`: other types, Fortran order;
// `malformed`: anything that numpy.save() does not write.
Result<NpyArray> parse_npy(const Source& source);

// Elements of an array that parse_npy() described. Precondition: the array is of that kind; nothing is
// converted.
Result<std::vector<double>> read_npy_floats(const Source& source, const NpyArray& array);
Result<std::vector<std::int64_t>> read_npy_integers(const Source& source, const NpyArray& array);

// The header of a float32 array, as numpy.save() writes it; the elements follow, little-endian.
std::string npy_header(const std::vector<std::uint64_t>& shape);

}  // namespace modelseal::formats
