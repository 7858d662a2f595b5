-- Send what is in the file $REQUEST, and print what wrk counted as one line of JSON; times are in
-- microseconds. wrk asks wrk.format once for what it sends, and counts the requests in it.
local file = assert(io.open(os.getenv("REQUEST"), "rb"))
local request = file:read("*a")
file:close()

wrk.format = function() return request end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    'SUMMARY {"requests": %d, "duration": %d, "p50": %.1f, "p99": %.1f, "p999": %.1f, '
      .. '"errors": {"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}',
    summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
