// Any bytes as the answer of a served model or a program: what comes out has as many rows as were asked for.
// The first byte chooses the protocol, the second how much of the rest is the JSON part of binary tensors.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "oracle/json_text.h"
#include "oracle/precision.h"
#include "oracle/protocols/exec.h"
#include "oracle/protocols/oip.h"
#include "oracle/protocols/tf_serving.h"
#include "util/text.h"

namespace {

using namespace modelseal;
using namespace modelseal::oracle;

template <class T>
bool fine(const Result<T>& result) {
    if (result.ok()) return true;
    if (result.error().kind == ErrorKind::internal || !util::is_utf8(result.error().message)) std::abort();
    return false;
}

void hold(Result<std::vector<OutputTensor>> tensors) {
    if (!fine(tensors)) return;
    auto answers = to_answers(std::move(*tensors), {}, 2, "fuzz");
    if (!fine(answers)) return;
    const bool rows = answers->labels.empty()
                          ? answers->classes >= 2 && answers->values.size() == 2 * answers->classes
                          : answers->labels.size() == 2 && answers->values.empty();
    if (answers->count != 2 || !rows || !(answers->rounding >= 0)) std::abort();
    note_precision(*answers);
    if (!(answers->rounding >= 0) || answers->significand > kFloat32Bits) std::abort();
}

void hold(Result<ExecAnswer> answer) {
    if (!fine(answer) || !answer->error.empty()) return;
    std::vector<OutputTensor> outputs;
    outputs.push_back(std::move(answer->output));
    hold(Result<std::vector<OutputTensor>>(std::move(outputs)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
    switch (data[0] % 8) {
        case 0:
            hold(parse_oip_answer(body, {}, "fuzz"));
            break;
        case 1:
            hold(parse_oip_answer(body, std::to_string(body.size() * data[1] / 255), "fuzz"));
            break;
        case 2:
            hold(parse_tf_answer(body, "fuzz"));
            break;
        case 3:
            hold(parse_exec_line(body, 1, "fuzz"));
            break;
        case 4:
            hold(parse_exec_frame(body, 1, "fuzz"));
            break;
        case 5:
            fine(parse_oip_model(body, "fuzz"));
            break;
        case 6:
            fine(parse_tf_model(body, "fuzz"));
            break;
        default:
            fine(split_command(body));
    }
    if (!util::is_utf8(complaint_of(body))) std::abort();
    return 0;
}
