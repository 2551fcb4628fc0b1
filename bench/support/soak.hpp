#pragma once

namespace bench {

/// Has threads come and go over one concurrent_pool_resource for so long, and prints what is resident every second. Ends with
/// a line `N passed, N failed`.
/// \return the program's exit status: 0, 1 where resident memory grew or blocks were lost, or 2 where `seconds` is below 4
int soak(int seconds);

} // namespace bench
