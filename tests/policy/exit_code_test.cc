#include <gtest/gtest.h>

#include "policy/decide.h"

namespace modelseal::policy {
namespace {

TEST(ExitCode, OfErrorsIsTheContract) {
    EXPECT_EQ(exit_code(ErrorKind::usage), ExitCode{2});
    EXPECT_EQ(exit_code(ErrorKind::mismatch), ExitCode{1});
    for (const auto kind :
         {ErrorKind::unreadable, ErrorKind::malformed, ErrorKind::unsupported, ErrorKind::internal}) {
        EXPECT_EQ(exit_code(kind), ExitCode{3});
    }
}

TEST(ExitCode, OfVerdictsIsTheContract) {
    EXPECT_EQ(exit_code(Verdict::intact), ExitCode{0});
    EXPECT_EQ(exit_code(Verdict::tampered), ExitCode{1});
    EXPECT_EQ(exit_code(Verdict::error), ExitCode{3});
    EXPECT_EQ(exit_code(Verdict::unsealed), ExitCode{4});
}

TEST(ExitCode, OfSeveralTargetsIsTheWorstWhateverTheirOrder) {
    const ExitCode from_worst[] = {ExitCode::usage, ExitCode::mismatch, ExitCode::failed, ExitCode::nothing,
                                   ExitCode::done};
    for (int i = 0; i < 5; ++i) {
        for (int j = i; j < 5; ++j) {
            EXPECT_EQ(worst(from_worst[i], from_worst[j]), from_worst[i]);
            EXPECT_EQ(worst(from_worst[j], from_worst[i]), from_worst[i]);
        }
    }
}

}  // namespace
}  // namespace modelseal::policy
