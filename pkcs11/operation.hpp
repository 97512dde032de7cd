#pragma once

#include "cryptoki.hpp"

#include <optional>

namespace cps::p11 {

/// How data come to an operation: chosen by the first call, and kept. The function for one way
/// does not end what the other way began (PKCS #11 v3.0, 5.12 to 5.14).
enum class Feeding { open, at_once, in_parts };

/// One call of an active operation. `take` returns whether it is done. Whatever fails ends the
/// operation, but a buffer that is too small (5.2), and a call for the whole in the midst of
/// parts.
/// @throws Refusal OPERATION_NOT_INITIALIZED, OPERATION_ACTIVE; what `take` throws.
template <class Operation, class Take>
void step(std::optional<Operation>& operation, Feeding feeding, Take take)
{
    if (!operation)
        throw Refusal{CKR_OPERATION_NOT_INITIALIZED};
    if (operation->feeding == Feeding::in_parts && feeding == Feeding::at_once)
        throw Refusal{CKR_OPERATION_ACTIVE};
    try {
        if (operation->feeding == Feeding::at_once && feeding == Feeding::in_parts)
            throw Refusal{CKR_OPERATION_ACTIVE};
        operation->feeding = feeding;
        if (take(*operation))
            operation.reset();
    } catch (const Refusal& refusal) {
        if (refusal.rv != CKR_BUFFER_TOO_SMALL)
            operation.reset();
        throw;
    } catch (...) {
        operation.reset();
        throw;
    }
}

/// A null mechanism ends the operation that is active (PKCS #11 v3.0, 5.12.1, 5.13.1).
template <class Operation>
bool ended_by(const CK_MECHANISM* mechanism, std::optional<Operation>& operation)
{
    if (mechanism != nullptr || !operation)
        return false;
    operation.reset();
    return true;
}

} // namespace cps::p11
