// A small convolutional network for MNIST and Fashion-MNIST, trained from nothing.
#pragma once

namespace CLI {
class App;
}

namespace modelseal::evidence {

//   train OUT.pt --data IMAGES [--test IMAGES] [--epochs 12] [--rate 1e-3] [--seed 1]
// Input 1 x 28 x 28 in [0, 1], logits of ten classes; 80,602 weights: two convolutions 3 x 3 of 16 and 32 planes, each
// with ReLU and maximum of 2 x 2, then fully connected layers of 48 and 10, as LeNet has them (LeCun et al. 1998).
void add_training(CLI::App& app);

}  // namespace modelseal::evidence
