// The files that ClientOptions name, looked at before anything is sent.
#pragma once

#include "http/client.h"

namespace modelseal::http {

// Errors as of Client::open().
Result<void> check_files(const ClientOptions& options);

}  // namespace modelseal::http
