-- Post the files that are named after "--", in turn; count the statuses; after a 503, pause for its Retry-After.
-- Arguments: the content type, then the files. benchmarks/load.py reads the last line of the output.

local threads, bodies, turn = {}, {}, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  ok, shed, shed_with_retry_after, other, pauses = 0, 0, 0, 0, {}
  for i = 2, #args do
    local file = assert(io.open(args[i], "rb"))
    local headers = { ["Content-Type"] = args[1] }
    table.insert(bodies, wrk.format("POST", nil, headers, file:read("*a")))
    file:close()
  end
end

function request()
  turn = turn % #bodies + 1
  return bodies[turn]
end

function response(status, headers)
  if status == 200 then
    ok = ok + 1
  elseif status == 503 then
    local after = tonumber(headers["retry-after"] or headers["Retry-After"])
    shed = shed + 1
    if after then shed_with_retry_after = shed_with_retry_after + 1 end
    table.insert(pauses, 1000 * (after or 1))
  else
    other = other + 1
  end
end

-- Milliseconds to pause. wrk does not say for which connection, so as many requests pause as were refused.
function delay()
  return table.remove(pauses, 1) or 0
end

function done(summary, latency)
  for _, thread in ipairs(threads) do
    local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    print(string.format('{"seconds": %f, "ok": %d, "shed": %d, "shed_with_retry_after": %d, "other": %d, "lost": %d, ' ..
      '"p99_ms": %f}', summary.duration / 1e6, thread:get("ok"), thread:get("shed"),
      thread:get("shed_with_retry_after"), thread:get("other"), lost, latency:percentile(99) / 1000))
  end
end
