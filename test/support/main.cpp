#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <iostream>
#include <mutex>
#include <sstream>

namespace {

/// Test Anything Protocol, one line a test case, so that `meson test` counts cases and not
/// programs. Failed assertions are told on standard error.
class TapReporter final : public doctest::IReporter {
public:
    explicit TapReporter(const doctest::ContextOptions& options) : options_{options} {}

    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats&) override
    {
        std::cout << "1.." << number_ << '\n';
    }
    void test_case_start(const doctest::TestCaseData& data) override
    {
        const std::scoped_lock lock{mutex_};
        name_ = data.m_name;
        suite_ = data.m_test_suite;
    }
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats& stats) override
    {
        std::string shown = suite_ + ": " + name_;
        for (auto& c : shown)
            if (c == '#') // would start a TAP directive
                c = '.';
        std::cout << (stats.failure_flags == 0 ? "ok " : "not ok ") << ++number_ << " - "
                  << shown << std::endl;
    }
    void test_case_exception(const doctest::TestCaseException& e) override
    {
        std::cerr << suite_ << ": " << name_ << ": threw " << e.error_string << '\n';
    }
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData& data) override
    {
        if (!data.m_failed)
            return;
        const std::scoped_lock lock{mutex_};
        std::cerr << data.m_file << ':' << data.m_line << ": " << name_ << "\n    "
                  << data.m_expr << "\n    "
                  << (data.m_threw ? data.m_exception.c_str() : data.m_decomp.c_str()) << '\n';
    }
    void log_message(const doctest::MessageData& data) override
    {
        std::cerr << data.m_file << ':' << data.m_line << ": " << data.m_string << '\n';
    }
    void test_case_skipped(const doctest::TestCaseData&) override {}

private:
    const doctest::ContextOptions& options_;
    std::mutex mutex_;
    std::string name_;
    std::string suite_;
    int number_ = 0;
};

DOCTEST_REGISTER_REPORTER("tap", 1, TapReporter);

} // namespace
