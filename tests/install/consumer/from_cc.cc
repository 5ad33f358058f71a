#include <cstdio>

#include <modelseal/modelseal.h>

int main() {
    const auto key = modelseal::SigningKey::generate();
    const auto check = modelseal::public_check_key(key.public_key());
    const auto report = modelseal::check_model("absent", {.seal = modelseal::SealCheck{.keys = {check}}});
    std::printf("C++ %s\n", report->error.c_str());
    return report->verdict == modelseal::Verdict::error ? 0 : 1;
}
