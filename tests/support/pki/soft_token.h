// Tokens in software: SoftHSM2, with a folder of a test's own, filled by OpenSC's pkcs11-tool.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/scratch.h"

namespace modelseal::test {

class SoftToken {
  public:
    // A module with one token of this label, whose PIN is kPin.
    explicit SoftToken(const std::string& label = "vendor");
    // One more token of the same module.
    void add(const std::string& label);
    // A pair of keys; `more`: further options of pkcs11-tool.
    void make_key(const std::string& object, const std::string& id, const std::string& type = "EC:prime256v1",
                  const std::vector<std::string>& more = {"--usage-sign"}, const std::string& token = "vendor");
    // Runs pkcs11-tool, logged in to a token.
    void tool(std::vector<std::string> arguments, const std::string& token = "vendor");

    // The environment of a program that uses it: configuration and module.
    std::map<std::string, std::string> variables() const;
    // The same for this process, for as long as it lasts.
    void use_here() const;

    // Empty if all is there that this needs, else what is missing.
    static std::string missing();
    static constexpr const char* kPin = "12-34?";

  private:
    Scratch folder_;
};

// Path of SoftHSM2's module; empty if it is not installed.
std::string soft_token_module();

}  // namespace modelseal::test

#define MODELSEAL_NEED_TOKEN() \
    if (const auto missing_ = modelseal::test::SoftToken::missing(); !missing_.empty()) GTEST_SKIP() << missing_
