// Transmission: bytes as a stream, messages whole, in parts and empty.
#include <array>
#include <deque>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("bytes arrive in order, however they are cut", needs()) {
  const std::string data = pattern(60'000);
  for (const pair_options& how : {bytes(), framed_bytes()}) {
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          const std::array<std::size_t, 7> cuts{1, 0, 7, 4096, 0, 20'000, data.size()};
          std::size_t at = 0;
          for (const std::size_t cut : cuts) {
            const auto part = std::string_view(data).substr(at, cut);
            EXPECT(p, p.value(co_await p.bounded(c.send(part))) == part.size());
            at += part.size();
          }
        },
        [&](party& p, connection& c) -> task<void> {
          std::string all;
          for (std::size_t span = 1; all.size() < data.size(); span = std::min(span * 3 + 1, data.size())) {
            const piece got = co_await receive_span(p, c, span);
            EXPECT(p, !got.end && !got.text.empty() && got.text.size() <= span);
            all += got.text;
          }
          EXPECT(p, all == data);
        });
  }
  w.run();
}

CONFORMANCE_CASE("messages arrive whole and in order", needs()) {
  const std::array<std::size_t, 8> sizes{1, 8, 100'000, 0, 65'536, 65'537, 3, 9};
  w.pair(
      messages(),
      [&](party& p, connection& c) -> task<void> {
        for (const std::size_t size : sizes) {
          const std::string text = pattern(size, static_cast<unsigned>(size));
          EXPECT(p, p.value(co_await p.bounded(c.send(text))) == size);
        }
      },
      [&](party& p, connection& c) -> task<void> {
        buffer message;
        for (const std::size_t size : sizes) {
          const received got = p.value(co_await p.bounded(c.receive(message)));
          EXPECT(p, got.complete && !got.end && got.bytes == size);
          EXPECT(p, message.text() == pattern(size, static_cast<unsigned>(size)));
        }
      });
  w.run();
}

CONFORMANCE_CASE("a message larger than the span arrives in parts", needs()) {
  const std::string large = pattern(150'000);
  w.pair(
      messages(),
      [&](party& p, connection& c) -> task<void> {
        co_await p.send(c, "0123456789");
        co_await p.send(c, "abcd");
        co_await p.send(c, large);
      },
      [&](party& p, connection& c) -> task<void> {
        piece got = co_await receive_span(p, c, 4);
        EXPECT(p, got.text == "0123" && !got.complete);
        got = co_await receive_span(p, c, 4);
        EXPECT(p, got.text == "4567" && !got.complete);
        got = co_await receive_span(p, c, 4);
        EXPECT(p, got.text == "89" && got.complete);
        got = co_await receive_span(p, c, 4);
        EXPECT(p, got.text == "abcd" && got.complete);
        std::string all;
        do {
          got = co_await receive_span(p, c, 40'000);
          EXPECT(p, !got.end);
          all += got.text;
        } while (!got.complete);
        EXPECT(p, all == large);
      });
  w.run();
}

CONFORMANCE_CASE("an empty message is a message and not the end", needs()) {
  w.pair(
      messages(),
      [](party& p, connection& c) -> task<void> {
        co_await p.send(c, "");
        co_await p.send(c, "text");
        co_await p.send(c, "");
        p.value(co_await p.bounded(c.shutdown()));
      },
      [](party& p, connection& c) -> task<void> {
        piece got = co_await receive_span(p, c, 10);
        EXPECT(p, got.text.empty() && got.complete && !got.end);
        co_await p.hear(c, "text");
        EXPECT(p, (co_await p.receive(c)).empty());
        co_await p.receive_end(c);
      });
  w.run();
}

CONFORMANCE_CASE("a buffer receives a whole message of any length", needs()) {
  const std::string large = pattern(w.under_faults() ? 300'000 : (1u << 20) + 70'000);
  pair_options how = messages();
  how.server.max_message = how.client.max_message = 2u << 20;
  w.pair(
      how,
      [&](party& p, connection& c) -> task<void> {
        co_await p.send(c, "small");
        co_await p.send(c, large);
        co_await p.send(c, "small again");
      },
      [&](party& p, connection& c) -> task<void> {
        buffer message;
        p.value(co_await p.bounded(c.receive(message)));
        EXPECT(p, message.text() == "small");
        const received got = p.value(co_await p.bounded(c.receive(message)));
        EXPECT(p, got.complete && message.text() == large);
        const std::byte* const storage = message.bytes().data();
        p.value(co_await p.bounded(c.receive(message)));
        EXPECT(p, message.text() == "small again");
        EXPECT(p, message.bytes().data() == storage);
      });
  w.run();
}

CONFORMANCE_CASE("both sides send and receive at the same time", needs()) {
  const std::string there = pattern(more_than_fits(w), 1), back = pattern(more_than_fits(w), 2);
  const auto exchange = [](party& p, connection& c, const std::string& out,
                           const std::string& in) -> task<void> {
    const auto sending = [](party& who, connection& to, const std::string& text) -> task<void> {
      co_await who.send(to, text);
    };
    const auto receiving = [](party& who, connection& from, const std::string& expected) -> task<void> {
      EXPECT(who, co_await who.receive_bytes(from, expected.size()) == expected);
    };
    co_await p.beside(sending(p, c, out), receiving(p, c, in));
  };
  for (const pair_options& how : {bytes(), framed_bytes()}) {
    w.pair(
        how, [&](party& p, connection& c) -> task<void> { co_await exchange(p, c, there, back); },
        [&](party& p, connection& c) -> task<void> { co_await exchange(p, c, back, there); });
  }
  w.run();
}

CONFORMANCE_CASE("the end comes after all data and is said again", needs()) {
  const std::string data = pattern(5'000);
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& ended = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          co_await p.send(c, data);
          c.abort();
          ended.set();
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(ended);
          EXPECT(p, co_await receive_rest(p, c) == data);
          for (int i = 0; i < 3; ++i) EXPECT(p, !(co_await p.receive_end(c)).discarded);
        });
  }
  w.run();
}

}  // namespace tp::conformance
