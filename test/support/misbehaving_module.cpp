// A PKCS #11 module that works, by handing every call to CPS_REAL_MODULE, until the file
// CPS_MISDEED tells it to go wrong: "MISDEED FUNCTION", as in "hang C_Login". It is read anew
// at each call, so that a test changes the module's mind while the agent runs.

#include <pkcs11-helper-1.0/pkcs11.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

namespace {

constexpr CK_ULONG absurd = CK_ULONG{1} << 40;
constexpr int most_descriptors = 4096;
constexpr std::size_t most_leaked = 1UL << 30; // octets: more than any worker may have

CK_FUNCTION_LIST real; // NOLINT: a test double lives in a process of its own

std::string misdeed_in(std::string_view function)
{
    const char* const path = std::getenv("CPS_MISDEED");
    std::ifstream file{path != nullptr ? path : ""};
    std::string misdeed;
    std::string where;
    file >> misdeed >> where;
    return where == function ? misdeed : "";
}

void print_much()
{
    for (int i = 0; i != 10'000; ++i)
        std::puts("a module that talks");
    std::fflush(stdout);
}

/// To the last octet, by ever smaller pieces.
void leak_memory()
{
    std::size_t leaked = 0;
    for (std::size_t piece = most_leaked / 64; piece != 0; piece /= 2)
        for (; leaked < most_leaked; leaked += piece) {
            void* const place = std::malloc(piece);
            if (place == nullptr)
                break;
            std::memset(place, 1, piece);
        }
}

/// What takes the same course in each function; what is left is for the function itself.
std::string misbehave(std::string_view function)
{
    const auto misdeed = misdeed_in(function);
    if (misdeed == "crash")
        ::raise(SIGSEGV);
    if (misdeed == "abort")
        std::abort();
    if (misdeed == "exit")
        std::exit(0);
    while (misdeed == "hang")
        ::pause();
    while (misdeed == "spin")
        ::getppid();
    if (misdeed == "print")
        print_much();
    if (misdeed == "close_descriptors")
        for (int fd = 0; fd != most_descriptors; ++fd)
            ::close(fd);
    if (misdeed == "leak_descriptors")
        while (::open("/dev/null", O_RDONLY) >= 0) {
        }
    if (misdeed == "leak_memory")
        leak_memory();
    if (misdeed == "throw")
        throw std::string{"over a C interface"};
    return misdeed;
}

CK_RV initialize(void* arguments)
{
    return misbehave("C_Initialize") == "fail" ? CKR_DEVICE_ERROR
                                               : real.C_Initialize(arguments);
}

CK_RV get_slot_list(unsigned char present, CK_SLOT_ID* slots, CK_ULONG* count)
{
    const auto misdeed = misbehave("C_GetSlotList");
    if (misdeed == "fail")
        return CKR_DEVICE_ERROR;
    if (misdeed == "lie") {
        *count = absurd;
        return CKR_OK;
    }
    return real.C_GetSlotList(present, slots, count);
}

CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char* pin, CK_ULONG size)
{
    return misbehave("C_Login") == "fail" ? CKR_DEVICE_ERROR
                                          : real.C_Login(session, user, pin, size);
}

CK_RV sign(CK_SESSION_HANDLE session, unsigned char* data, CK_ULONG data_size,
           unsigned char* signature, CK_ULONG* size)
{
    const auto misdeed = misbehave("C_Sign");
    if (misdeed == "fail")
        return CKR_DEVICE_ERROR;
    const auto rv = real.C_Sign(session, data, data_size, signature, size);
    if (misdeed == "lie")
        *size = absurd;
    if (misdeed == "forge" && signature != nullptr && rv == CKR_OK)
        signature[0] ^= 1;
    return rv;
}

[[gnu::constructor]] void loaded()
{
    misbehave("load");
}

} // namespace

extern "C" [[gnu::visibility("default")]] CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    static CK_FUNCTION_LIST functions = [] {
        void* const library = ::dlopen(std::getenv("CPS_REAL_MODULE"), RTLD_NOW | RTLD_LOCAL);
        const auto get_list = reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST_PTR_PTR)>(
            ::dlsym(library, "C_GetFunctionList"));
        CK_FUNCTION_LIST_PTR found = nullptr;
        if (get_list(&found) != CKR_OK)
            std::abort();
        real = *found;
        auto f = real;
        f.C_GetFunctionList = C_GetFunctionList;
        f.C_Initialize = initialize;
        f.C_GetSlotList = get_slot_list;
        f.C_Login = login;
        f.C_Sign = sign;
        return f;
    }();
    *list = &functions;
    return CKR_OK;
}
