#pragma once

#include <functional>
#include <memory>
#include <string>

struct sd_bus;
struct sd_bus_message;
struct sd_bus_slot;

namespace cps::agent {

struct LoginFacts;

/// Asks logind which session is this person's: the one that XDG_SESSION_ID names, else the
/// user's display, else that of this process; one of this user that is not closing, and no
/// greeter's or service manager's. A later search takes the place of the one under way. On the
/// bus's thread.
class LoginLookup {
public:
    struct Hooks {
        std::function<void(const std::string& path, const LoginFacts&)> found;
        std::function<void()> none;   ///< logind knows of none
        std::function<void()> nobody; ///< there is no logind to say
    };
    explicit LoginLookup(Hooks hooks);
    ~LoginLookup();
    LoginLookup(const LoginLookup&) = delete;
    LoginLookup& operator=(const LoginLookup&) = delete;

    void start(sd_bus* bus);
    /// Before its bus goes.
    void stop() noexcept { asked_.reset(); }

private:
    struct Unref {
        void operator()(sd_bus_slot* slot) const noexcept;
    };
    /// Ways to the session, the best first.
    enum class Way { environment, display, process, none };

    void try_way();
    void next_way();
    bool is_refusal(sd_bus_message* reply);
    void session_named(sd_bus_message* reply);
    void user_named(sd_bus_message* reply);
    void display_named(sd_bus_message* reply);
    void ask_facts(const std::string& path);
    void facts_told(sd_bus_message* reply);

    const Hooks hooks_;
    sd_bus* bus_ = nullptr;
    std::unique_ptr<sd_bus_slot, Unref> asked_; ///< the question under way
    Way way_ = Way::environment;
    std::string candidate_; ///< the session that is being asked about
};

} // namespace cps::agent
