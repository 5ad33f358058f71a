// Any packet as the answer of a worker that a hostile model took over: what is read of it obeys its contract,
// and its words can be shown.
#include <cmath>

#include "fuzz.h"
#include "oracle/protocols/worker_answers.h"
#include "util/text.h"
#include "worker/channel.h"

namespace {

using namespace modelseal;

void must_be_shown(const std::string& text) {
    if (util::printable(text) != text) test::finding("a text that cannot be shown");
}

void hold(const oracle::OpenedNetwork& opened) {
    must_be_shown(opened.runtime);
    must_be_shown(opened.input.name);
    for (const auto& device : opened.devices) must_be_shown(device);
    for (const auto& warning : opened.warnings) must_be_shown(warning);
    if (opened.devices.empty() || opened.input.shape.empty())
        test::finding("a network without shape or device");
    std::uint64_t elements = 1;
    for (const auto extent : opened.input.shape) {
        if (extent <= 0) test::finding("an extent that is none");
        elements *= static_cast<std::uint64_t>(extent);
        if (elements > 0xffff'ffff) test::finding("a shape without bounds");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto answer = worker::read_packet({data, size});
    if (!answer) return 0;
    static_cast<void>(oracle::read_entered(*answer));
    if (const auto opened = oracle::read_opened(*answer); opened.ok()) hold(*opened);
    if (const auto classes = oracle::read_classes(*answer); classes && *classes < 2)
        test::finding("too few classes");
    if (const auto outputs = oracle::read_outputs(*answer); outputs && outputs->count == 0)
        test::finding("a network without outputs");
    for (const auto& one : oracle::read_covered(*answer)) {
        must_be_shown(one.name);
        if (one.noticed + one.dead > one.weights) test::finding("a part that is more than the whole");
    }
    constexpr std::uint64_t kTriggers = 100;
    if (const auto step = oracle::read_generator_step(*answer, kTriggers);
        step && (step->matched > kTriggers || std::isinf(step->loss)))
        test::finding("a step that cannot be");
    if (const auto step = oracle::read_trained(*answer, 64); step && step->matched > 64)
        test::finding("more matches than inputs");
    if (const auto bytes = oracle::read_saved(*answer); bytes && *bytes == 0) test::finding("an empty file");
    const auto error = oracle::read_error(*answer);
    must_be_shown(error.message);
    must_be_shown(error.hint);
    if (error.kind == ErrorKind::mismatch || error.kind == ErrorKind::internal)
        test::finding("a verdict of the worker's");
    return 0;
}
