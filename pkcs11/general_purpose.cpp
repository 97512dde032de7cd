// PKCS #11 v3.0, 5.4: general-purpose functions.
#include "function_list.hpp"
#include "module.hpp"
#include "text.hpp"

#include "cps/base/own_module.hpp"

using namespace cps;
using namespace cps::p11;

P11_EXPORT CK_RV C_Initialize(void* init_args)
{
    return guarded([&] {
        auto threads = pcsc::Worker::Threads::allowed;
        if (init_args != nullptr) {
            const auto& args = *static_cast<const CK_C_INITIALIZE_ARGS*>(init_args);
            if (args.pReserved != nullptr)
                throw Refusal{CKR_ARGUMENTS_BAD};
            const int given = (args.CreateMutex != nullptr) + (args.DestroyMutex != nullptr) +
                              (args.LockMutex != nullptr) + (args.UnlockMutex != nullptr);
            if (given != 0 && given != 4)
                throw Refusal{CKR_ARGUMENTS_BAD};
            if (given == 4 && (args.flags & CKF_OS_LOCKING_OK) == 0)
                throw Refusal{
                    CKR_CANT_LOCK}; // the host's locks alone: we have none of its kind
            if ((args.flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS) != 0)
                threads = pcsc::Worker::Threads::forbidden;
        }
        auto config = load_config();
        log::set_level(config.log ? log::Level::error : log::Level{});
        if (threads == pcsc::Worker::Threads::forbidden)
            config.login = LoginMode::shared; // nobody would end an idle login
        start_module(config, threads);
    });
}

P11_EXPORT CK_RV C_Finalize(void* reserved)
{
    return guarded([&] {
        if (reserved != nullptr)
            throw Refusal{CKR_ARGUMENTS_BAD};
        stop_module();
    });
}

P11_EXPORT CK_RV C_GetInfo(CK_INFO_PTR info)
{
    return guarded([&] {
        const Call call;
        auto& out = required(info);
        out = {};
        out.cryptokiVersion = {3, 0};
        fill(out.manufacturerID, own_module_manufacturer);
        fill(out.libraryDescription, own_module_description);
        out.libraryVersion = {0, 1};
    });
}

P11_EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    return guarded([&] { required(list) = function_list_2_40(); });
}

P11_EXPORT CK_RV C_GetInterfaceList(CK_INTERFACE_PTR list, CK_ULONG_PTR count)
{
    return guarded([&] {
        const auto known = interfaces();
        const auto room = required(count);
        *count = known.size();
        if (list == nullptr)
            return;
        if (room < known.size())
            throw Refusal{CKR_BUFFER_TOO_SMALL};
        std::copy(known.begin(), known.end(), list);
    });
}

P11_EXPORT CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version,
                                CK_INTERFACE_PTR_PTR interface, CK_FLAGS flags)
{
    return guarded([&] {
        required(interface) = find_interface(name, version, flags);
        if (*interface == nullptr)
            throw Refusal{CKR_FUNCTION_FAILED};
    });
}
