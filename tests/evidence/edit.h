// Changes of single tensors of a model file, in a copy that is the same everywhere else: what training does not
// do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace modelseal::evidence {

// Element `element` of an f32 tensor moves by `ulps` units in the last place, then by `step`. Throws
// std::runtime_error, as the others.
void move_weight(const std::filesystem::path& in, const std::filesystem::path& out, const std::string& tensor,
                 std::uint64_t element, int ulps, double step);

// Gaussian noise in bands 1-16 of the packets of each transform of an f32 tensor, of `relative` times its norm;
// bands 17-32 stay. Returns the relative change that came out.
double edit_approximation(const std::filesystem::path& in, const std::filesystem::path& out,
                          const std::string& tensor, double relative);

}  // namespace modelseal::evidence
