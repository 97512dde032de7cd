#include "accepted_json.hpp"

#include "cps/base/encoding.hpp"

namespace cps::ctl {
namespace {

boost::json::value to_json(const std::optional<x509::CodedLabel>& coded)
{
    if (!coded)
        return nullptr;
    return boost::json::object{{"code", coded->code}, {"label", coded->label}};
}

} // namespace

boost::json::object to_json(const x509::Holder& holder)
{
    boost::json::object object{
        {"id", holder.id},
        {"id_kind", holder.id_kind},
        {"surname", holder.surname},
        {"given_names", holder.given_names},
        {"card_type", nullptr},
        {"card_number", holder.card_number},
        {"profession", to_json(holder.profession)},
    };
    if (holder.card_type)
        object["card_type"] = x509::name_of(*holder.card_type);
    if (holder.speciality)
        object["speciality"] = to_json(holder.speciality);
    return object;
}

boost::json::object to_json(const verify::Accepted& accepted)
{
    boost::json::object object{
        {"claims", accepted.claims},
        {"holder", to_json(accepted.holder)},
        {"certificate",
         {{"sha256", to_lower_hex(accepted.certificate_sha256)},
          {"not_after", to_number(accepted.certificate_not_after)}}},
    };
    if (const auto& session = accepted.session)
        object["session"] = {{"kid", session->kid},
                             {"renewed", session->renewed},
                             {"limit", session->limit},
                             {"left", session->left},
                             {"ends", to_number(session->ends)}};
    return object;
}

} // namespace cps::ctl
