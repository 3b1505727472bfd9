-- What wrk asks. Arguments: the kind of request, how many items and users there are, a file of words for texts.
local kind, items, users, words

function init(args)
  kind, items, users, words = args[1], tonumber(args[2]), tonumber(args[3]), {}
  for word in io.lines(args[4]) do words[#words + 1] = word end
  math.randomseed(os.time())
  wrk.headers["content-type"] = "application/json"
end

function request()
  if kind == "similar" then return wrk.format("GET", "/v1/items/item-" .. math.random(0, items - 1) .. "/similar?k=10") end
  if kind == "recommendations" then return wrk.format("POST", "/v1/" .. kind, nil, string.format('{"user_id": "user-%d", "k": 10}', math.random(0, users - 1))) end
  return wrk.format("POST", "/v1/search", nil, string.format('{"text": "%s %s %s", "k": 10}', words[math.random(#words)], words[math.random(#words)], words[math.random(#words)]))
end

function done(summary, latency)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format("result %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors))
end
