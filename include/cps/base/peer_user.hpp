#pragma once

#include <sys/types.h>

#include <optional>

namespace cps {

/// Whose the other end of an accepted Unix socket is (SO_PEERCRED). Nothing in doubt.
std::optional<uid_t> local_peer_user(int fd) noexcept;

/// Whose the other end of an accepted TCP socket is, if it is a socket of this machine: asks
/// the kernel (sock_diag(7)) for the one socket with the two addresses turned round. Nothing
/// in doubt: no answer or not exactly one, a socket that no process holds any more, a user
/// that has no number in this user namespace. Looks in the caller's network namespace; blocks
/// for microseconds.
std::optional<uid_t> tcp_peer_user(int fd) noexcept;

} // namespace cps
