// Prints each snapshot of the reader monitor as one line, until standard input ends; the line
// "reset NAME" resets the card in that reader. Tests in other languages drive it.
#include "cps/base/encoding.hpp"
#include "cps/pcsc/card.hpp"
#include "cps/pcsc/monitor.hpp"

#include <iostream>
#include <string>

int main()
{
    const cps::pcsc::Monitor monitor{[](const cps::pcsc::Snapshot& seen) {
        std::string line = seen.service ? "service" : "no service";
        for (const auto& reader : seen.readers)
            line += " | " + reader.name + " " + std::to_string(static_cast<int>(reader.card)) +
                    " " + cps::to_hex(reader.atr);
        std::cout << line << std::endl;
    }};
    for (std::string order; std::getline(std::cin, order);)
        if (order.starts_with("reset "))
            std::cout << (cps::pcsc::reset_card(order.substr(6)) ? "done" : "refused")
                      << std::endl;
}
