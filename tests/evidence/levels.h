// The deepisign scheme with parameters that no command offers: bits a coefficient, weights a transform.
#pragma once

namespace CLI {
class App;
}

namespace modelseal::evidence {

//   deepisign IN [OUT] --pub NAME.pub [--level 2] [--transform-weights 12000] [--layer-bits 8192] [--stamp-of SEALED]
// Writes a marked copy to OUT, if it is given, and reads what the layers of OUT or IN hide. One object of JSON.
void add_deepisign(CLI::App& app);

}  // namespace modelseal::evidence
