// The attacks of the black-box tables, each one TorchScript file in and one out.
#pragma once

namespace CLI {
class App;
}

namespace modelseal::evidence {

//   attack IN.pt OUT.pt --kind finetune|backdoor|prune|int8|fp16|bf16|weight|layer|exponent|swap
//   resnet CHECKPOINT OUT.pt      a CIFAR-10 ResNet from its authors' checkpoint, as TorchScript
void add_attacks(CLI::App& app);

}  // namespace modelseal::evidence
