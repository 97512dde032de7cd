// A PKCS #11 module with one token, one certificate and one key, that goes wrong on demand.
// CPS_FAULT names the fault ("none": it behaves); CPS_FAULT_LOG is a file that gets one line
// for each C_Login and C_Logout. Its PIN is 1234, three tries a process.

#include <pkcs11-helper-1.0/pkcs11.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr CK_SLOT_ID the_slot = 7;
constexpr CK_OBJECT_HANDLE the_certificate = 1;
constexpr CK_OBJECT_HANDLE the_key = 2;
constexpr std::size_t signature_size = 256;

// A test double lives in one thread of a process of its own.
int tries = 3;                       // NOLINT
bool logged_in = false;              // NOLINT
bool removed = false;                // NOLINT
std::vector<CK_OBJECT_HANDLE> found; // NOLINT

bool fault(std::string_view name)
{
    const char* const wanted = std::getenv("CPS_FAULT");
    if (wanted == nullptr)
        return false;
    const auto all = ' ' + std::string{wanted} + ' ';
    return all.find(' ' + std::string{name} + ' ') != std::string::npos;
}

bool says_it_is_ours()
{
    return fault("says_it_is_ours") || fault("fails_to_log_out");
}

bool has_pin_pad()
{
    return fault("pin_pad") || fault("pin_pad_cancelled");
}

void note(std::string_view line)
{
    const char* const path = std::getenv("CPS_FAULT_LOG");
    if (path == nullptr)
        return;
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (::write(fd, line.data(), line.size()) < 0)
        std::abort();
    ::close(fd);
}

[[noreturn]] void hang()
{
    for (;;)
        ::pause();
}

void crash()
{
    ::raise(SIGSEGV);
}

template <std::size_t Size>
void put(unsigned char (&field)[Size], std::string_view text)
{
    std::memset(field, ' ', Size);
    std::memcpy(field, text.data(), std::min(Size, text.size()));
}

std::string certificate_value()
{
    return fault("long_certificate") ? std::string(20'000, 'x') : "not really a certificate";
}

[[gnu::constructor]] void loaded()
{
    if (fault("crash_at_load"))
        crash();
    if (fault("exit_at_load"))
        ::exit(0);
    if (fault("prints"))
        std::puts("a module that talks");
}

CK_RV initialize(void*)
{
    if (fault("hang_in_initialize"))
        hang();
    if (fault("exit_in_initialize"))
        ::exit(0);
    if (fault("fails_to_initialize"))
        return CKR_DEVICE_ERROR;
    if (fault("prints")) {
        std::puts("and talks");
        std::fflush(stdout);
        return ::write(STDOUT_FILENO, "and talks", 9) == 9 ? CKR_OK : CKR_GENERAL_ERROR;
    }
    if (fault("writes_everywhere")) {
        const std::string noise(4096, '\x11');
        for (int fd = 0; fd != 64; ++fd)
            if (fd != STDERR_FILENO && ::write(fd, noise.data(), noise.size()) < 0)
                continue;
    }
    return CKR_OK;
}

CK_RV finalize(void*)
{
    if (fault("hang_in_finalize"))
        hang();
    if (fault("crash_in_finalize"))
        crash();
    return CKR_OK;
}

CK_RV get_info(CK_INFO* info)
{
    *info = {};
    const bool ours = says_it_is_ours();
    put(info->manufacturerID, ours ? "cps-agent" : "Faulty");
    put(info->libraryDescription, ours ? "CPS card module" : "A module that goes wrong");
    return CKR_OK;
}

CK_RV get_slot_list(unsigned char, CK_SLOT_ID* slots, CK_ULONG* count)
{
    if (fault("absurd_slot_count") && slots != nullptr) {
        *count = CK_ULONG{1} << 40;
        return CKR_OK;
    }
    *count = removed ? 0 : 1;
    if (slots != nullptr && !removed)
        *slots = the_slot;
    return CKR_OK;
}

CK_RV get_slot_info(CK_SLOT_ID, CK_SLOT_INFO* info)
{
    *info = {};
    put(info->slotDescription, "A faulty reader 00 00");
    info->flags = CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
    return CKR_OK;
}

CK_RV get_token_info(CK_SLOT_ID, CK_TOKEN_INFO* info)
{
    if (removed)
        return CKR_TOKEN_NOT_PRESENT;
    *info = {};
    put(info->label, "A faulty card");
    put(info->manufacturerID, "Faulty");
    put(info->model, "1");
    put(info->serialNumber, "0001");
    info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
    const int left = fault("pin_locked") ? 0 : fault("final_try") ? tries - 2 : tries;
    if (left < 3)
        info->flags |= CKF_USER_PIN_COUNT_LOW;
    if (left == 1)
        info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (left <= 0)
        info->flags |= CKF_USER_PIN_LOCKED;
    if (has_pin_pad())
        info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    return CKR_OK;
}

CK_RV open_session(CK_SLOT_ID, CK_FLAGS, void*, CK_NOTIFY, CK_SESSION_HANDLE* session)
{
    *session = 1;
    return CKR_OK;
}

CK_RV close_session(CK_SESSION_HANDLE)
{
    return CKR_OK;
}

CK_RV login(CK_SESSION_HANDLE, CK_USER_TYPE, unsigned char* pin, CK_ULONG size)
{
    note("login\n");
    if (fault("removed_in_login")) {
        removed = true;
        return CKR_DEVICE_ERROR;
    }
    if (fault("refuses_length"))
        return CKR_PIN_LEN_RANGE;
    if (fault("hang_in_login"))
        hang();
    if (has_pin_pad()) { // nobody types, or the right PIN
        logged_in = pin == nullptr && fault("pin_pad");
        return logged_in ? CKR_OK : CKR_FUNCTION_CANCELED;
    }
    if (std::string_view{reinterpret_cast<char*>(pin), size} != "1234") {
        --tries;
        return CKR_PIN_INCORRECT;
    }
    logged_in = true;
    return CKR_OK;
}

CK_RV logout(CK_SESSION_HANDLE)
{
    if (logged_in)
        note("logout\n");
    logged_in = false;
    return fault("fails_to_log_out") ? CKR_FUNCTION_FAILED : CKR_OK;
}

CK_RV find_objects_init(CK_SESSION_HANDLE, CK_ATTRIBUTE* wanted, CK_ULONG count)
{
    CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
    for (CK_ULONG i = 0; i != count; ++i)
        if (wanted[i].type == CKA_CLASS)
            std::memcpy(&object_class, wanted[i].pValue, sizeof object_class);
    found.clear();
    if (object_class == CKO_CERTIFICATE)
        found.assign(fault("many_certificates") ? 90 : 1, the_certificate);
    // Some modules show private keys before the login.
    if (object_class == CKO_PRIVATE_KEY && (logged_in || fault("shows_keys")))
        found.assign(1, the_key);
    return CKR_OK;
}

CK_RV find_objects(CK_SESSION_HANDLE, CK_OBJECT_HANDLE* objects, CK_ULONG most, CK_ULONG* count)
{
    *count = std::min<CK_ULONG>(most, found.size());
    std::copy_n(found.begin(), *count, objects);
    found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(*count));
    return CKR_OK;
}

CK_RV find_objects_final(CK_SESSION_HANDLE)
{
    return CKR_OK;
}

CK_RV get_attribute_value(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE* wanted,
                          CK_ULONG count)
{
    if (fault("hang_in_list"))
        hang();
    for (CK_ULONG i = 0; i != count; ++i) {
        std::string value = wanted[i].type == CKA_ID ? "\x01" : certificate_value();
        if (wanted[i].type != CKA_ID && wanted[i].type != CKA_VALUE && fault("copy_is_stale"))
            value.back() = static_cast<char>(value.back() + 1);
        if (wanted[i].pValue != nullptr)
            std::memcpy(wanted[i].pValue, value.data(), value.size());
        wanted[i].ulValueLen = value.size();
        if (wanted[i].type == CKA_VALUE && fault("absurd_certificate_size"))
            wanted[i].ulValueLen = CK_ULONG{1} << 40;
        if (wanted[i].type == CKA_VALUE && fault("huge_certificate_size"))
            wanted[i].ulValueLen = CK_ULONG{1} << 30;
    }
    return CKR_OK;
}

CK_RV sign_init(CK_SESSION_HANDLE, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE)
{
    if (fault("forgets_the_login") || !logged_in)
        return CKR_USER_NOT_LOGGED_IN;
    return mechanism->mechanism == CKM_RSA_PKCS ? CKR_OK : CKR_MECHANISM_INVALID;
}

CK_RV sign(CK_SESSION_HANDLE, unsigned char*, CK_ULONG, unsigned char* signature,
           CK_ULONG* size)
{
    if (fault("hang_in_sign"))
        hang();
    if (fault("crash_in_sign"))
        crash();
    if (fault("exit_in_sign"))
        ::exit(0);
    if (fault("fails_to_sign"))
        return CKR_DEVICE_ERROR;
    if (fault("removed_in_sign")) {
        removed = true;
        return CKR_GENERAL_ERROR;
    }
    // The library's answer to this one is a new login, which must not happen.
    if (fault("session_dies_in_sign"))
        return CKR_DEVICE_REMOVED;
    if (fault("absurd_signature_size")) {
        *size = CK_ULONG{1} << 40;
        return CKR_OK;
    }
    if (signature != nullptr && *size < signature_size)
        return CKR_BUFFER_TOO_SMALL;
    // As the vendor's module does it.
    if (signature != nullptr && *size > signature_size && !says_it_is_ours())
        return CKR_ARGUMENTS_BAD;
    if (signature != nullptr)
        std::memset(signature, 0x5A, signature_size);
    *size = signature_size;
    if (fault("longer_signature_than_told") && signature != nullptr)
        *size = signature_size * 16;
    return CKR_OK;
}

} // namespace

extern "C" [[gnu::visibility("default")]] CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    static CK_FUNCTION_LIST functions = [] {
        CK_FUNCTION_LIST f{};
        f.version = {2, 20};
        f.C_Initialize = initialize;
        f.C_Finalize = finalize;
        f.C_GetInfo = get_info;
        f.C_GetFunctionList = C_GetFunctionList;
        f.C_GetSlotList = get_slot_list;
        f.C_GetSlotInfo = get_slot_info;
        f.C_GetTokenInfo = get_token_info;
        f.C_OpenSession = open_session;
        f.C_CloseSession = close_session;
        f.C_Login = login;
        f.C_Logout = logout;
        f.C_FindObjectsInit = find_objects_init;
        f.C_FindObjects = find_objects;
        f.C_FindObjectsFinal = find_objects_final;
        f.C_GetAttributeValue = get_attribute_value;
        f.C_SignInit = sign_init;
        f.C_Sign = sign;
        return f;
    }();
    *list = fault("no_functions") ? nullptr : &functions;
    return CKR_OK;
}
