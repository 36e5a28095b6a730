-- Registers somebody new with each request. Arguments: path, cookie, body before the address, body after it, run.
local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(arguments)
   path, before, after, run = arguments[1], arguments[3], arguments[4], arguments[5]
   wrk.headers["Cookie"] = arguments[2]
   wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
   count = 0
end

function request()
   count = count + 1
   local address = string.format("visitor-%s-%d-%d%%40example.org", run, number, count)
   return wrk.format("POST", path, nil, before .. address .. after)
end
