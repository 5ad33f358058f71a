// What differs between two models: plain data, the result of diff(), and how people and machines read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/report.h"
#include <modelseal/report.h>

namespace modelseal {

// A tensor that is in both and differs, or is in one only.
struct TensorDifference {
    struct Side {
        std::string dtype;
        std::vector<std::uint64_t> shape;
        friend bool operator==(const Side&, const Side&) = default;
    };
    std::string name;
    std::optional<std::string> name_b;  // its name in B, if that is only alike
    std::optional<Side> a, b;           // absent: the tensor is not in that model

    // Elements were compared one by one: the same number of them, and their types have a meaning in common.
    bool compared = false;
    std::uint64_t elements = 0;
    std::uint64_t differing = 0;  // elements that differ in any bit; of several types: in value
    // Over the elements whose values are finite on both sides; absent for types without values.
    std::optional<double> max_abs;
    std::optional<double> mean_abs;            // over all finite pairs, those without difference included
    std::optional<std::uint64_t> max_ulp;      // floating types, the same on both sides
    std::optional<double> relative_l2;         // ||a - b|| / ||a||; absent if a is zero throughout
    std::uint64_t non_finite = 0;              // differing elements that are infinite or NaN on a side
    std::vector<TensorFinding::Range> ranges;  // the first ones, neighbors joined
    std::uint64_t ranges_total = 0;
};

struct Comparison {
    enum class Frame { same, differs, not_compared };  // not compared: other formats, a folder and a file
    struct File {
        enum class Outcome { changed, only_in_a, only_in_b };
        std::string name;
        Outcome outcome = Outcome::changed;
    };
    struct Side {
        std::string path, format;
        std::uint64_t tensors = 0;
    };
    Side a, b;
    Frame frame = Frame::not_compared;
    std::vector<File> files;             // whose frames differ, by name
    bool frame_asked = true;             // whether a frame that differs makes the models differ
    std::uint64_t tensors_compared = 0;  // in both models
    std::uint64_t tensors_renamed = 0;   // of these, under names that are only alike
    std::uint64_t elements_compared = 0;
    std::vector<TensorDifference> tensors;  // only those that differ, by name
    bool same() const { return tensors.empty() && (!frame_asked || frame != Frame::differs); }
};

namespace report {

std::string to_text(const Comparison& comparison, const TextStyle& style);
// Schema modelseal-diff/1; pure ASCII, ends with a newline.
std::string to_json(const Comparison& comparison);

}  // namespace report

}  // namespace modelseal
