// What a seal's finding says, in words.
#pragma once

#include <string>

#include "report/check/document.h"
#include <modelseal/report.h>

namespace modelseal::report {

// `finding` as it was decided.
Section seal_section(const SealFinding& finding);

// "2 of 65 tensors changed, 1 missing, frame changed"; empty if nothing of this was found.
std::string findings_text(const SealFinding& seal);
// "sealed as resnet20 3.1 for acme by key 1a2b3c"; what the stamp does not say is left out, and a stamp that is
// not authentic is called so.
std::string stamp_text(const SealFinding& seal);
// What is known about the frame: "a.json (added), c.json (changed)"; empty if it is intact and covered.
std::string frame_text(const SealFinding& seal);
// Whether the scheme covers what is not a tensor; the published one does not.
bool covers_frame(const SealFinding& seal);
// Whether there is a seal that was compared with the model.
bool was_read(const SealFinding& seal);
// Which elements changed, in at most `columns` (0: no limit): "0-8191, 16384-24575", "all 36,864".
std::string where_text(const TensorFinding& tensor, std::size_t columns);

}  // namespace modelseal::report
