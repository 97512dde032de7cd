#include "cryptoki.hpp"

#include "support/fake_pcsc.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

using namespace cps;

namespace {

constexpr std::array<std::uint8_t, 17> cps3_atr{0x3B, 0xAC, 0x00, 0x40, 0x2A, 0x00,
                                                0x12, 0x25, 0x00, 0x64, 0x80, 0x00,
                                                0x03, 0x10, 0x00, 0x90, 0x00};
constexpr std::array<std::uint8_t, 20> contactless_atr{0x3B, 0x8F, 0x80, 0x01, 0x00, 0x31, 0xB8,
                                                       0x64, 0x04, 0xB0, 0xEC, 0xC1, 0x73, 0x94,
                                                       0x01, 0x80, 0x82, 0x90, 0x00, 0x0E};
constexpr std::array<std::uint8_t, 17> cps4_atr{0x3B, 0x9B, 0x18, 0x80, 0x01, 0x00,
                                                0x12, 0x25, 0x00, 0x64, 0x80, 0x04,
                                                0x01, 0x00, 0x00, 0x90, 0x44};
constexpr std::array<std::uint8_t, 12> serial_file{0x5A, 0x0A, 0x80, 0x25, 0x00, 0x00,
                                                   0x01, 0x99, 0x21, 0x48, 0x03, 0x8F};
constexpr std::size_t max_commands = 20'000; // above what the largest input can lead to

/// A card whose files are the input: each SELECT of a file takes the next piece of it, two
/// octets of length in front. With `raw` every answer is such a piece, status word and all.
class Card {
public:
    Card(ByteView stream, bool raw, bool cps4) : rest_{stream}, raw_{raw}, cps4_{cps4} {}

    Bytes answer(ByteView command)
    {
        if (++commands_ == max_commands)
            std::abort(); // a loop that nothing bounds
        if (raw_ && !rest_.empty()) {
            auto piece = take();
            piece.resize(std::min<std::size_t>(piece.size(), 256));
            return piece.size() < 2 ? with(piece, 0x9000) : piece;
        }
        switch (command.size() > 1 ? command[1] : 0) {
        case 0xA4: return select(command);
        case 0xB0: return read(command);
        case 0x88:
        case 0x2A: return with(Bytes(256, 0x5A), 0x9000);
        case 0x84: return with(Bytes(8, 0xA5), 0x9000);
        case 0x20: return command.size() > 5 ? with({}, 0x9000) : with({}, 0x63C3);
        default: return with({}, 0x9000);
        }
    }

private:
    static Bytes with(Bytes data, unsigned status)
    {
        data.push_back(static_cast<std::uint8_t>(status >> 8));
        data.push_back(static_cast<std::uint8_t>(status & 0xFF));
        return data;
    }
    Bytes take()
    {
        if (rest_.size() < 2) {
            rest_ = {};
            return {};
        }
        const auto size = std::min<std::size_t>(
            static_cast<std::size_t>(rest_[0]) << 8 | rest_[1], rest_.size() - 2);
        auto piece = copy_of(rest_.subspan(2, size));
        rest_ = rest_.subspan(2 + size);
        return piece;
    }
    Bytes select(ByteView command)
    {
        const bool of_serial =
            command.size() >= 7 && command[command[4] + 3U] == 0xD0 && command.size() < 12;
        if (of_serial)
            file_ = copy_of(serial_file);
        else if (rest_.empty())
            return with({}, 0x6A82);
        else
            file_ = take();
        if (!cps4_)
            return with({}, 0x9000);
        return with({0x6F, 0x04, 0x80, 0x02, static_cast<std::uint8_t>(file_.size() >> 8),
                     static_cast<std::uint8_t>(file_.size() & 0xFF)},
                    0x9000);
    }
    Bytes read(ByteView command)
    {
        const auto offset = static_cast<std::size_t>(command[2]) << 8 | command[3];
        if (offset >= file_.size())
            return with({}, 0x6B00);
        const auto wanted = command.size() < 5 || command[4] == 0 ? 256U : command[4];
        const auto part = ByteView{file_}.subspan(offset);
        return with(copy_of(part.first(std::min<std::size_t>(wanted, part.size()))), 0x9000);
    }

    ByteView rest_;
    bool raw_;
    bool cps4_;
    Bytes file_;
    std::size_t commands_ = 0;
};

std::vector<CK_OBJECT_HANDLE> find_all(CK_SESSION_HANDLE session)
{
    std::vector<CK_OBJECT_HANDLE> objects(256);
    CK_ULONG count = 0;
    if (C_FindObjectsInit(session, nullptr, 0) != CKR_OK)
        return {};
    C_FindObjects(session, objects.data(), objects.size(), &count);
    C_FindObjectsFinal(session);
    objects.resize(count);
    return objects;
}

void look_at(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    constexpr std::array<CK_ATTRIBUTE_TYPE, 8> types{
        CKA_CLASS,   CKA_LABEL,   CKA_VALUE,    CKA_ID,
        CKA_SUBJECT, CKA_MODULUS, CKA_END_DATE, CKA_SERIAL_NUMBER};
    std::vector<std::uint8_t> room(32 * 1024);
    for (const auto type : types) {
        CK_ATTRIBUTE attribute{type, room.data(), room.size()};
        C_GetAttributeValue(session, object, &attribute, 1);
    }
    CK_ULONG size = 0;
    C_GetObjectSize(session, object, &size);
}

void use(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM mechanism{type, nullptr, 0};
    std::array<CK_BYTE, 256> block{};
    std::array<CK_BYTE, 512> out{};
    CK_ULONG size = out.size();
    if (C_SignInit(session, &mechanism, object) == CKR_OK)
        C_Sign(session, block.data(), 32, out.data(), &size);
    size = out.size();
    if (C_DecryptInit(session, &mechanism, object) == CKR_OK)
        C_Decrypt(session, block.data(), block.size(), out.data(), &size);
    C_SessionCancel(session, CKF_SIGN | CKF_DECRYPT);
}

void visit()
{
    CK_C_INITIALIZE_ARGS args{};
    args.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS; // one thread: what is found is found again
    if (C_Initialize(&args) != CKR_OK)
        std::abort();
    CK_TOKEN_INFO info;
    C_GetTokenInfo(0, &info);
    CK_SESSION_HANDLE session = 0;
    if (C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) ==
        CKR_OK) {
        std::array<CK_UTF8CHAR, 4> pin{'1', '2', '3', '4'};
        C_Login(session, CKU_USER, pin.data(), pin.size());
        for (const auto object : find_all(session)) {
            look_at(session, object);
            use(session, object, CKM_RSA_PKCS);
            use(session, object, CKM_SHA256_RSA_PKCS);
        }
        std::array<CK_BYTE, 20> random;
        C_GenerateRandom(session, random.data(), random.size());
        C_SetPIN(session, pin.data(), pin.size(), pin.data(), pin.size());
        C_CloseSession(session);
    }
    if (C_Finalize(nullptr) != CKR_OK)
        std::abort();
}

} // namespace

/// The first octet chooses the card and how it answers; the rest is what it says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t max_input = 64 * 1024;
    if (size < 1 || size > max_input)
        return 0;
    [[maybe_unused]] static const bool alone = [] {
        ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
        ::setenv("XDG_CACHE_HOME", "/nonexistent", 1);
        return true;
    }();
    const unsigned kind = data[0] % 3U;
    const auto atr = kind == 0   ? ByteView{cps3_atr}
                     : kind == 1 ? ByteView{cps4_atr}
                                 : ByteView{contactless_atr};
    Card card{{data + 1, size - 1}, (data[0] & 0x80) != 0, kind == 1};
    test::FakePcsc pcsc;
    pcsc.add("Fake Reader 00 00", {copy_of(atr),
                                   true,
                                   [&card](ByteView command) { return card.answer(command); },
                                   [] {},
                                   {}});

    visit();

    if (pcsc.open_handles() != 0 || pcsc.transactions() != 0)
        std::abort();
    return 0;
}
