// The commands of `modelseal identity`: the vendor's in identity_vendor.cc, the others in identity_checker.cc.
#pragma once

#include "cli/commands/command.h"

namespace modelseal::cli {

void add_identity_embed(CLI::App& identity, Context& context);
void add_identity_issue(CLI::App& identity, Context& context);
void add_identity_export(CLI::App& identity, Context& context);
void add_identity_revoke(CLI::App& identity, Context& context);
void add_identity_verify(CLI::App& identity, Context& context);
void add_identity_claim(CLI::App& identity, Context& context);

}  // namespace modelseal::cli
