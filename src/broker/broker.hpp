#pragma once

#include "agents.hpp"
#include "inherited.hpp"

#include <poll.h>

#include <vector>

namespace cps::broker {

/// Gives each browser's connection to the agent of the user it came from. Reads nothing of
/// what browsers send, keeps no connection, waits for nobody. One thread.
class Broker {
public:
    explicit Broker(Inherited sockets);

    /// Until `stop` (a descriptor) can be read.
    void run(int stop);

private:
    bool accept_agents();
    bool accept_browsers(int listener);

    Inherited sockets_;
    Agents agents_;
    std::vector<pollfd> waiting_; // kept for its room
};

} // namespace cps::broker
