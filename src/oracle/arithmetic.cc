#include "oracle/arithmetic.h"

namespace modelseal::oracle {

std::string_view name_of(Arithmetic arithmetic) {
    switch (arithmetic) {
        case Arithmetic::usual:
            return {};
        case Arithmetic::one_term:
            return "sums one term at a time";
        case Arithmetic::permuted:
            return "channels in another order";
        case Arithmetic::winograd2:
            return "Winograd F(2,3)";
        case Arithmetic::winograd4:
            return "Winograd F(4,3)";
        case Arithmetic::winograd6:
            return "Winograd F(6,3)";
        case Arithmetic::rounded_weights:
            return "weights off by half a unit in the last place";
        case Arithmetic::rounded_steps:
            return "operators off by half a unit in the last place";
        case Arithmetic::half_weights:
            return "weights in half precision";
        case Arithmetic::tf32:
            return "TF32 products";
        case Arithmetic::bfloat16:
            return "bfloat16";
        case Arithmetic::half:
            return "half precision";
    }
    return {};
}

}  // namespace modelseal::oracle
