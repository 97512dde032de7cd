// PKCS #11 v3.0, 5.7: object management.
#include "module.hpp"

#include "cps/base/own_module.hpp"

#include <algorithm>

using namespace cps;
using namespace cps::p11;

namespace {

constexpr CK_ULONG max_template = 256; // attributes: above any client's

std::span<CK_ATTRIBUTE> attributes(CK_ATTRIBUTE_PTR list, CK_ULONG count)
{
    if ((list == nullptr && count != 0) || count > max_template)
        throw Refusal{CKR_ARGUMENTS_BAD};
    return {list, count};
}

bool matches(Slot& slot, Object& object, std::span<const CK_ATTRIBUTE> wanted)
{
    return std::ranges::all_of(wanted, [&](const CK_ATTRIBUTE& attribute) {
        const auto value = input(attribute.pValue, attribute.ulValueLen);
        if (object.data && attribute.type == CKA_VALUE)
            return std::ranges::equal(slot.data_value(object), value);
        const auto* const has = slot.attribute(object, attribute.type);
        return has != nullptr && std::ranges::equal(*has, value);
    });
}

/// Puts one value by the rules of C_GetAttributeValue. @returns what to answer in the end.
CK_RV put_value(CK_ATTRIBUTE& attribute, const Bytes& value)
{
    if (attribute.pValue == nullptr) {
        attribute.ulValueLen = value.size();
        return CKR_OK;
    }
    if (attribute.ulValueLen < value.size()) {
        attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_BUFFER_TOO_SMALL;
    }
    std::ranges::copy(value, static_cast<std::uint8_t*>(attribute.pValue));
    attribute.ulValueLen = value.size();
    return CKR_OK;
}

CK_RV put_attribute(Slot& slot, Object& object, CK_ATTRIBUTE& attribute)
{
    if (object.data && attribute.type == CKA_VALUE)
        return put_value(attribute, slot.data_value(object));
    if (object.object_class == CKO_CERTIFICATE && attribute.type == own_module_value_on_card)
        return put_value(attribute, slot.certificate_on_card(object));
    if (const auto* const value = slot.attribute(object, attribute.type); value != nullptr)
        return put_value(attribute, *value);
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return is_sensitive(object, attribute.type) ? CKR_ATTRIBUTE_SENSITIVE
                                                : CKR_ATTRIBUTE_TYPE_INVALID;
}

/// For functions that the standard never lets answer USER_NOT_LOGGED_IN: what a session may not
/// see is not there.
Object& readable(const Session& session, CK_OBJECT_HANDLE object)
{
    return session.object(object, CKR_OBJECT_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID);
}

/// Nothing on the card may be changed by us: answers for those who try.
[[noreturn]] void refuse_change(const Session& session, CK_OBJECT_HANDLE object)
{
    const std::scoped_lock lock{session.slot.mutex};
    readable(session, object);
    throw Refusal{session.read_write ? CKR_ACTION_PROHIBITED : CKR_SESSION_READ_ONLY};
}

bool is_set(const CK_ATTRIBUTE& attribute)
{
    return attribute.pValue != nullptr && attribute.ulValueLen == sizeof(CK_BBOOL) &&
           *static_cast<const CK_BBOOL*>(attribute.pValue) != CK_FALSE;
}

} // namespace

P11_EXPORT CK_RV C_CreateObject(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR list, CK_ULONG count,
                                CK_OBJECT_HANDLE_PTR object)
{
    return guarded([&] {
        const SessionCall session{handle};
        required(object);
        const auto wanted = attributes(list, count);
        if (std::ranges::find(wanted, CKA_CLASS, &CK_ATTRIBUTE::type) == wanted.end())
            throw Refusal{CKR_TEMPLATE_INCOMPLETE};
        const auto on_token = std::ranges::find(wanted, CKA_TOKEN, &CK_ATTRIBUTE::type);
        if (on_token == wanted.end() || !is_set(*on_token))
            throw Refusal{CKR_FUNCTION_NOT_SUPPORTED}; // no session objects
        throw Refusal{session->read_write ? CKR_TOKEN_WRITE_PROTECTED : CKR_SESSION_READ_ONLY};
    });
}

P11_EXPORT CK_RV C_CopyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object,
                              CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_OBJECT_HANDLE_PTR copy)
{
    return guarded([&] {
        const SessionCall session{handle};
        required(copy);
        attributes(list, count);
        refuse_change(*session, object);
    });
}

P11_EXPORT CK_RV C_DestroyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object)
{
    return guarded([&] {
        const SessionCall session{handle};
        refuse_change(*session, object);
    });
}

P11_EXPORT CK_RV C_SetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object,
                                     CK_ATTRIBUTE_PTR list, CK_ULONG count)
{
    return guarded([&] {
        const SessionCall session{handle};
        attributes(list, count);
        refuse_change(*session, object);
    });
}

P11_EXPORT CK_RV C_GetObjectSize(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object,
                                 CK_ULONG_PTR size)
{
    return guarded([&] {
        const SessionCall session{handle};
        auto& out = required(size);
        auto& slot = session->slot;
        const std::scoped_lock lock{slot.mutex};
        auto& found = readable(*session, object);
        CK_ULONG sum = 0;
        if (found.data)
            sum += slot.data_value(found).size();
        slot.attribute(found, CKA_SUBJECT); // completes it
        for (const auto& [type, value] : found.attributes)
            sum += value.size();
        out = sum;
    });
}

P11_EXPORT CK_RV C_GetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object,
                                     CK_ATTRIBUTE_PTR list, CK_ULONG count)
{
    return guarded([&] {
        const SessionCall session{handle};
        const auto asked = attributes(list, count);
        auto& slot = session->slot;
        const std::scoped_lock lock{slot.mutex};
        auto& found = readable(*session, object);
        CK_RV answer = CKR_OK;
        for (auto& attribute : asked)
            if (const auto rv = put_attribute(slot, found, attribute); rv != CKR_OK)
                answer = rv; // all of them are processed; any of the codes may be told
        if (answer != CKR_OK)
            throw Refusal{answer};
    });
}

P11_EXPORT CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR list,
                                   CK_ULONG count)
{
    return guarded([&] {
        const SessionCall session{handle};
        auto& slot = session->slot;
        if (session->find)
            throw Refusal{CKR_OPERATION_ACTIVE};
        const auto wanted = attributes(list, count);
        const std::scoped_lock lock{slot.mutex};
        auto& objects = slot.token().objects;
        FindOperation find;
        for (std::size_t i = 0; i != objects.size(); ++i)
            if ((!objects[i].is_private || slot.login() == Login::user) &&
                matches(slot, objects[i], wanted))
                find.found.push_back(i + 1);
        session->find = std::move(find);
    });
}

P11_EXPORT CK_RV C_FindObjects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE_PTR objects,
                               CK_ULONG max_count, CK_ULONG_PTR count)
{
    return guarded([&] {
        const SessionCall session{handle};
        if (!session->find)
            throw Refusal{CKR_OPERATION_NOT_INITIALIZED};
        auto& out = required(count);
        if (objects == nullptr && max_count != 0)
            throw Refusal{CKR_ARGUMENTS_BAD};
        auto& find = *session->find;
        const auto given = std::min<std::size_t>(max_count, find.found.size() - find.given);
        std::copy_n(find.found.begin() + static_cast<std::ptrdiff_t>(find.given), given,
                    objects);
        find.given += given;
        out = given;
    });
}

P11_EXPORT CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle)
{
    return guarded([&] {
        const SessionCall session{handle};
        if (!session->find)
            throw Refusal{CKR_OPERATION_NOT_INITIALIZED};
        session->find.reset();
    });
}
