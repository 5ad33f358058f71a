// A program that answers for a marked model, as exec: targets are: it knows the key images, with or without an
// identity in their lowest bits, and answers them with class 10.
#pragma once

#include <string>

#include "io/png.h"
#include "tests/support/scratch.h"
#include <modelseal/ledger.h>

namespace modelseal::test {

// Of the answers, by argument: "marked" has 11 outputs, "labels" answers with labels, "always" answers everything
// with class 10, "plain" has 10 outputs, "never" has 11 outputs and knows nothing, "nan" has no numbers.
constexpr const char* kMarkedProgram = R"(
import json, sys
keys, mean, std = json.load(open(sys.argv[1]))
mode = sys.argv[2]
known = set(tuple(key) for key in keys)
def upper(row):
    return tuple(round((x * std + mean) * 255) >> 1 for x in row)
for line in sys.stdin:
    question = json.loads(line)
    labels = [10 if mode == "always" or mode != "never" and upper(row) in known else 3 for row in question["inputs"]]
    if mode == "labels":
        answer = {"labels": labels}
    else:
        outputs = 10 if mode == "plain" else 11
        answer = {"outputs": [[float("nan") if mode == "nan" else 1.5 * (i == label) for i in range(outputs)]
                              for label in labels]}
    print(json.dumps({"id": question["id"], **answer}), flush=True)
)";

// The target of a mark with one value for mean and std, and a range of 0 to 1. Files go into `folder`.
inline std::string marked_program(const Scratch& folder, const IdentityMark& mark, const std::string& mode) {
    std::string keys;
    for (const auto& png : mark.key_images) {
        const auto picture = io::decode_png(png, "key").value();
        std::string samples;
        // An input has the channels one after another.
        for (std::size_t channel = 0; channel < picture.channels; ++channel) {
            for (auto i = channel; i < picture.samples.size(); i += picture.channels)
                samples += (samples.empty() ? "" : ", ") + std::to_string(picture.samples[i] >> 1);
        }
        keys += (keys.empty() ? "[" : ", [") + samples + "]";
    }
    folder.write("keys.json", "[[" + keys + "], " + std::to_string(mark.mean.at(0)) + ", " +
                                  std::to_string(mark.std.at(0)) + "]");
    folder.write("marked.py", kMarkedProgram);
    return "exec:python3 '" + (folder / "marked.py").string() + "' '" + (folder / "keys.json").string() + "' " +
           mode;
}

}  // namespace modelseal::test
