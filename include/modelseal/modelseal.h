// All of the public API. Each header can also be included alone; c.h, the C interface, is not part of it.
#pragma once

#include <modelseal/check.h>
#include <modelseal/fingerprint.h>
#include <modelseal/format.h>
#include <modelseal/identity.h>
#include <modelseal/inspect.h>
#include <modelseal/keys.h>
#include <modelseal/ledger.h>
#include <modelseal/oms.h>
#include <modelseal/policy.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>
#include <modelseal/result.h>
#include <modelseal/seal.h>
#include <modelseal/signer.h>
#include <modelseal/tensor.h>
#include <modelseal/trace.h>
