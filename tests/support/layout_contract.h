// The contract of adapters (include/modelseal/format.h and tensor.h) as one check for tests and fuzz
// targets.
#pragma once

#include <string>

#include <modelseal/format.h>

namespace modelseal::test {

// Empty if `layout` is a possible reading of `source`; else the first promise that is broken. Reads no tensor
// bytes but those of varint runs.
std::string contract_violation(const Layout& layout, const Source& source);

}  // namespace modelseal::test
