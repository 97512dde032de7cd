// The module as its hosts have it: loaded, used and unloaded, over a fake PC/SC that is this
// program's. What a life leaves behind shows here, and in full under valgrind or with
// -Db_sanitize=address.
#include "cryptoki.hpp"
#include "support/fake_machine.hpp"

#include <doctest/doctest.h>

#include <dlfcn.h>
#include <malloc.h>

#include <array>
#include <cstdlib>

using namespace cps;

namespace {

constexpr int lives = 1000;
constexpr int lives_with_login = 100;       // one in so many: a login is the dearest
constexpr int first_lives = 100;            // fill what libraries keep for good
constexpr std::size_t may_grow = 32 * 1024; // octets in all: some 36 a life

/// One time in the life of a host.
class Loaded {
public:
    explicit Loaded(const char* path) : library_{::dlopen(path, RTLD_NOW | RTLD_LOCAL)}
    {
        REQUIRE(library_ != nullptr);
        auto* const address = ::dlsym(library_, "C_GetFunctionList");
        REQUIRE(address != nullptr);
        const auto get = reinterpret_cast<CK_C_GetFunctionList>(address);
        REQUIRE(get(&functions_) == CKR_OK);
    }
    ~Loaded() { ::dlclose(library_); }
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;
    CK_FUNCTION_LIST* operator->() const noexcept { return functions_; }

private:
    void* library_;
    CK_FUNCTION_LIST* functions_ = nullptr;
};

CK_OBJECT_HANDLE find(const Loaded& module, CK_SESSION_HANDLE session, CK_OBJECT_CLASS wanted)
{
    CK_ATTRIBUTE attribute{CKA_CLASS, &wanted, sizeof wanted};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    REQUIRE(module->C_FindObjectsInit(session, &attribute, 1) == CKR_OK);
    REQUIRE(module->C_FindObjects(session, &found, 1, &count) == CKR_OK);
    REQUIRE(module->C_FindObjectsFinal(session) == CKR_OK);
    return found;
}

void sign(const Loaded& module, CK_SESSION_HANDLE session)
{
    std::array<CK_UTF8CHAR, 4> pin{'1', '2', '3', '4'};
    CK_MECHANISM mechanism{CKM_SHA256_RSA_PKCS, nullptr, 0};
    std::array<CK_BYTE, 256> signature;
    CK_ULONG size = signature.size();
    REQUIRE(module->C_Login(session, CKU_USER, pin.data(), pin.size()) == CKR_OK);
    const auto key = find(module, session, CKO_PRIVATE_KEY);
    REQUIRE(module->C_SignInit(session, &mechanism, key) == CKR_OK);
    REQUIRE(module->C_Sign(session, pin.data(), pin.size(), signature.data(), &size) == CKR_OK);
}

void live(const char* path, bool with_login)
{
    const Loaded module{path};
    REQUIRE(module->C_Initialize(nullptr) == CKR_OK);
    CK_SESSION_HANDLE session = 0;
    REQUIRE(module->C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &session) == CKR_OK);
    REQUIRE(find(module, session, CKO_CERTIFICATE) != 0);
    if (with_login)
        sign(module, session);
    REQUIRE(module->C_Finalize(nullptr) == CKR_OK); // of a host that forgets to log out
}

} // namespace

TEST_SUITE("module")
{
    TEST_CASE("the module is loaded, used and unloaded 1000 times and leaves nothing behind")
    {
        const char* const path = std::getenv("CPS_MODULE");
        REQUIRE(path != nullptr);
        test::CardInReader card{"infirmiere-cps4"};
        std::size_t in_use = 0;

        for (int life = 0; life != lives; ++life) {
            if (life == first_lives)
                in_use = ::mallinfo2().uordblks;
            live(path, life % lives_with_login == 0);
            REQUIRE(::dlopen(path, RTLD_NOW | RTLD_NOLOAD) == nullptr); // nothing keeps it
        }

        CHECK(::mallinfo2().uordblks < in_use + may_grow);
        CHECK(card.pcsc.open_handles() == 0);
        CHECK(card.pcsc.transactions() == 0);
    }
}
