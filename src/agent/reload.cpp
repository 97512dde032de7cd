#include "reload.hpp"

#include "cps/base/log.hpp"

#include <string>

namespace cps::agent {
namespace {

/// What other threads read, or what was handed out at the start.
std::vector<std::string_view> wants_restart(const Config& now, const Config& fresh)
{
    std::vector<std::string_view> changed;
    const auto look = [&](std::string_view name, bool same) {
        if (!same)
            changed.push_back(name);
    };
    look("module", now.module == fresh.module);
    look("pinentry_program", now.pinentry_program == fresh.pinentry_program);
    look("pin_cache", now.pin_cache == fresh.pin_cache);
    look("session_idle", now.session_idle == fresh.session_idle);
    look("session_max", now.session_max == fresh.session_max);
    look("language", now.language == fresh.language);
    look("consent_days", now.consent_days == fresh.consent_days);
    return changed;
}

void take(Config& now, const Config& fresh)
{
    now.unknown_origins = fresh.unknown_origins;
    now.allow_http_loopback = fresh.allow_http_loopback;
    now.personal_portals = fresh.personal_portals;
    now.log_level = fresh.log_level;
    log::set_level(now.log_level);
}

} // namespace

Reload::Reload(std::filesystem::path file, Settings& settings, Sessions& sessions,
               const Desk& desk, EventStreams& events, PageStreams& pages)
    : file_{std::move(file)},
      settings_{settings},
      sessions_{sessions},
      desk_{desk},
      events_{events},
      pages_{pages}
{
}

Result<Reload::Done> Reload::run()
{
    if (desk_.idle())
        settings_.portals.forget_replaced();
    if (settings_.portals.replaced() >= max_kept)
        return Error{Errc::busy, "the configuration was read too often during one dialog"};

    std::vector<ConfigProblem> problems;
    auto fresh = Settings::load(file_, problems);
    settings_.problems = problems;
    pages_.changed(); // they ask when this is done
    if (!fresh) {
        log::error("the configuration cannot be used; what was read before goes on");
        return Done{};
    }
    fresh->portals.keep(settings_.portals, problems, fresh->config.allow_http_loopback);
    settings_.portals.replace(std::move(fresh->portals));
    Done done{true, wants_restart(settings_.config, fresh->config)};
    take(settings_.config, fresh->config);
    sessions_.end_strangers(settings_.portals);
    events_.end_strangers(settings_.portals);

    for (const auto name : done.restart)
        log::warning("a changed setting waits for a restart: " + std::string{name});
    log::notice("the configuration was read: " +
                std::to_string(settings_.portals.all().size()) + " portals");
    return done;
}

} // namespace cps::agent
