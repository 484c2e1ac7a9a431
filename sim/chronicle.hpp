// What happened in a world: its decisions, all of them, the last of its events, and the hash of both.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "choice_record.hpp"
#include "kept_memory.hpp"
#include "twinpipe/sim/choice.hpp"
#include "twinpipe/time.hpp"

namespace tp::sim {

/// The numbers enter the hash: new ones are added at the end.
enum class happening : std::uint8_t {
  thread_started,
  thread_ended,
  switched,
  time_passed,
  begun,  ///< an operation that has to wait; kind: what it is
  done,   ///< value: bytes; kind and code: what it was and came to
  connected,
  accepted,
  bound,
  closed,
  killed,
  entered,  ///< a client's identity; value: its uid
  reverted,
  read_file,
  logged,
  failed,
  waits,   ///< kind: for what
  locked,  ///< object: the mutex
  unlocked,
  faulted,  ///< kind: the act
  paused,   ///< object: the process's pid
  resumed,
  // Remarks: for the reader alone, in no hash.
  returned,    ///< a program; object: the process, value: what it has returned
  chose,       ///< value: what of how many, object
  delayed,     ///< kind: the act; object and value: the time
  let_others,  ///< by a sleep of no time
  called,      ///< object: the name that a connect has found
  remarked,    ///< object: which of the world's remarks
};

struct event {
  time_point at;
  std::uint32_t thread = 0;  ///< its number; 0: outside
  happening what = happening::switched;
  std::uint8_t kind = 0;  ///< of an operation or a wait
  std::uint8_t code = 0;  ///< errc
  std::uint32_t object = 0;
  std::uint32_t value = 0;

  [[nodiscard]] friend bool operator==(const event&, const event&) = default;
};

/// Decisions and events of one run, in their order. Another thread of the program may read the events while
/// the world goes on: what has been overwritten meanwhile is a mixture of two events then, and nothing worse.
class chronicle {
 public:
  /// `kept`: how many events, a power of two.
  explicit chronicle(std::size_t kept) : kept_(kept) {}
  chronicle(const chronicle&) = delete;
  chronicle& operator=(const chronicle&) = delete;
  ~chronicle() { kept_memory<words>().deallocate(events_, kept_); }

  /// Null: whatever is asked, the answer is 0.
  void answer_with(answerer* who) noexcept { answerer_ = who; }

  [[nodiscard]] std::uint32_t choose(std::size_t bound, choice what) {
    if (bound <= 1 || answerer_ == nullptr) return 0;
    const std::uint32_t chosen = answerer_->answer(static_cast<std::uint32_t>(bound), what);
    choices_.add(chosen);
    stir((std::uint64_t{chosen} << 8U) | static_cast<std::uint8_t>(what));
    return chosen;
  }
  /// Once in so many cases.
  [[nodiscard]] bool happens(std::uint32_t one_in, choice what) { return choose(one_in, what) == one_in - 1; }

  void note(const event& e) noexcept { note(e, subject_of(e)); }
  /// What is shown isn't what enters the hash.
  void note(const event& e, std::uint64_t shown) noexcept {
    const std::uint64_t head = head_of(e);
    stir(head);
    stir(subject_of(e));
    keep(e.at, head, shown);
  }
  /// For the reader alone.
  void remark(const event& e) noexcept { keep(e.at, head_of(e), subject_of(e)); }
  /// In the hash alone.
  void note_unseen(const event& e) noexcept {
    stir(head_of(e));
    stir(subject_of(e));
  }
  void stir(std::uint64_t word) noexcept { hash_ = (std::rotl(hash_, 5) ^ word) * 0x9e3779b97f4a7c15; }

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] const choice_record& choices() const noexcept { return choices_; }
  /// All that were noted, those no longer kept among them.
  [[nodiscard]] std::size_t noted() const noexcept { return noted_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t first_kept() const noexcept { return noted() > kept_ ? noted() - kept_ : 0; }
  [[nodiscard]] event at(std::size_t index) const noexcept {
    words& kept = events_[index & (kept_ - 1)];
    const auto read = [](std::uint64_t& word) {
      return std::atomic_ref(word).load(std::memory_order_relaxed);
    };
    const std::uint64_t head = read(kept.head), subject = read(kept.subject);
    return {time_point(duration(static_cast<std::int64_t>(read(kept.at)))),
            static_cast<std::uint32_t>(head >> 32U),
            static_cast<happening>(head & 0xffU),
            static_cast<std::uint8_t>(head >> 8U),
            static_cast<std::uint8_t>(head >> 16U),
            static_cast<std::uint32_t>(subject >> 32U),
            static_cast<std::uint32_t>(subject)};
  }

 private:
  struct words {
    std::uint64_t at, head, subject;
  };
  static std::uint64_t head_of(const event& e) noexcept {
    return (std::uint64_t{e.thread} << 32U) | (std::uint64_t{e.code} << 16U) | (std::uint64_t{e.kind} << 8U) |
           static_cast<std::uint8_t>(e.what);
  }
  static std::uint64_t subject_of(const event& e) noexcept {
    return (std::uint64_t{e.object} << 32U) | e.value;
  }
  void keep(time_point at, std::uint64_t head, std::uint64_t subject) noexcept {
    const auto write = [](std::uint64_t& word, std::uint64_t value) {
      std::atomic_ref(word).store(value, std::memory_order_relaxed);
    };
    const std::size_t n = noted_.load(std::memory_order_relaxed);
    words& kept = events_[n & (kept_ - 1)];
    write(kept.at, static_cast<std::uint64_t>(at.time_since_epoch().count()));
    write(kept.head, head);
    write(kept.subject, subject);
    noted_.store(n + 1, std::memory_order_release);
  }

  answerer* answerer_ = nullptr;
  std::uint64_t hash_ = 0x7477696e70697065;
  choice_record choices_;
  const std::size_t kept_;  ///< a power of two
  /// Room for so many, and none until they are noted: a small world would spend more on them than on its own.
  words* const events_ = kept_memory<words>().allocate(kept_);
  std::atomic<std::size_t> noted_ = 0;
};

}  // namespace tp::sim
