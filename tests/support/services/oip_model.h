// A classifier behind the Open Inference Protocol, in the test's own process: class c of an input is
// c + the sum of its elements, unless `classify` says otherwise. Each field makes it another kind of server.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/support/services/http_server.h"

namespace modelseal::test {

struct OipTestModel {
    std::vector<std::int64_t> input_shape = {-1, 2, 2};  // as the metadata says
    bool batched = true;                                 // else shapes have no batch dimension
    bool quoted_extents = false;                         // in metadata and answers, as protobuf's JSON has them
    std::string input_datatype = "FP32";
    std::size_t classes = 3;
    std::string datatype = "FP32";        // of the output
    std::vector<std::int64_t> tail = {};  // further extents of the output, of 1
    bool lists_binary = false;            // among the server's extensions
    bool takes_binary = true;
    bool answers_binary = true;  // when asked to
    std::size_t max_batch = 1'000'000;
    unsigned refusal = 400;                      // status for larger batches
    bool labels = false;                         // answers with the class alone, as INT64
    int decimals = -1;                           // of the answers' text; -1: as many as are needed
    std::size_t extra_rows = 0;                  // more than were asked for
    std::vector<std::string> more_outputs = {};  // further outputs of the metadata, FP32
    std::function<std::vector<float>(std::span<const float> input)> classify = {};  // one output a class

    // The server's response to any request.
    HttpReply answer(const HttpAsked& asked) const;
};

}  // namespace modelseal::test
