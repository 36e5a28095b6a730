-- Registers somebody new with each request, each from another address, as the web server in front tells it.
-- Arguments: path, body before the mail address, run.
local threads = {}

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

function init(arguments)
   path, before, run = arguments[1], arguments[2], arguments[3]
   wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
   count, wrong = 0, 0
end

function request()
   count = count + 1
   wrk.headers["X-Forwarded-For"] = string.format("10.%d.%d.%d", 2 * (count / 65536) + number, count / 256 % 256, count % 256)
   local address = string.format("visitor-%s-%d-%d%%40example.org", run, number, count)
   return wrk.format("POST", path, nil, before .. "&email=" .. address)
end

function response(status)
   if status ~= 303 then
      wrong = wrong + 1
   end
end

function done()
   local others = 0
   for _, thread in ipairs(threads) do
      others = others + thread:get("wrong")
   end
   io.write(string.format("Other answers: %d\n", others))
end
