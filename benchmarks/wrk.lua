-- Post the files that are named after "--", in turn; count statuses; after a 503 wait as long as it says.
-- Arguments: content type, then files. The last line printed is what benchmarks/load.py reads.

local threads, bodies, turn = {}, {}, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  ok, shed, told, other, owed = 0, 0, 0, 0, {}
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
    if after then told = told + 1 end
    table.insert(owed, 1000 * (after or 1))
  else
    other = other + 1
  end
end

-- Milliseconds. wrk asks before every request without saying for which connection: as many wait as were refused.
function delay()
  return table.remove(owed, 1) or 0
end

function done(summary)
  for _, thread in ipairs(threads) do
    local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    print(string.format('{"seconds": %f, "ok": %d, "shed": %d, "told": %d, "other": %d, "lost": %d}',
      summary.duration / 1e6, thread:get("ok"), thread:get("shed"), thread:get("told"), thread:get("other"), lost))
  end
end
