// Answers from anywhere, in each of their forms; the first byte chooses.
#include <cmath>

#include "formats/npy.h"
#include "oracle/protocols/responses.h"
#include "tests/fuzz/fuzz.h"
#include "util/text.h"

namespace {

using namespace modelseal;

void check(const Result<oracle::Answers>& answers, std::size_t count) {
    if (!answers.ok()) {
        const auto& error = answers.error();
        if (error.kind == ErrorKind::internal) test::finding("internal error: " + error.message);
        if (error.message.empty() || !util::is_utf8(error.message))
            test::finding("a message that cannot be shown");
        return;
    }
    const bool whole = answers->count == count &&
                       (answers->labels.size() == count || answers->values.size() == count * answers->classes);
    if (!whole) test::finding("answers that are not whole");
    for (const float value : answers->values) {
        if (!std::isfinite(value)) test::finding("an answer that is no number");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
    const char* names[] = {"responses.npy", "responses.json", "responses.csv"};
    const std::size_t count = 1 + data[0] / 3 % 4, classes = 2 + data[0] / 12 % 4;
    check(oracle::parse_responses(formats::MemorySource(names[data[0] % 3], bytes), count, classes), count);
    return 0;
}
