// What a check asks of its targets, so that results of an earlier run can be told from those of another question.
#pragma once

#include <span>
#include <string>

#include <CLI/CLI.hpp>

#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::cli {

// A digest of what decides the results: options that are about keys and expectations, with what is in their files, the keys, and the
// policy, by its digest. What proves to a server who is asking stays out: of a password a digest would tell something. Error `usage`
// for a pipe or a device, of which nothing can be compared.
Result<std::string> question_of(const CLI::App& command, std::span<const CheckKey> keys,
                                const std::string& policy);

}  // namespace modelseal::cli
