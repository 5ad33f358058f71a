// Sensitive sample pairs: two inputs on both sides of a keyed boundary, close to it (arXiv 2404.07572).
#pragma once

#include "blackbox/method.h"

namespace modelseal::blackbox {

const Method& pairs_method();

}  // namespace modelseal::blackbox
