#pragma once

// Given to the compiler before all of the library's code: a pause in a loop is a step at which another thread may go on.

extern "C" void allot_schedule_pause() noexcept;

#define __builtin_ia32_pause allot_schedule_pause
