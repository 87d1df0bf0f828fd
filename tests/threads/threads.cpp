// Threads of the C++ standard library: the same output natively and in the machine.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <vector>

static std::mutex guard;
static std::condition_variable changed;

static long countTogether(int threads, int rounds) {
  long total = 0;
  std::vector<std::thread> all;
  for (int i = 0; i < threads; i++)
    all.emplace_back([&] {
      for (int j = 0; j < rounds; j++) {
        std::lock_guard<std::mutex> lock(guard);
        total++;
      }
    });
  for (auto &thread : all) thread.join();
  return total;
}

static long sumInParts(const std::vector<int> &numbers) {
  std::vector<std::future<long>> parts;
  for (int part = 0; part < 4; part++)
    parts.push_back(std::async(std::launch::async, [&numbers, part] {
      auto quarter = numbers.size() / 4;
      return std::accumulate(numbers.begin() + part * quarter, numbers.begin() + (part + 1) * quarter, 0L);
    }));
  long sum = 0;
  for (auto &part : parts) sum += part.get();
  return sum;
}

static int pingPong(int rounds) {
  int turn = 0, hops = 0;
  auto player = [&](int own) {
    for (int i = 0; i < rounds; i++) {
      std::unique_lock<std::mutex> lock(guard);
      changed.wait(lock, [&] { return turn == own; });
      turn = 1 - own;
      hops++;
      changed.notify_all();
    }
  };
  std::thread one(player, 0), other(player, 1);
  one.join();
  other.join();
  return hops;
}

static const char *thrown() {
  auto failing = std::async(std::launch::async, []() -> int { throw std::runtime_error("thrown in a thread"); });
  static char text[64];
  try {
    failing.get();
  } catch (const std::exception &error) {
    std::snprintf(text, sizeof text, "%s", error.what());
  }
  return text;
}

int main() {
  std::printf("count: %ld\n", countTogether(8, 2000));
  std::vector<int> numbers(40000);
  std::iota(numbers.begin(), numbers.end(), 1);
  std::printf("sum: %ld\n", sumInParts(numbers));
  std::printf("hops: %d\n", pingPong(500));
  std::printf("exception: %s\n", thrown());
  std::shared_mutex shared;
  std::atomic<int> readers{0};
  std::vector<std::thread> all;
  for (int i = 0; i < 6; i++)
    all.emplace_back([&] {
      for (int j = 0; j < 200; j++) {
        std::shared_lock<std::shared_mutex> lock(shared);
        readers++;
      }
    });
  for (auto &thread : all) thread.join();
  std::printf("readers: %d\n", readers.load());
  std::promise<int> never;
  auto status = never.get_future().wait_for(std::chrono::milliseconds(2));
  std::printf("timed out: %d\n", status == std::future_status::timeout);
  thread_local int own = 1;
  std::thread([&] { own++; }).join();
  std::printf("own: %d\n", own);
}
