#include "pki/names.hpp"

namespace cps::pki {

NamePtr to_openssl(const DistinguishedName& name)
{
    NamePtr out{must(X509_NAME_new())};
    for (const auto& rdn : name) {
        int set = 0; // 0 opens an RDN, -1 adds to the one before
        for (const auto& [type, value] : rdn) {
            const auto& text = octets(value);
            const int kind = type == "C" ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
            must(X509_NAME_add_entry_by_txt(out.get(), type.c_str(), kind, text.data(),
                                            static_cast<int>(text.size()), -1, set));
            set = -1;
        }
    }
    return out;
}

} // namespace cps::pki
