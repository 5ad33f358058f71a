// Generated triggers: images that a generator was trained to make against the frozen model, until each is
// answered with a keyed class (Yin, Yin, Zhang, arXiv 2208.07585). AccTri, their metric, is the share of
// triggers that are answered so; a model that was not changed answers all of them so.
#pragma once

#include "blackbox/method.h"

namespace modelseal::blackbox {

const Method& triggers_method();

}  // namespace modelseal::blackbox
