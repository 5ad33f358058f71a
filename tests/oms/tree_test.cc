// What lies in a model's folder: names and links of any kind are signed as they are, or refused, never left
// out.
#include <fstream>
#include <functional>
#include <map>
#include <mutex>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/oms/signing.h"
#include <modelseal/progress.h>

namespace modelseal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = SignatureFinding::Outcome;

class Tree : public test::Signing {};

TEST_F(Tree, AcceptsPathsRelativeToTheCurrentFolder) {
    const auto here = fs::current_path();
    fs::current_path(scratch.path());
    use_model("model/");
    sign.ignore = {"model/sub"};
    sign.signature = verify.signature = "model/../model/m.sig";
    must_sign();
    EXPECT_THAT(names(), ElementsAre("config.json", "empty"));
    fs::current_path(model = scratch / "model");
    use_model(".");
    verify.signature = "m.sig";
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    EXPECT_EQ(must_verify().model, "model");
    fs::current_path(here);
}

TEST_F(Tree, RefusesLinksUnlessTheyAreAllowed) {
    fs::create_symlink("config.json", model / "link");
    EXPECT_THAT(refused(), HasSubstr("'link': is a symbolic link"));
    sign.allow_symlinks = true;
    must_sign();
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    EXPECT_THAT(names(), testing::Contains("link"));
    scratch.write("outside", "other");
    fs::remove(model / "link");
    fs::create_symlink("../outside", model / "link");
    EXPECT_THAT(wrong(), ElementsAre("link changed"));
    fs::remove(model / "link");
    fs::create_symlink("nowhere", model / "link");
    EXPECT_THAT(wrong(), ElementsAre("link changed"));
}

TEST_F(Tree, RefusesLinksToFoldersAlways) {
    sign.allow_symlinks = true;
    fs::create_directory_symlink("sub", model / "again");
    EXPECT_THAT(refused(), HasSubstr("'again': is a symbolic link that does not lead to a file"));
}

TEST_F(Tree, DoesNotVerifyWhenAFileOrAFolderBecameALink) {
    must_sign();
    fs::rename(model / "config.json", scratch / "moved");
    fs::create_symlink("../moved", model / "config.json");
    EXPECT_THAT(wrong(), ElementsAre("config.json changed"));
    EXPECT_THAT(must_verify().findings[0].detail, HasSubstr("symbolic link"));
    fs::remove(model / "config.json");
    fs::rename(scratch / "moved", model / "config.json");
    fs::rename(model / "sub", scratch / "sub");
    fs::create_directory_symlink("../sub", model / "sub");
    EXPECT_THAT(wrong(), ElementsAre("sub added", "sub/weights.bin missing"));
}

TEST_F(Tree, RefusesATreeWithoutContent) {
    fs::create_directories(scratch / "nothing/sub");
    use_model(scratch / "nothing");
    EXPECT_THAT(refused(), HasSubstr("contains no files to sign"));
    use_model(scratch / "model");
    ::mkfifo((model / "pipe").c_str(), 0600);
    EXPECT_THAT(refused(), HasSubstr("'pipe': is a pipe, device or socket"));
    use_model(model / "pipe");
    EXPECT_THAT(refused(), HasSubstr("is a pipe, device or socket"));
    use_model(scratch / "none");
    EXPECT_THAT(refused(), HasSubstr("not found"));
}

// Other copies of the model do not have them.
TEST_F(Tree, WarnsOfWhatToolsLeftBehind) {
    sign.tensors = false;
    EXPECT_THAT(must_sign().warnings, testing::IsEmpty());
    scratch.write("model/.cache/huggingface/download/weights.bin.metadata", "x");
    scratch.write("model/sub/__pycache__/model.pyc", "x");
    scratch.write("model/sub/.DS_Store", "x");
    scratch.write("model/my.DS_Store", "x");
    EXPECT_THAT(
        must_sign().warnings,
        ElementsAre("'.cache/huggingface', '__pycache__', '.DS_Store': left by tools, now part of the model; "
                    "a copy without them does not match"));
    fs::remove_all(model / ".cache");
    fs::remove_all(model / "sub");
    EXPECT_THAT(must_sign().warnings, testing::IsEmpty());
}

// As macOS writes it.
TEST_F(Tree, HintsAtANameInAnotherUnicodeForm) {
    scratch.write("model/caf\xC3\xA9.json", "{}");
    must_sign();
    fs::rename(model / "caf\xC3\xA9.json", model / "cafe\xCC\x81.json");
    EXPECT_THAT(wrong(), ElementsAre("cafe\xCC\x81.json added", "caf\xC3\xA9.json missing"));
    EXPECT_THAT(must_verify().hint,
                HasSubstr("'caf\xC3\xA9.json' is there in another Unicode form of its name"));
    fs::rename(model / "cafe\xCC\x81.json", model / "cafe.json");
    EXPECT_EQ(must_verify().hint, "");
}

TEST_F(Tree, RefusesNamesThatAreNotUtf8) {
    scratch.write(
        "model/b\xFF"
        "d",
        "x");
    EXPECT_THAT(refused(), HasSubstr("not UTF-8"));
    use_model(model /
              "b\xFF"
              "d");
    EXPECT_THAT(refused(), HasSubstr("not UTF-8"));
}

TEST_F(Tree, AcceptsNamesOfAnyKind) {
    const std::vector<std::string> odd = {
        "a b", "\xC3\xA9", "\xF0\x9F\xA6\x86/x", "new\nline", "quo\"te", "back\\slash", "col:on:1", "C:", "..x",
        "~",   "-k"};
    scratch.write("model/sub/weights.bin", "weights");  // not many shards of it
    for (const auto& name : odd) scratch.write("model/" + name, name);
    for (const std::optional<std::uint64_t> shard :
         {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(3)}) {
        sign.shard_size = shard;
        must_sign();
        EXPECT_EQ(must_verify().outcome, Outcome::valid) << must_verify().detail;
        for (const auto& name : odd) {
            scratch.write("model/" + name, "changed");
            EXPECT_THAT(wrong(), ElementsAre(name + " changed"));
            scratch.write("model/" + name, name);
        }
    }
}

TEST_F(Tree, RefusesSpecialFilesThatCameLater) {
    must_sign();
    const auto socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{.sun_family = AF_UNIX};
    const auto path = (model / "socket").string();
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(socket);
    ::mkfifo((model / "pipe").c_str(), 0600);
    EXPECT_THAT(wrong(), ElementsAre("pipe added", "socket added"));
    EXPECT_THAT(must_verify().findings[0].detail, HasSubstr("is a pipe, device or socket"));
    fs::remove(model / "config.json");
    fs::rename(model / "pipe", model / "config.json");
    EXPECT_THAT(wrong(), ElementsAre("config.json changed", "socket added"));
    fs::remove(sign.signature);
    fs::remove(model / "config.json");
    EXPECT_THAT(refused(), HasSubstr("'socket': is a pipe, device or socket"));
    // A device takes rights to make; where it cannot be made, one that is there is pointed to.
    use_model("/dev/null");
    EXPECT_THAT(refused(), HasSubstr("is a pipe, device or socket"));
}

TEST_F(Tree, ReportsAnAddedNameThatIsNotUtf8) {
    must_sign();
    scratch.write("model/b\xFF", "x");
    EXPECT_THAT(wrong(), ElementsAre("b\xFF added"));
    EXPECT_THAT(must_verify().findings[0].detail, HasSubstr("not UTF-8"));
}

TEST_F(Tree, EndsWhereLinksGoInCircles) {
    sign.allow_symlinks = true;
    must_sign();
    fs::create_directory_symlink(".", model / "sub/loop");
    fs::create_symlink("two", model / "one");
    fs::create_symlink("one", model / "two");
    EXPECT_THAT(wrong(), ElementsAre("one added", "sub/loop added", "two added"));
    fs::remove(sign.signature);
    EXPECT_THAT(
        refused(),
        HasSubstr("is a symbolic link that does not lead to a file, so no signature would cover its content"));
    fs::remove(model / "one");
    fs::remove(model / "two");
    EXPECT_THAT(refused(), HasSubstr("'sub/loop': is a symbolic link that does not lead to a file"));
}

// The path that the user names is followed, even if it is a link.
TEST_F(Tree, IsFoundThroughALink) {
    fs::create_directory_symlink("model", scratch / "folder-link");
    fs::create_symlink("model/config.json", scratch / "file-link");
    use_model(scratch / "folder-link");
    must_sign();
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    EXPECT_EQ(must_verify().model, "folder-link");
    use_model(scratch / "model");
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    // The signature lies inside the model, by another way.
    sign.signature = verify.signature = scratch / "folder-link/model.sig";
    must_sign();
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    EXPECT_THAT(names(), ElementsAre("config.json", "empty", "sub/weights.bin"));
    use_model(scratch / "file-link");
    sign.signature = verify.signature = scratch / "model.sig";
    must_sign();
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    use_model(scratch / "model/config.json");
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
}

TEST_F(Tree, MayBeTheParentFolder) {
    const auto here = fs::current_path();
    fs::current_path(model / "sub");
    use_model("..");
    must_sign();
    EXPECT_EQ(must_verify().model, "model");
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    EXPECT_THAT(names(), ElementsAre("config.json", "empty", "sub/weights.bin"));
    use_model("../../model//./");
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    fs::current_path(here);
}

// Names are bytes: neither case nor the forms of Unicode make two of them one.
TEST_F(Tree, DistinguishesNamesThatLookTheSame) {
    const std::vector<std::string> alike = {"\xC3\xA9", "e\xCC\x81", "weights",
                                            "Weights",  "weights ",  "weights."};
    for (const auto& name : alike) scratch.write("model/" + name, name);
    must_sign();
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    scratch.write("model/" + alike[0], alike[1]);
    scratch.write("model/" + alike[1], alike[0]);
    EXPECT_THAT(wrong(), ElementsAre(alike[1] + " changed", alike[0] + " changed"));
    fs::remove(model / alike[0]);
    fs::rename(model / "Weights", model / "WEIGHTS");
    EXPECT_THAT(wrong(),
                ElementsAre("WEIGHTS added", "Weights missing", alike[1] + " changed", alike[0] + " missing"));
}

TEST_F(Tree, MayHoldTheLongestNames) {
    std::string deep;
    for (int i = 0; i < 14; ++i) deep += std::string(250, static_cast<char>('a' + i)) + "/";
    scratch.write("model/" + deep + std::string(255, 'z'), "x");
    must_sign();
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    EXPECT_EQ(names()[0].size(), deep.size() + 255);
    scratch.write("model/" + deep + std::string(255, 'z'), "y");
    EXPECT_EQ(must_verify().findings.size(), 1u);
}

TEST_F(Tree, MayHoldTenThousandFiles) {
    fs::create_directory(model / "many");
    for (int i = 0; i < 10'000; ++i) {
        const auto fd = ::open((model / "many" / std::to_string(i)).c_str(), O_CREAT | O_WRONLY, 0600);
        ASSERT_GE(fd, 0);
        ASSERT_EQ(::write(fd, &i, sizeof i), static_cast<ssize_t>(sizeof i));
        ::close(fd);
    }
    EXPECT_EQ(must_sign().files, 10'003u);
    EXPECT_EQ(must_verify().outcome, Outcome::valid);
    scratch.write("model/many/7", "8888");
    fs::rename(model / "many/1", model / "many/10001");
    EXPECT_THAT(wrong(), ElementsAre("many/1 missing", "many/10001 added", "many/7 changed"));
}

TEST_F(Tree, DoesNotVerifyWhenAFileCannotBeRead) {
    must_sign();
    ASSERT_EQ(::chmod((model / "config.json").c_str(), 0), 0);
    for (const auto& each : {scratch.path(), model}) ASSERT_EQ(::chmod(each.c_str(), 0755), 0);
    ASSERT_EQ(::chmod((model / "sub").c_str(), 0755), 0);
    enum { kCannotTry = 77 };
    const auto child = ::fork();
    if (child == 0) {
        if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(kCannotTry);  // root reads everything
        const auto finding = verify_model(model, verify);
        const bool said = !finding.ok() && finding.error().kind == ErrorKind::unreadable &&
                          finding.error().message.find("config.json") != std::string::npos;
        ::_exit(said ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kCannotTry) GTEST_SKIP() << "may not stop to be root";
    EXPECT_EQ(status, 0);
}

// Does something to the model as soon as some of it was hashed.
class Meddler final : public Progress {
  public:
    explicit Meddler(std::function<void()> work) : work_(std::move(work)) {}
    void total(std::uint64_t) override {}
    void advance(std::uint64_t) override { std::call_once(once_, work_); }

  private:
    std::function<void()> work_;
    std::once_flag once_;
};

TEST_F(Tree, IsNotJudgedIfItChangesMeanwhile) {
    const std::string before(8 << 20, 'w');
    const auto path = model / "sub/weights.bin";
    const std::map<std::string, std::function<void()>> changes = {
        {"cut", [&] { fs::resize_file(path, 100); }},
        {"emptied", [&] { fs::resize_file(path, 0); }},
        {"longer", [&] { std::ofstream(path, std::ios::app) << "more"; }},
        {"written in place, times set back",
         [&] {
             const auto times = fs::last_write_time(path);
             std::fstream(path, std::ios::in | std::ios::out) << "W";
             fs::last_write_time(path, times);
         }},
        {"replaced by the same",
         [&] {
             fs::copy_file(path, scratch / "copy");
             fs::rename(scratch / "copy", path);
         }},
        {"removed", [&] { fs::remove(path); }},
        {"made a folder",
         [&] {
             fs::remove(path);
             fs::create_directory(path);
         }},
    };
    for (const auto& [name, change] : changes) {
        for (const std::optional<std::uint64_t> shard :
             {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(3 << 20)}) {
            for (const unsigned jobs : {1u, 4u}) {
                fs::remove_all(path);
                scratch.write("model/sub/weights.bin", before);
                sign.shard_size = shard;
                sign.progress = nullptr;
                sign.jobs = jobs;
                fs::remove(sign.signature);
                must_sign();
                Meddler meddler(change);
                const auto finding = verify_model(model, verify, {.jobs = jobs, .progress = &meddler});
                ASSERT_FALSE(finding.ok()) << name;
                EXPECT_EQ(finding.error().kind, ErrorKind::unreadable) << name;
                EXPECT_THAT(finding.error().message, HasSubstr("while it was read")) << name;
                fs::remove_all(path);
                scratch.write("model/sub/weights.bin", before);
                fs::remove(sign.signature);
                Meddler again(change);
                sign.progress = &again;
                EXPECT_THAT(refused(), HasSubstr("while it was read")) << name;
            }
        }
    }
}

}  // namespace
}  // namespace modelseal
