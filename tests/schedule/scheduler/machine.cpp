#include "machine.hpp"

#include <algorithm>
#include <climits>
#include <cstdio>

#include <sys/mman.h>
#include <unistd.h>

namespace schedule {

constinit thread_local actor* self = nullptr;
machine the_machine;

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;
constexpr std::size_t most_steps = 20000;
constexpr std::size_t most_idle_turns = 400; // more than a short_lock's turns, of each thread
constexpr int last_round = PTHREAD_DESTRUCTOR_ITERATIONS;

void wait(sem_t& baton) noexcept {
  while (sem_wait(&baton) != 0) {
  }
}

} // namespace

machine::machine() {
  for (std::size_t i = 0; i < most_threads; ++i) {
    actors_[i].number = i;
    sem_init(&actors_[i].baton, 0, 0);
  }
}

void machine::set_up(const bounds& b, bool is_bounded, journal& j) {
  bounds_ = b;
  is_bounded_ = is_bounded;
  journal_ = &j;
  if (stacks_[0] != nullptr) return;
  pthread_key_create(&key_, thread_data_goes);
  // A thread has its stack, and so its thread-local variables, at the same place in every schedule.
  for (void*& stack : stacks_)
    stack = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void machine::begin(unsigned long number) {
  memory_.clear();
  shadow_.clear();
  mutexes_.clear();
  freed_.clear();
  first_to_use_.clear();
  count_ = 1;
  journal_->came = 0;
  steps_ = idle_turns_ = preemptions_ = old_loads_ = 0;
  actors_[0].knows = {};
  actors_[0].now = actor::state::able;
  if (!choices_.is_random()) return choices_.begin();
  choices_.begin(number);
  is_walk_ = number % 2 != 0;
  lowest_ = 1000;
  for (actor& a : actors_)
    a.priority = lowest_ + choices_.random(1000);
  drops_.clear();
  for (std::size_t i = 1; i < bounds_.switches; ++i)
    drops_.push_back(choices_.random(std::max<std::size_t>(journal_->longest, 1)));
}

void machine::finish() {
  join_all();
  journal_->longest = std::max(journal_->longest, steps_);
  journal_->strayed = choices_.strayed();
}

void machine::fail(const char* what) noexcept {
  self = nullptr;
  journal_->failed = true;
  std::snprintf(journal_->failure, sizeof journal_->failure, "%s", what);
  journal_->choices[0] = is_bounded_ ? 'b' : 'r';
  journal_->choices[1] = ' ';
  choices_.write(journal_->choices + 2, sizeof journal_->choices - 2);
  _exit(1);
}

void machine::start(std::function<void()> work) {
  actor& parent = actors_[0];
  const bool is_first = !is_running_;
  if (is_first) {
    is_running_ = true;
    parent.knows.advance(0);
  }
  self = nullptr;
  if (is_first && count_ != 1) fail("a test starts threads after it has joined others");
  if (count_ == most_threads) fail("a test has more threads than the scheduler can run");
  actor& a = actors_[count_++];
  a.now = actor::state::able;
  a.gave_way = false;
  a.rounds = 0;
  a.knows = parent.knows;
  a.knows.advance(a.number);
  a.work = std::move(work);
  note(parent, step::begin, {nullptr, nullptr}, a.number);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stacks_[a.number], stack_bytes);
  if (pthread_create(&a.handle, &attributes, run, &a) != 0) fail("a thread cannot be started");
  pthread_attr_destroy(&attributes);
  self = &parent;
}

void* machine::run(void* which) {
  actor& me = *static_cast<actor*>(which);
  wait(me.baton);
  pthread_setspecific(the_machine.key_, &me);
  self = &me;
  me.work();
  return nullptr; // what runs at the thread's end is a part of the test
}

void machine::thread_data_goes(void* which) {
  const unwatched here;
  actor& me = *static_cast<actor*>(which);
  if (++me.rounds < last_round) {
    pthread_setspecific(the_machine.key_, &me);
  } else {
    the_machine.end(me);
  }
}

void machine::end(actor& me) {
  note(me, step::end, {nullptr, nullptr});
  me.now = actor::state::ended;
  changed();
  choose(me, false);
}

void machine::join_all() {
  if (!is_running_) return;
  self = nullptr;
  actor& me = actors_[0];
  me.now = actor::state::waits_for_all;
  choose(me, false);
  me.now = actor::state::able;
  for (std::size_t i = 1; i < count_; ++i) {
    pthread_join(actors_[i].handle, nullptr);
    actors_[i].work = nullptr;
  }
  is_running_ = false;
}

void machine::count_step() noexcept {
  if (++steps_ > most_steps) fail("livelock: the threads go on and on");
}

void machine::note(actor& me, step what, const place& at, std::uint64_t value, int order, bool is_old) {
  journal_->add({what, is_old, order, me.number, at.address, value, at.from});
  me.knows.advance(me.number);
}

bool machine::is_shared(const actor& me, const volatile void* p) {
  if (choices_.is_told() || shared_.contains(p)) return true;
  if (first_to_use_.try_emplace(p, me.number).first->second == me.number) return false;
  shared_.insert(p);
  return has_learnt_ = true;
}

void machine::point(actor& me, const place& at) {
  count_step();
  if (is_shared(me, at.address)) return choose(me, true);
  choices_.skip();
}

bool machine::is_able(const actor& a) const {
  switch (a.now) {
  case actor::state::able: return true;
  case actor::state::waits_for_lock: return mutexes_.at(a.lock).owner == nullptr;
  case actor::state::waits_for_all:
    return std::all_of(actors_.begin() + 1, actors_.begin() + static_cast<std::ptrdiff_t>(count_),
                       [](const actor& other) { return other.now == actor::state::ended; });
  case actor::state::ended: return false;
  }
  return false;
}

/// Those that may go on, the one that runs first. Who has given way is passed over until something has changed.
std::vector<actor*> machine::options(actor& me, bool goes_on) {
  std::vector<actor*> all;
  const bool may_switch = !goes_on || me.gave_way || !is_bounded_ || preemptions_ < bounds_.preemptions;
  for (std::size_t i = 0; i < count_; ++i) {
    actor& a = actors_[(me.number + i) % count_];
    if ((i == 0 ? goes_on : may_switch) && !a.gave_way && is_able(a)) all.push_back(&a);
  }
  if (!all.empty()) return all;
  for (std::size_t i = 1; i <= count_ && all.empty(); ++i) {
    actor& a = actors_[(me.number + i) % count_];
    if (is_able(a)) all.push_back(&a);
  }
  if (all.empty()) fail("deadlock: each thread waits for a lock that another one has");
  if (++idle_turns_ > most_idle_turns) fail("livelock: each thread waits for another one, and none changes anything");
  return all;
}

/// What a random schedule does: every other one walks, the rest put a thread last at a few steps, and before that all run
/// by a fixed order (Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010).
std::size_t machine::wanted(actor& me, const std::vector<actor*>& options) {
  if (!choices_.is_random()) return 0;
  if (is_walk_) return choices_.random(4) == 0 ? choices_.random(options.size()) : 0;
  if (me.gave_way || std::find(drops_.begin(), drops_.end(), steps_) != drops_.end()) me.priority = --lowest_;
  const auto first = std::max_element(options.begin(), options.end(),
                                      [](const actor* a, const actor* b) { return a->priority < b->priority; });
  return static_cast<std::size_t>(first - options.begin());
}

void machine::choose(actor& me, bool goes_on) {
  const std::vector<actor*> all = options(me, goes_on);
  const bool is_preemption = goes_on && !me.gave_way;
  actor& next = *all[choices_.pick(all.size(), wanted(me, all))];
  next.gave_way = false;
  if (&next == &me) return;
  preemptions_ += is_preemption;
  const bool ends = me.now == actor::state::ended;
  sem_post(&next.baton);
  if (!ends) wait(me.baton);
}

void machine::changed() noexcept {
  idle_turns_ = 0;
  for (actor& a : actors_)
    a.gave_way = false;
}

std::size_t machine::pick_age(std::size_t visible) {
  if (is_bounded_ && old_loads_ >= bounds_.old_loads) visible = 1;
  const bool looks_back = choices_.is_random() && choices_.random(4) == 0;
  const std::size_t age = choices_.pick(visible, looks_back ? choices_.random(visible) : 0);
  old_loads_ += age != 0;
  return age;
}

std::uint64_t machine::load(actor& me, const place& at, std::size_t bytes, std::uint64_t now, int order) {
  touch(me, at, bytes, access::atomic_read);
  const std::size_t age = pick_age(memory_.visible(at.address, now, me.number, me.knows, order));
  const std::uint64_t value = memory_.load(at.address, age, me.number, me.knows, order);
  note(me, step::load, at, value, order, age != 0);
  return value;
}

void machine::store(actor& me, const place& at, std::size_t bytes, std::uint64_t now, std::uint64_t value, int order) {
  touch(me, at, bytes, access::atomic_write);
  memory_.store(at.address, now, value, me.number, me.knows, order);
  changed();
  note(me, step::store, at, value, order);
}

void machine::change(actor& me, const place& at, std::size_t bytes, std::uint64_t now, std::uint64_t value, int order) {
  touch(me, at, bytes, access::atomic_write);
  memory_.change(at.address, now, value, me.number, me.knows, order);
  changed();
  note(me, step::change, at, value, order);
}

bool machine::finds_other(actor& me, const place& at, std::size_t bytes, std::uint64_t now, std::uint64_t& expected,
                          int order, bool is_weak) {
  std::vector<std::size_t> ages; // of the stores whose value is another one
  const std::size_t visible = memory_.visible(at.address, now, me.number, me.knows, order);
  const bool may_succeed = now == expected;
  for (std::size_t age = 0; age < visible; ++age)
    if (memory_.value(at.address, age) != expected || (is_weak && age == 0 && may_succeed)) ages.push_back(age);
  const std::size_t taken = pick_age(ages.size() + may_succeed);
  if (may_succeed && taken == 0) return false;
  touch(me, at, bytes, access::atomic_read);
  const std::size_t age = ages[taken - may_succeed];
  expected = memory_.load(at.address, age, me.number, me.knows, order);
  note(me, step::load, at, expected, order, age != 0);
  return true;
}

void machine::touch(actor& me, const place& at, std::size_t bytes, access how) {
  const auto begin = reinterpret_cast<std::uintptr_t>(at.address);
  for (const range& r : freed_)
    if (begin < r.end && r.begin < begin + bytes) fail("use of memory that was given back");
  const shadow::finding found = shadow_.touch(at.address, bytes, how, me.number, me.knows, at.from);
  if (found.is_race) fail_race(me, at, how, found);
  if (found.was_atomic) memory_.forget(at.address, bytes);
}

void machine::fail_race(const actor& me, const place& at, access how, const shadow::finding& found) {
  constexpr std::array verbs{"reads", "writes", "loads", "stores"};
  constexpr std::array did{"read", "written", "loaded", "stored"};
  const std::string here = function_at(at.from);
  const std::string there = function_at(found.from);
  char text[sizeof journal_->failure];
  std::snprintf(text, sizeof text, "data race: thread %zu %s in %s what thread %zu has %s in %s", me.number,
                verbs[static_cast<std::size_t>(how)], here.c_str(), found.thread,
                did[static_cast<std::size_t>(found.before)], there.c_str());
  fail(text);
}

/// What a heap gives out has no past.
void machine::allocated(const volatile void* p, std::size_t bytes) noexcept {
  shadow_.forget(p, bytes);
  memory_.forget(p, bytes);
}

void machine::freed(actor& me, const place& at, std::size_t bytes) {
  const shadow::finding found = shadow_.end(at.address, bytes, me.knows);
  if (found.is_race) fail_race(me, at, access::write, found);
  const auto begin = reinterpret_cast<std::uintptr_t>(at.address);
  freed_.push_back({begin, begin + bytes});
}

bool machine::try_lock(actor& me, const place& mutex) {
  point(me, mutex);
  mutex_state& m = mutexes_[mutex.address];
  const bool is_free = m.owner == nullptr;
  if (is_free) {
    m.owner = &me;
    me.knows.join(m.knows);
  }
  note(me, step::try_lock, mutex, is_free);
  return is_free;
}

void machine::lock(actor& me, const place& mutex) {
  point(me, mutex);
  mutex_state& m = mutexes_[mutex.address];
  if (m.owner == &me) fail("deadlock: a thread waits for a lock that it has");
  while (m.owner != nullptr) {
    me.now = actor::state::waits_for_lock;
    me.lock = const_cast<const void*>(mutex.address);
    choose(me, false);
    me.now = actor::state::able;
  }
  m.owner = &me;
  me.knows.join(m.knows);
  note(me, step::lock, mutex);
}

void machine::unlock(actor& me, const place& mutex) {
  point(me, mutex);
  mutex_state& m = mutexes_[mutex.address];
  if (m.owner != &me) fail("a thread gives up a lock that it has not");
  m.owner = nullptr;
  m.knows = me.knows;
  changed();
  note(me, step::unlock, mutex);
}

void machine::give_way(actor& me, const void* from) {
  count_step();
  note(me, step::yield, {nullptr, from});
  me.gave_way = true;
  choose(me, true);
}

} // namespace schedule
