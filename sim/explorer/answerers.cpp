// Systematic search, and schedules as text.
#include "explorer/answerers.hpp"

#include <charconv>
#include <ranges>

#include "text.hpp"
#include "twinpipe/sim/explore.hpp"

namespace tp::sim {

std::unique_ptr<answerer> random_choices(std::uint64_t seed) {
  return std::make_unique<random_answerer>(seed);
}

std::uint32_t exhaustive_answerer::answer(std::uint32_t bound, choice what) {
  const bool by_chance = what == choice::postpone || what == choice::spurious || what == choice::length ||
                         what == choice::accept || what == choice::close || what == choice::pid ||
                         what == choice::random;
  return given_.add(by_chance ? 0 : decide(bound, what == choice::preempt));
}

std::vector<std::uint32_t> exhaustive_answerer::given() const {
  std::vector<std::uint32_t> all(given_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = given_[i];
  return all;
}

std::uint32_t exhaustive_answerer::decide(std::uint32_t bound, bool preempts) {
  if (next_ == path_.size()) {
    // Without preemptions left there is no alternative, so that none is tried.
    path_.push_back({0, preempts && spent_ == most_ ? 1 : bound});
  }
  const decision& here = path_[next_++];
  if (preempts && here.value != 0) ++spent_;
  return here.value;
}

bool exhaustive_answerer::advance() {
  path_.resize(next_);
  given_.clear();
  next_ = 0;
  spent_ = 0;
  while (!path_.empty() && path_.back().value + 1 >= path_.back().bound) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().value;
  return true;
}

std::string schedule::to_string() const {
  if (seed) return join(schedule_format, "-seed-", hex(*seed));
  std::size_t length = choices.size();
  while (length > 0 && choices[length - 1] == 0) --length;
  std::string text = join(schedule_format, "-path");
  for (std::size_t i = 0; i < length;) {
    std::size_t end = i + 1;
    while (end < length && choices[end] == choices[i]) ++end;
    text += join(i == 0 ? '-' : '.', choices[i]);
    if (end - i > 1) text += join('x', end - i);
    i = end;
  }
  return text;
}

namespace {

template <class Number>
bool read(std::string_view text, Number& into, int base = 10) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return problem == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<schedule> schedule::parse(std::string_view text) {
  constexpr std::uint32_t most_repeated = 10'000'000;
  const std::string prefix = join(schedule_format, '-');
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  schedule made;
  if (text.starts_with("seed-"))
    return read(text.substr(5), made.seed.emplace(), 16) ? std::optional(made) : std::nullopt;
  if (text == "path") return made;
  if (!text.starts_with("path-")) return std::nullopt;
  for (const auto part : text.substr(5) | std::views::split('.')) {
    const std::string_view word(part.begin(), part.end());
    const auto times = word.find('x');
    std::uint32_t value = 0, count = 1;
    if (!read(word.substr(0, times), value)) return std::nullopt;
    if (times != std::string_view::npos && !read(word.substr(times + 1), count)) return std::nullopt;
    if (count > most_repeated) return std::nullopt;
    made.choices.insert(made.choices.end(), count, value);
  }
  return made;
}

}  // namespace tp::sim
