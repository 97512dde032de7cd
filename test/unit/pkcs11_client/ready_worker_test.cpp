#include "faulty_module.hpp"

#include <thread>

using namespace cps;
using namespace cps::test;

namespace {

/// A module of its own file, which can be replaced as an upgrade does it.
class Upgradable {
public:
    Upgradable() : path_{folder() / "module.so"}
    {
        std::filesystem::copy_file(CPS_FAULTY_MODULE, path_);
        ::setenv("CPS_FAULT", "none", 1);
        module_.emplace(CPS_AGENT_WORKER, path_.native(), short_deadlines);
    }
    ~Upgradable() { std::filesystem::remove_all(path_.parent_path()); }
    Module& module() { return *module_; }
    void upgrade() const
    {
        const auto next = path_.parent_path() / "module.so.new";
        std::filesystem::copy_file(CPS_FAULTY_MODULE, next);
        std::filesystem::rename(next, path_);
    }

private:
    static std::filesystem::path folder()
    {
        auto made = std::filesystem::temp_directory_path() /
                    ("cps-upgradable-" + std::to_string(::getpid()));
        std::filesystem::remove_all(made);
        std::filesystem::create_directory(made);
        return made;
    }
    std::filesystem::path path_;
    std::optional<Module> module_;
};

void kill_waiting(const Module& module)
{
    ::kill(module.worker_pid(), SIGKILL);
    std::this_thread::sleep_for(50ms);
}

} // namespace

TEST_SUITE("pkcs11_client")
{
    TEST_CASE("a worker started ahead serves the next signature and ends with it")
    {
        Faulty faulty{"none"};
        const auto pid = faulty.module().worker_pid();
        REQUIRE(alive(pid));

        REQUIRE(faulty.module().certificates({}).has_value());
        CHECK(faulty.module().worker_pid() == pid);
        CHECK(faulty.module().sign(0, pin_of("1234"), digest_info, {}).has_value());

        CHECK_FALSE(alive(pid));
        CHECK(faulty.module().worker_pid() == -1);
    }

    TEST_CASE("a second worker is not started while one waits")
    {
        Faulty faulty{"none"};
        const auto pid = faulty.module().worker_pid();

        faulty.module().make_ready();

        CHECK(faulty.module().worker_pid() == pid);
    }

    TEST_CASE("a worker that died while it waited is replaced without the caller noticing")
    {
        Faulty faulty{"none"};
        const auto pid = faulty.module().worker_pid();
        kill_waiting(faulty.module());

        CHECK(faulty.sign("1234").has_value());

        CHECK(faulty.logins() == 1);
        CHECK_FALSE(alive(pid)); // nor is it left unreaped
    }

    TEST_CASE("a worker that died while it waited is reaped, and no other waits before a use")
    {
        Faulty faulty{"none"};
        const auto pid = faulty.module().worker_pid();
        kill_waiting(faulty.module());
        REQUIRE(alive(pid)); // as a zombie

        faulty.module().tidy();
        faulty.module().make_ready();

        CHECK_FALSE(alive(pid));
        CHECK(faulty.module().worker_pid() == -1);
        REQUIRE(faulty.sign("1234").has_value());
        faulty.module().make_ready();
        CHECK(alive(faulty.module().worker_pid()));
    }

    TEST_CASE("tidying leaves alone what waits or works")
    {
        Faulty faulty{"none"};
        const auto pid = faulty.module().worker_pid();
        faulty.module().tidy();
        CHECK(faulty.module().worker_pid() == pid);

        REQUIRE(faulty.module().certificates({}).has_value());
        faulty.module().tidy();
        CHECK(faulty.module().worker_pid() == pid);
    }

    TEST_CASE("a worker whose module was replaced on disk gives way to one with the new file")
    {
        Upgradable upgradable;
        auto& module = upgradable.module();
        module.make_ready();
        const auto old = module.worker_pid();

        upgradable.upgrade();

        REQUIRE(module.certificates({}).has_value());
        CHECK(module.worker_pid() != old);
        CHECK_FALSE(alive(old));
    }

    TEST_CASE("a PIN offered before anything was listed by this worker waits for its listing")
    {
        Faulty faulty{"none"};
        REQUIRE(faulty.sign("1234").has_value());
        faulty.module().make_ready();

        CHECK(faulty.module().sign(0, pin_of("1234"), digest_info, {}).has_value());
        CHECK(faulty.logins() == 2);
    }

    TEST_CASE("only our own module counts as one that resets the card and may wait")
    {
        Faulty other{"none"};
        REQUIRE(other.sign("1234").has_value());
        CHECK_FALSE(other.module().card_was_reset());
        CHECK_FALSE(other.module().may_wait());

        Faulty ours{"says_it_is_ours"};
        CHECK_FALSE(ours.module().card_was_reset());
        REQUIRE(ours.sign("1234").has_value());
        CHECK(ours.module().card_was_reset());
        CHECK(ours.module().may_wait());
    }

    TEST_CASE("a module whose logout failed has not reset the card")
    {
        Faulty ours{"fails_to_log_out"};
        REQUIRE(ours.sign("1234").has_value());
        CHECK_FALSE(ours.module().card_was_reset());
        CHECK_FALSE(ours.module().may_wait());
    }

    TEST_CASE("after any other outcome than a signature nobody has reset the card")
    {
        Faulty ours{"says_it_is_ours"};
        REQUIRE(ours.sign("1234").has_value());
        REQUIRE(ours.sign("9999").has_value());
        CHECK_FALSE(ours.module().card_was_reset());
        REQUIRE(ours.sign("1234").has_value());

        ::setenv("CPS_FAULT", "crash_in_sign", 1);
        CHECK(ours.signing_error() == Errc::module_failed);
        CHECK_FALSE(ours.module().card_was_reset());
    }
}
