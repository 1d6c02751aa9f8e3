#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "report/html/page.h"
#include "report/report_testing.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The text of the element with this opening tag.
std::string inside(const std::string& page, const std::string& open, const std::string& close) {
  const std::size_t from = page.find(open);
  if (from == std::string::npos) return "";
  return page.substr(from + open.size(), page.find(close, from) - from - open.size());
}

const char* const kBundle = "<script type=\"application/json\" id=etalon-bundle>";

// The page without its style, its script and its data.
std::string markup_of(std::string page) {
  for (const auto& [open, close] : {std::pair<std::string, std::string>{"<style>", "</style>"}, {kBundle, "</script>"}, {"<script>", "</script>"}}) {
    const std::size_t from = page.find(open);
    if (from != std::string::npos) page.erase(from, page.find(close, from) - from + close.size());
  }
  return page;
}

// Names of tags that are opened and never closed, or closed out of order; elements that need no end are left out.
std::string unbalanced(const std::string& markup) {
  const std::set<std::string> empty = {"meta", "link", "input", "line", "rect", "circle", "path", "br", "!doctype", "img"};
  std::vector<std::string> open;
  for (std::size_t at = markup.find('<'); at != std::string::npos; at = markup.find('<', at + 1)) {
    std::size_t to = at + 1;
    const bool closes = markup[to] == '/';
    if (closes) ++to;
    std::string name;
    while (to < markup.size() && (std::isalnum(static_cast<unsigned char>(markup[to])) != 0 || markup[to] == '!')) name += markup[to++];
    if (name.empty()) return "a bare < near " + markup.substr(at, 40);
    if (empty.count(name) != 0) continue;
    if (!closes) {
      open.push_back(name);
      continue;
    }
    if (open.empty() || open.back() != name) return "</" + name + "> near " + markup.substr(at < 200 ? 0 : at - 200, 220);
    open.pop_back();
  }
  return open.empty() ? "" : "<" + open.back() + ">";
}

TEST(Html, every_element_is_closed_whatever_the_names) {
  EXPECT_EQ(unbalanced(markup_of(write_html(rich_report()))), "");
  EXPECT_EQ(unbalanced(markup_of(write_html(empty_report()))), "");
  EXPECT_EQ(unbalanced(markup_of(write_html(hostile_report()))), "");
}

TEST(Html, hostile_names_become_text) {
  const std::string markup = markup_of(write_html(hostile_report()));
  for (const char* part : {"<script", "<img", "<!--", "\x1b", "onerror=alert(1)>", "'q'"}) EXPECT_THAT(markup, Not(HasSubstr(part))) << part;
  EXPECT_THAT(markup, HasSubstr("&lt;/script&gt;&lt;script&gt;alert(1)"));
}

TEST(Html, the_data_inside_are_those_of_the_json) {
  for (const auto& report : {rich_report(), hostile_report()}) {
    const std::string data = inside(write_html(report), kBundle, "</script>");
    EXPECT_EQ(nlohmann::json::parse(data, nullptr, false), nlohmann::json::parse(write_bundle(report)));
  }
}

TEST(Html, nothing_outside_the_file_is_named) {
  const std::string page = write_html(rich_report());
  const std::string markup = markup_of(page);
  for (const char* part : {"http://", "https://", "src=", "@import", "url("}) EXPECT_THAT(markup, Not(HasSubstr(part))) << part;
  EXPECT_THAT(inside(page, "<style>", "</style>"), Not(HasSubstr("url(")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Html, has_every_section_of_a_full_report_and_none_of_an_empty_one) {
  const std::string full = write_html(rich_report());
  const std::string empty = write_html(empty_report());
  for (const char* id : {"verdict", "table", "time", "advice", "differences", "runs", "latency", "memory"}) {
    EXPECT_THAT(full, HasSubstr(std::string("<section id=") + id)) << id;
    EXPECT_THAT(empty, Not(HasSubstr(std::string("<section id=") + id))) << id;
  }
  for (const char* part : {"class=roof ", "class=tl ", "Where the difference comes from", "class=band"}) EXPECT_THAT(full, HasSubstr(part)) << part;
  for (const char* id : {"findings", "environment"}) EXPECT_THAT(empty, HasSubstr(std::string("<section id=") + id)) << id;
}

TEST(Html, bytes_that_are_not_utf8_are_replaced) {
  EXPECT_EQ(escaped("a\xff\xc3\xa9\xc3"), "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd");
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(escaped("a\xe2\x80\xae" "b"), "a\xef\xbf\xbd" "b");  // would turn what follows
  EXPECT_EQ(escaped("abcd", 2), "ab\xe2\x80\xa6");
  EXPECT_EQ(escaped("<&>\"'\n"), "&lt;&amp;&gt;&quot;&#39; ");
}

TEST(Scale, places_values_between_its_ends) {
  const Scale linear(0, 10, false, 0);
  EXPECT_DOUBLE_EQ(linear.at(5), 50);
  EXPECT_DOUBLE_EQ(linear.at(-1), 0);
  const Scale logarithmic(0.1, 10, true, 10);
  EXPECT_NEAR(logarithmic.at(1), 50, 1e-9);
  EXPECT_NEAR(logarithmic.at(0.1), 10, 1e-9);
  EXPECT_DOUBLE_EQ(logarithmic.at(0), 0);
}

}  // namespace
}  // namespace etalon::report
