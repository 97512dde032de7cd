#include "pkcs11_client/messages.hpp"
#include "pkcs11_client/wire.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

using namespace cps;
using namespace cps::pkcs11;
using namespace std::chrono_literals;

namespace {

std::vector<TokenCertificate> two_certificates()
{
    return {{0, Bytes(2200, 0x30), {2, 1}, "A reader", "A label", "0123", 3, false},
            {1, Bytes(max_certificate, 0x31), Bytes(max_id, 0x32), std::string(64, 'r'), "", "",
             1, true}};
}

struct Sockets {
    Sockets() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }
    ~Sockets()
    {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    void put(const Bytes& octets) const
    {
        REQUIRE(::send(ends[1], octets.data(), octets.size(), 0) ==
                static_cast<ssize_t>(octets.size()));
    }
    int ends[2]{};
};

Patience soon()
{
    return {std::chrono::steady_clock::now() + 100ms, -1};
}

} // namespace

TEST_SUITE("pkcs11_client")
{
    TEST_CASE("a listing comes back as it went")
    {
        const auto back = decode_listing(encode_listing(two_certificates())).value();

        REQUIRE(back.size() == 2);
        CHECK(back[0].der == Bytes(2200, 0x30));
        CHECK(back[0].id == Bytes{2, 1});
        CHECK(back[0].reader == "A reader");
        CHECK(back[0].token_label == "A label");
        CHECK(back[0].serial == "0123");
        CHECK(back[0].tries_left == 3);
        CHECK_FALSE(back[0].pin_pad);
        CHECK(back[1].index == 1);
        CHECK(back[1].der.size() == max_certificate);
        CHECK(back[1].tries_left == 1);
        CHECK(back[1].pin_pad);
    }

    TEST_CASE("what is wanted comes back as it went, and is refused when it is cut")
    {
        auto body = encode_wanted({"A reader", {2, 1}, Bytes(2200, 0x30)});

        const auto back = decode_wanted(body).value();
        CHECK(back.reader == "A reader");
        CHECK(back.id == Bytes{2, 1});
        CHECK(back.der == Bytes(2200, 0x30));
        for (std::size_t size = 0; size != body.size(); ++size)
            REQUIRE(decode_wanted(ByteView{body}.first(size)).has_error());
        body.push_back(0);
        CHECK(decode_wanted(body).has_error());
    }

    TEST_CASE("a listing cut anywhere, or with an octet too many, is refused")
    {
        auto body = encode_listing({two_certificates()[0]});

        for (std::size_t size = 0; size != body.size(); ++size)
            REQUIRE(decode_listing(ByteView{body}.first(size)).has_error());
        body.push_back(0);
        CHECK(decode_listing(body).has_error());
    }

    TEST_CASE("a listing with a field or a number beyond its limit is refused")
    {
        auto entry = two_certificates()[0];
        entry.der.resize(max_certificate + 1);
        CHECK(decode_listing(encode_listing({entry})).has_error());

        entry = two_certificates()[0];
        entry.reader.assign(65, 'r');
        CHECK(decode_listing(encode_listing({entry})).has_error());

        entry = two_certificates()[0];
        entry.tries_left = 4;
        CHECK(decode_listing(encode_listing({entry})).has_error());

        CHECK(decode_listing(
                  encode_listing(std::vector(max_certificates + 1, TokenCertificate{})))
                  .has_error());
        CHECK(decode_listing(Bytes(4, 0xFF)).has_error());
    }

    TEST_CASE("a sign request comes back as it went, and a cut one is refused")
    {
        const auto body = encode_sign_request(Bytes(2200, 1), Bytes(51, 2));

        const auto back = decode_sign_request(body).value();

        CHECK(back.certificate == Bytes(2200, 1));
        CHECK(back.digest_info == Bytes(51, 2));
        CHECK(decode_sign_request(ByteView{body}.first(body.size() - 1)).has_error());
        CHECK(decode_sign_request({}).has_error());
    }

    TEST_CASE("a refusal keeps its code and its CK_RV, and an unknown one is module_failed")
    {
        for (const auto code : {Errc::module_failed, Errc::pin_blocked, Errc::card_removed,
                                Errc::card_in_use, Errc::not_supported, Errc::bad_argument}) {
            const auto back = decode_refusal(encode_refusal({code, "why", 0xA4}));
            CHECK(back.code() == code);
            CHECK(back.native() == 0xA4);
        }

        CHECK(decode_refusal(encode_refusal({Errc::too_large, "why"})).code() ==
              Errc::module_failed);
        CHECK(decode_refusal({}).code() == Errc::module_failed);
        CHECK(decode_refusal(Bytes(9, 0xFF)).code() == Errc::module_failed);
    }

    TEST_CASE("a wrong PIN has one to three tries left")
    {
        CHECK(decode_wrong_pin(Bytes{2}).value().tries_left == 2);
        CHECK(decode_wrong_pin(Bytes{0}).has_error());
        CHECK(decode_wrong_pin(Bytes{4}).has_error());
        CHECK(decode_wrong_pin({}).has_error());
        CHECK(decode_wrong_pin(Bytes{2, 0}).has_error());
    }

    TEST_CASE("a frame above its kind's limit is refused before its body is read")
    {
        const Sockets sockets;
        sockets.put({static_cast<std::uint8_t>(Kind::signature), 0, 0, 4, 2});

        const auto frame = Wire{sockets.ends[0]}.receive(soon());

        CHECK(frame.error().native() == EBADMSG);
    }

    TEST_CASE("a frame of an unknown kind and a PIN out of turn are refused")
    {
        const Sockets sockets;
        sockets.put({99, 0, 0, 0, 0});
        CHECK(Wire{sockets.ends[0]}.receive(soon()).error().native() == EBADMSG);

        sockets.put({static_cast<std::uint8_t>(Kind::pin), 0, 0, 0, 1});
        CHECK(Wire{sockets.ends[0]}.receive(soon()).error().native() == EBADMSG);

        Pin pin;
        sockets.put({static_cast<std::uint8_t>(Kind::pin), 0, 0, 0, 65});
        CHECK(Wire{sockets.ends[0]}.receive_pin(pin, soon()).error().native() == EBADMSG);
    }

    TEST_CASE("a frame that stops in the middle ends at the deadline")
    {
        const Sockets sockets;
        sockets.put({static_cast<std::uint8_t>(Kind::signature), 0, 0, 1, 0, 1, 2, 3});

        CHECK(Wire{sockets.ends[0]}.receive(soon()).error().native() == ETIMEDOUT);
    }

    TEST_CASE("a peer that reads nothing ends a long frame at the deadline")
    {
        const Sockets sockets;
        const int small = 4096;
        ::setsockopt(sockets.ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);

        const auto sent = Wire{sockets.ends[0]}.send(Kind::listed, Bytes(500'000), soon());

        CHECK(sent.error().native() == ETIMEDOUT);
    }

    TEST_CASE("frames longer than the socket's buffer arrive whole")
    {
        const Sockets sockets;
        const int small = 4096;
        ::setsockopt(sockets.ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        Bytes body(300'000);
        for (std::size_t i = 0; i != body.size(); ++i)
            body[i] = static_cast<std::uint8_t>(i * 7);
        const Patience patience{std::chrono::steady_clock::now() + 5s, -1};
        std::jthread sender{[&] {
            CHECK(Wire{sockets.ends[0]}.send(Kind::listed, body, patience).has_value());
        }};

        CHECK(Wire{sockets.ends[1]}.receive(patience).value().body == body);
    }
}
