#include "examination.hpp"

#include "agent/broker_link.hpp"
#include "agent/config.hpp"
#include "agent/journal_files.hpp"
#include "agent/portals.hpp"
#include "agent/runtime_dir.hpp"
#include "agent_call.hpp"
#include "pcsc/service_socket.hpp"
#include "port_holder.hpp"

#include "cps/base/clock.hpp"
#include "cps/base/unique_handle.hpp"
#include "cps/pcsc/card.hpp"
#include "cps/pcsc/connection.hpp"
#include "cps/pcsc/watcher.hpp"
#include "cps/pkcs11_client/module.hpp"
#include "cps/x509/certificate.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace cps::ctl {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::seconds;

constexpr std::uint16_t agent_port = 27743; // docs/http-api.md

/// 0 where somebody listens at `address`, else errno.
int connect_to(const sockaddr* address, socklen_t size)
{
    const UniqueFd socket{::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    return socket && ::connect(socket.get(), address, size) == 0 ? 0 : errno;
}

/// Is there a service that does not want us? polkit's refusal closes the connection; a socket
/// of another mode refuses it.
bool refuses(const std::filesystem::path& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto text = path.string();
    if (text.size() >= sizeof address.sun_path)
        return false;
    std::memcpy(address.sun_path, text.data(), text.size());
    const int failure = connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return failure == 0 || failure == EACCES;
}

bool listens_on_loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// Compares `1.10.2` number by number; what is no number counts as 0.
bool is_older(std::string_view version, std::string_view than)
{
    const auto next = [](std::string_view& rest) {
        unsigned number = 0;
        const auto dot = std::min(rest.find('.'), rest.size());
        std::from_chars(rest.data(), rest.data() + dot, number);
        rest.remove_prefix(std::min(dot + 1, rest.size()));
        return number;
    };
    while (!version.empty() || !than.empty()) {
        const auto left = next(version);
        const auto right = next(than);
        if (left != right)
            return left < right;
    }
    return false;
}

/// While it lives, nothing reaches standard error: the module's process inherits it, and the
/// findings say what matters.
class Hush {
public:
    Hush() : kept_{::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)}
    {
        const UniqueFd nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
        if (kept_ && nowhere)
            ::dup2(nowhere.get(), STDERR_FILENO);
    }
    ~Hush()
    {
        if (kept_)
            ::dup2(kept_.get(), STDERR_FILENO);
    }
    Hush(const Hush&) = delete;
    Hush& operator=(const Hush&) = delete;

private:
    UniqueFd kept_;
};

class Examination {
public:
    explicit Examination(const Patient& patient) : patient_{patient} {}

    std::vector<Finding> run()
    {
        look_at_configuration();
        look_at_clock();
        look_at_readers();
        look_at_certificates();
        look_at_agent();
        look_at_journal();
        return std::move(findings_);
    }

private:
    void find(Fault fault, std::string subject = {})
    {
        findings_.push_back({fault, std::move(subject)});
    }
    void look_at_configuration();
    void look_at_clock();
    void look_at_readers();
    void look_at_reader(const pcsc::Reader& reader);
    void look_at_certificates();
    void explain_missing();
    void look_at_certificate(const x509::Certificate& certificate);
    void look_at_agent();
    void look_at_journal();

    const Patient& patient_;
    std::vector<Finding> findings_;
    std::string module_;             // empty where the configuration names none that is safe
    std::filesystem::path broker_;   // its socket for agents; empty where none is used
    std::vector<std::string> known_; // readers with a card of the CPS family
    const EpochSeconds now_ = SystemClock{}.now();
};

void Examination::look_at_configuration()
{
    std::vector<agent::ConfigProblem> problems;
    const auto config = agent::Config::load(patient_.configuration, problems);
    if (config) {
        module_ = config->module;
        broker_ = agent::broker_socket(*config);
        agent::Portals portals;
        portals.load(patient_.configuration.parent_path() / "portals.d",
                     config->allow_http_loopback, problems);
        if (const auto own = agent::personal_config_dir();
            config->personal_portals && !own.empty())
            portals.load(own / "portals.d", config->allow_http_loopback, problems);
    }
    for (const auto& problem : problems)
        find(Fault::configuration, problem.str());
}

/// The machine cannot live before its own files were written.
void Examination::look_at_clock()
{
    std::error_code absent;
    const auto written = std::filesystem::last_write_time(patient_.configuration, absent);
    if (absent)
        return;
    const auto when = floor<seconds>(std::chrono::file_clock::to_sys(written));
    if (when > now_ + days{1})
        find(Fault::clock_off, patient_.configuration.string() + " is newer than now");
}

void Examination::look_at_readers()
{
    const auto snapshot = pcsc::Watcher{}.now();
    if (!snapshot.service)
        return find(refuses(pcsc::service_socket()) ? Fault::service_refused
                                                    : Fault::service_absent);
    if (snapshot.readers.empty())
        return find(Fault::no_reader);
    const auto is_empty = [](const auto& one) { return one.card == pcsc::CardState::absent; };
    if (std::ranges::all_of(snapshot.readers, is_empty))
        return find(Fault::no_card);
    for (const auto& reader : snapshot.readers)
        if (!is_empty(reader))
            look_at_reader(reader);
}

void Examination::look_at_reader(const pcsc::Reader& reader)
{
    // The snapshot knows of an exclusive holder only from the next event on; a look tells now.
    const auto opened = pcsc::Connection::open(reader.name);
    if (opened) {
        if (pcsc::family_of(reader.atr) == pcsc::Family::unknown)
            return find(Fault::card_unknown, reader.name);
        known_.push_back(reader.name);
        return;
    }
    switch (opened.error().code()) {
    case Errc::card_in_use: return find(Fault::reader_in_use, reader.name);
    case Errc::card_mute: return find(Fault::card_mute, reader.name);
    case Errc::no_service: return find(Fault::service_refused, reader.name);
    default: return; // gone in between
    }
}

void Examination::look_at_certificates()
{
    if (module_.empty())
        return; // told with the configuration
    const Hush hush;
    std::vector<pkcs11::TokenCertificate> listed;
    try {
        auto certificates =
            pkcs11::Module{agent::worker_path(), module_}.certificates(pkcs11::CancelSignal{});
        if (!certificates) {
            const auto before = findings_.size();
            explain_missing(); // modules fail with a mute card, too
            if (findings_.size() == before || findings_.back().fault != Fault::card_mute) {
                findings_.resize(before);
                find(Fault::module_failed, module_);
            }
            return;
        }
        listed = *std::move(certificates);
    } catch (const Error&) {
        return find(Fault::module_failed, module_);
    }
    bool any = false;
    for (const auto& one : listed) {
        const auto certificate = x509::Certificate::from_der(one.der);
        if (!certificate || !certificate->is_authentication_certificate())
            continue;
        any = true;
        look_at_certificate(*certificate);
    }
    if (!any)
        explain_missing();
}

/// A module passes over a card that does not answer; a reset tells.
void Examination::explain_missing()
{
    for (const auto& reader : known_) {
        const auto reset = pcsc::reset_card(reader);
        if (reset)
            find(Fault::certificate_missing, reader);
        else if (reset.error().code() != Errc::no_card)
            find(Fault::card_mute, reader);
    }
}

void Examination::look_at_certificate(const x509::Certificate& certificate)
{
    const auto left = floor<days>(certificate.not_after() - now_).count();
    if (now_ < certificate.not_before())
        find(Fault::clock_off, "the card's certificate is from the future");
    else if (certificate.not_after() < now_)
        find(Fault::certificate_expired, std::to_string(-left) + " d");
    else if (left < expiring_days)
        find(Fault::certificate_expiring, std::to_string(left) + " d");
}

void Examination::look_at_agent()
{
    std::int64_t port = 0;
    try {
        const auto status = call_agent(patient_.control_socket, "GET", "/control/status");
        port = status.at("port").to_number<std::int64_t>();
        const std::string version{status.at("version").as_string()};
        if (is_older(version, CPS_VERSION))
            find(Fault::agent_outdated, version + " < " + CPS_VERSION);
        const auto* const login = status.if_contains("login"); // older agents do not tell
        if (login != nullptr && *login != "heard" && *login != "unknown")
            find(Fault::login_unheard, std::string{login->as_string()});
    } catch (const AgentAbsent&) {
        find(Fault::agent_absent);
    }
    const auto holder = port_holder(agent_port);
    if (port == agent_port || (!holder && !listens_on_loopback(agent_port)))
        return;
    if (!holder || !is_broker(*holder, broker_))
        find(Fault::port_taken, holder ? holder->str() : "");
    else if (port != 0)
        find(Fault::broker_missed, "port " + std::to_string(port));
}

void Examination::look_at_journal()
{
    const agent::JournalFiles files{agent::personal_state_dir()};
    if (files.dir.empty())
        return;
    if (const auto report = agent::check_journal(files); report.fault)
        return find(Fault::journal_broken, report.fault->str());
    std::error_code ec;
    for (const auto& file : {files.broken(), files.broken_older()})
        if (std::filesystem::exists(file, ec))
            return find(Fault::journal_broken, file.string());
}

} // namespace

std::vector<Finding> examine(const Patient& patient)
{
    return Examination{patient}.run();
}

} // namespace cps::ctl
