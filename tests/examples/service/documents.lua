-- What wrk sends: POST /words with JSON documents of the sizes in bytes that follow `--` on its command line, in turn.
-- Prints one line of JSON at the end: how many requests, and how many went wrong in which way.

local requests = {}
local turn = 0

-- A document of exactly `size` bytes: an array of short texts, filled up with letters.
local function document(size, seed)
  local words = {"arena", "budget", "counter", "pool", "router", "limit", "trace", "block", "chunk", "scope"}
  local parts, length = {}, 2
  local i = seed
  while length + 80 < size do
    local text = {}
    for k = 1, 8 do
      text[k] = words[(i * 7 + k * 3) % #words + 1]
    end
    i = i + 1
    local quoted = '"' .. table.concat(text, " ") .. '"'
    parts[#parts + 1] = quoted
    length = length + #quoted + 1
  end
  parts[#parts + 1] = '"' .. string.rep("z", math.max(0, size - length - 2)) .. '"'
  return "[" .. table.concat(parts, ",") .. "]"
end

function init(arguments)
  for i, size in ipairs(arguments) do
    requests[i] = wrk.format("POST", "/words", {["Content-Type"] = "application/json"}, document(tonumber(size), i))
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "bytes": %d, "connect": %d, "read": %d, "write": %d, "status": %d, ' ..
    '"timeout": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, summary.bytes, errors.connect, errors.read, errors.write, errors.status,
    errors.timeout, latency:percentile(50), latency:percentile(99)))
end
