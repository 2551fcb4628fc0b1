#pragma once

#include "choices.hpp"
#include "clock.hpp"
#include "journal.hpp"
#include "memory.hpp"
#include "shadow.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <pthread.h>
#include <semaphore.h>

namespace schedule {

/// How much of what could happen is tried. In all of it a thread that has given way (a yield, a pause of the processor) stays
/// behind until another one has changed something, or no other can go on.
struct bounds {
  std::size_t preemptions = 2;          ///< in one schedule: switches away from a thread that could go on
  std::size_t old_loads = 1;            ///< in one schedule: loads of an older store, exchanges that fail for no reason
  unsigned long most_schedules = 40000; ///< in order; what would come after them is left out
  unsigned long random_schedules = 0;   ///< after those in order, and without the first two bounds
  std::size_t switches = 3;             ///< in every other one of these: that a bug needs
};

/// A thread of a test. It runs when it has the baton: one of all threads does.
struct actor {
  enum class state : unsigned char { able, waits_for_lock, waits_for_all, ended };

  std::size_t number = 0;
  state now = state::able;
  bool gave_way = false; // and nothing has changed since
  const void* lock = nullptr;
  clock knows;
  std::function<void()> work;
  std::size_t priority = 0;
  int rounds = 0; // of the destructors of its thread-specific data
  sem_t baton{};
  pthread_t handle{};
};

/// Where a step was made, for the one who reads of it.
struct place {
  const volatile void* address;
  const void* from; // in the code
};

/// Runs the threads of one test one at a time, and chooses at each step of theirs that others could see which one goes on.
///
/// Threads are real ones, with `thread_local` variables of their own and an end that is told to whoever asked.
class machine {
public:
  machine();

  /// \name For what runs the schedules
  /// \{
  void set_up(const bounds& b, bool is_bounded, journal& j);
  void begin(unsigned long number);
  void finish();
  [[nodiscard]] choices& made() noexcept { return choices_; }
  /// Whether an object has turned out to be shared by threads since this was last called.
  [[nodiscard]] bool has_learnt() noexcept { return std::exchange(has_learnt_, false); }
  /// \}

  /// \name For the tests
  /// \{
  void start(std::function<void()> work);
  void join_all();
  [[noreturn]] void fail(const char* what) noexcept;
  /// \}

  /// \name What the instrumented code does. `me` is the thread that runs; `now` is the value of the newest store
  /// \{

  /// Before a step that others could see: one of them may come first.
  void point(actor& me, const place& at);

  std::uint64_t load(actor& me, const place& at, std::size_t bytes, std::uint64_t now, int order);
  void store(actor& me, const place& at, std::size_t bytes, std::uint64_t now, std::uint64_t value, int order);
  void change(actor& me, const place& at, std::size_t bytes, std::uint64_t now, std::uint64_t value, int order);
  /// \return true: a compare-exchange finds another value than `expected`, or fails without a reason, and has it there
  bool finds_other(actor& me, const place& at, std::size_t bytes, std::uint64_t now, std::uint64_t& expected, int order,
                   bool is_weak);
  void touch(actor& me, const place& at, std::size_t bytes, access how);
  void allocated(const volatile void* p, std::size_t bytes) noexcept;
  void freed(actor& me, const place& at, std::size_t bytes);

  bool try_lock(actor& me, const place& mutex);
  void lock(actor& me, const place& mutex);
  void unlock(actor& me, const place& mutex);
  void give_way(actor& me, const void* from);
  /// \}

private:
  struct mutex_state {
    actor* owner = nullptr;
    clock knows;
  };
  struct range {
    std::uintptr_t begin;
    std::uintptr_t end;
  };

  static void* run(void* self);
  static void thread_data_goes(void* self);
  void end(actor& me);

  void count_step() noexcept;
  void note(actor& me, step what, const place& at, std::uint64_t value = 0, int order = 0, bool is_old = false);
  void choose(actor& me, bool goes_on);
  [[nodiscard]] bool is_able(const actor& a) const;
  [[nodiscard]] std::vector<actor*> options(actor& me, bool goes_on);
  [[nodiscard]] std::size_t wanted(actor& me, const std::vector<actor*>& options);
  [[nodiscard]] std::size_t pick_age(std::size_t visible);
  bool is_shared(const actor& me, const volatile void* p);
  void changed() noexcept;
  [[noreturn]] void fail_race(const actor& me, const place& at, access how, const shadow::finding& found);

  bounds bounds_;
  bool is_bounded_ = true;
  journal* journal_ = nullptr;
  choices choices_;
  memory memory_;
  shadow shadow_;
  std::array<actor, most_threads> actors_;
  std::array<void*, most_threads> stacks_{};
  std::size_t count_ = 1;
  bool is_running_ = false;

  std::map<const volatile void*, mutex_state> mutexes_;
  std::vector<range> freed_;
  std::unordered_map<const volatile void*, std::size_t> first_to_use_;
  std::unordered_set<const volatile void*> shared_; // in any schedule of this test: at others no choice is needed
  bool has_learnt_ = false;

  std::size_t steps_ = 0;
  std::size_t idle_turns_ = 0; // in which nothing changed
  std::size_t preemptions_ = 0;
  std::size_t old_loads_ = 0;
  bool is_walk_ = false;
  std::vector<std::size_t> drops_; // steps at which a random schedule puts a thread last
  std::size_t lowest_ = 0;
  pthread_key_t key_{};
};

extern machine the_machine;

/// The thread of a test that this one is, while it runs instrumented code; null elsewhere, in the scheduler too.
[[gnu::tls_model("initial-exec")]] extern thread_local actor* self;

/// To the end of a block, nothing that is called is looked at.
class unwatched {
public:
  unwatched() noexcept : me{self} { self = nullptr; }
  unwatched(const unwatched&) = delete;
  unwatched& operator=(const unwatched&) = delete;
  ~unwatched() { self = me; }

  actor* const me; // null: this thread is none of a test's
};

} // namespace schedule
