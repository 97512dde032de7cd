// Runs a fuzz target once over each file given, or in each directory given: what fuzzing has
// found stays found. Prints TAP, one line a file.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv)
{
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (int i = 1; i < argc; ++i) {
        const fs::path given{argv[i]};
        if (fs::is_directory(given))
            for (const auto& entry : fs::directory_iterator{given})
                files.push_back(entry.path());
        else
            files.push_back(given);
    }
    std::ranges::sort(files);
    int number = 0;
    for (const auto& path : files) {
        std::ifstream in{path, std::ios::binary};
        const std::vector<char> octets{std::istreambuf_iterator<char>{in}, {}};
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(octets.data()),
                               octets.size());
        std::cout << "ok " << ++number << " - " << path.filename().string() << std::endl;
    }
    std::cout << "1.." << number << '\n';
    return number == 0 ? 1 : 0;
}
