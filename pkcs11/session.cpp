#include "session.hpp"

namespace cps::p11 {

CK_STATE Session::state() const noexcept
{
    switch (slot.login()) {
    case Login::user: return read_write ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    case Login::unblocking: return CKS_RW_SO_FUNCTIONS;
    case Login::none: break;
    }
    return read_write ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
}

Object& Session::object(CK_OBJECT_HANDLE wanted, CK_RV otherwise, CK_RV unseen) const
{
    auto& objects = slot.token().objects;
    if (wanted == 0 || wanted > objects.size())
        throw Refusal{otherwise};
    auto& found = objects[wanted - 1];
    if (found.is_private && slot.login() != Login::user)
        throw Refusal{unseen};
    return found;
}

} // namespace cps::p11
