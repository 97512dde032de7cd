#pragma once

#include "cps/pkcs11_client/module.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

/// What the tests of the module client share: the faulty module with one fault chosen.
namespace cps::test {

using namespace std::chrono_literals;
using pkcs11::CancelSignal;
using pkcs11::Module;
using pkcs11::WrongPin;

// Ample for a module that answers, short for one that never will.
inline constexpr pkcs11::Deadlines short_deadlines{2s, 2s, 2s, 200ms};
inline const Bytes digest_info(51, 0x30);

inline Pin pin_of(std::string_view digits)
{
    Pin pin;
    std::ranges::copy(digits, pin.buffer().begin());
    pin.set_size(digits.size());
    return pin;
}

/// The faulty module with one fault, and what it noted of logins.
class Faulty {
public:
    explicit Faulty(const char* fault)
        : log_{std::filesystem::temp_directory_path() /
               ("cps-faulty-" + std::to_string(::getpid()))}
    {
        std::filesystem::remove(log_);
        ::setenv("CPS_FAULT", fault, 1);
        ::setenv("CPS_FAULT_LOG", log_.c_str(), 1);
        module_.emplace(CPS_AGENT_WORKER, CPS_FAULTY_MODULE, short_deadlines);
        module_->make_ready();
    }
    ~Faulty() { std::filesystem::remove(log_); }

    Module& module() { return *module_; }
    Errc listing_error()
    {
        const auto listing = module_->certificates({});
        return listing ? Errc::internal : listing.error().code();
    }
    Result<pkcs11::SignOutcome> sign(std::string_view pin, CancelSignal cancel = {})
    {
        if (const auto listing = module_->certificates({}); !listing)
            return listing.error();
        return module_->sign(0, pin_of(pin), digest_info, cancel);
    }
    Errc signing_error(std::string_view pin = "1234")
    {
        const auto outcome = sign(pin);
        return outcome ? Errc::internal : outcome.error().code();
    }
    /// The certificate that it has, found again: in its reader, or as `in` says.
    Result<std::vector<pkcs11::TokenCertificate>> find(const char* in = nullptr)
    {
        const auto listing = module_->certificates({});
        if (!listing || listing->empty())
            return listing;
        const auto& one = listing->front();
        return module_->find({in != nullptr ? in : one.reader, one.id, one.der}, {});
    }
    Errc finding_error(const char* in = nullptr)
    {
        const auto found = find(in);
        return found ? Errc::internal : found.error().code();
    }
    /// After `find`.
    Result<pkcs11::SignOutcome> sign_found(std::string_view pin)
    {
        return module_->sign(0, pin_of(pin), digest_info, {});
    }
    int logins() const { return noted("login"); }
    int logouts() const { return noted("logout"); }

private:
    int noted(std::string_view what) const
    {
        std::ifstream log{log_};
        int count = 0;
        for (std::string line; std::getline(log, line);)
            count += line == what ? 1 : 0;
        return count;
    }

    std::filesystem::path log_;
    std::optional<Module> module_; // its worker inherits the environment set before
};

inline bool alive(pid_t pid)
{
    return ::kill(pid, 0) == 0;
}

/// The most memory that a process ever had resident (proc(5), VmHWM).
inline long peak_kilobytes(pid_t pid)
{
    std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string word; status >> word;)
        if (long peak = 0; word == "VmHWM:" && status >> peak)
            return peak;
    FAIL("no such process");
    return 0;
}

/// One end is what a CancelSignal watches; writing to the other makes it readable.
struct CancelPipe {
    CancelPipe() { REQUIRE(::pipe(ends) == 0); }
    ~CancelPipe()
    {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    CancelSignal signal() const { return {ends[0]}; }
    void raise() const { REQUIRE(::write(ends[1], "x", 1) == 1); }
    int ends[2]{};
};

} // namespace cps::test
