-- Print what wrk counted as one line of JSON; every script of this folder loads this file.
-- Times are in microseconds. wrk runs with bench/ as its current directory.
function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    'SUMMARY {"requests": %d, "duration": %d, "bytes": %d, "p50": %.1f, "p99": %.1f, "p999": %.1f, '
      .. '"errors": {"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
