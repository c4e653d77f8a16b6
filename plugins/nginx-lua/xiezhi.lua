-- Sends what nginx answers to Xiezhi's collector, as HAR lines.
--
-- In each worker: the response body is copied up to a cap while it passes, the
-- entry is made when the request is logged, and a timer posts batches. Nothing
-- here waits within a request or makes one fail: every hook runs under pcall,
-- the queue is bounded, and when the collector is slow or away entries are
-- dropped, counted, and the count is told to it (Xiezhi-Dropped).
-- How it is switched on stands in README.md.

local cjson = require "cjson.safe"
local ngx, pcall, type, pairs, tonumber, tostring = ngx, pcall, type, pairs, tonumber, tostring
local find, gmatch, lower, sub, format = string.find, string.gmatch, string.lower, string.sub, string.format
local concat, floor, min, max, random, date = table.concat, math.floor, math.min, math.max, math.random, os.date
local var, req, resp, timer, re_find = ngx.var, ngx.req, ngx.resp, ngx.timer, ngx.re.find

local _M = { version = "1" }

local conf -- nil: not started, so every hook does nothing
local queue, first, last, bytes = {}, 1, 0, 0 -- lines that wait: queue[first..last]
local sent, lost, told, failed = 0, 0, 0, 0   -- lines taken, dropped, reported as dropped; hooks that failed
local sending, woken, not_before, delay, limit = false, false, 0, 1, 0

local defaults = {
  url = "http://127.0.0.1:8400/v1/harl",
  token = false,        -- of the collector's token file
  site = false,         -- name of the application, for all that passes here
  sample = 1,           -- share of requests that are sent
  max_body = 65536,     -- bytes of each body that are sent
  skip_types = "^(?:image|video|audio|font)/", -- responses whose bodies are not sent
  queue_lines = 2000,   -- lines that wait in a worker, and their bytes
  queue_bytes = 16777216,
  batch_lines = 200,    -- of one request to the collector
  batch_bytes = 1048576,
  interval = 1,         -- seconds between two looks at the queue
  timeout = 3000,       -- ms for each step of a request to the collector
  verify = true,        -- the collector's certificate, by lua_ssl_trusted_certificate
  name = false,         -- in that certificate, when url has an address
}

local function note(text, what) ngx.log(ngx.WARN, "xiezhi: ", text, what and ": " or "", what and tostring(what) or "") end

-- A body as it goes into an entry: text, or base64 when it is no UTF-8.
local function text_of(into, body, coded)
  local _, _, bad = re_find(body, "^", "jou")
  if bad then body, into.encoding = ngx.encode_base64(body), "base64" end
  into.text, into._coded = body, coded or nil
  return into
end

-- Header lines of a table, whose order is not known.
local function listed(headers)
  local out, n = {}, 0
  headers.connection = nil -- nginx's own business by the time of the log
  for name, v in pairs(headers) do
    if type(v) == "table" then
      for i = 1, #v do n = n + 1 out[n] = { name = name, value = v[i] } end
    else
      n = n + 1
      out[n] = { name = name, value = tostring(v) }
    end
  end
  return n > 0 and out or nil -- an empty list would be written as an object
end

-- Request headers as they were sent, where nginx keeps that (HTTP/1). second:
-- true when they are not.
local function request_headers()
  local ok, raw = pcall(req.raw_header, true)
  if not ok or not raw or raw == "" then return listed(req.get_headers(200, true)), true end
  local out, n = {}, 0
  for name, value in gmatch(raw, "([^\r\n:]+):[ \t]*([^\r\n]*)") do
    n = n + 1
    if n > 200 then break end
    out[n] = { name = name, value = value }
  end
  return n > 0 and out or nil
end

-- What one exchange looks like as a line.
local function entry(c)
  local start, status, secure = req.start_time(), ngx.status, var.https == "on"
  local headers, unordered = request_headers()
  local target, body = var.request_uri or "/", req.get_body_data()
  if sub(target, 1, 1) == "/" then target = var.scheme .. "://" .. (var.http_host or var.host) .. target end
  local e = {
    _id = var.request_id, _site = conf.site or nil, _truncated = {},
    startedDateTime = date("!%Y-%m-%dT%H:%M:%S", floor(start)) .. format(".%03dZ", floor((start % 1) * 1000 + 0.5) % 1000),
    time = max(floor((ngx.now() - start) * 1000 + 0.5), 0),
    request = { method = req.get_method(), url = target, httpVersion = var.server_protocol, headers = headers, _unordered = unordered },
  }
  if not find(var.remote_addr or "unix:", "^unix") then
    e._client = { ip = var.remote_addr, port = tonumber(var.remote_port), tls = secure and { version = var.ssl_protocol, sni = var.ssl_server_name } or nil }
    e._server = { ip = var.server_addr, port = tonumber(var.server_port) }
  end
  -- A request body is seen if nginx holds it in memory (client_body_buffer_size);
  -- larger ones are in a file without a name.
  if body then
    local coded = var.http_content_encoding
    e.request.bodySize, e._truncated.request = #body, max(#body - conf.max_body, 0)
    e.request.postData = text_of({ mimeType = var.content_type }, sub(body, 1, conf.max_body), coded and lower(coded) ~= "identity")
  else
    e.request.bodySize = ((tonumber(var.content_length) or 0) > 0 or var.http_transfer_encoding) and -1 or 0
  end
  if status ~= 499 and status ~= 444 and status > 0 then -- else the client got no answer
    local have, size = concat(c), c.size
    if c.more then
      size = max(size + 1, tonumber(var.upstream_response_length) or 0, tonumber(var.body_bytes_sent) or 0)
      e._truncated.response = size - #have
    elseif c.skip then
      size = tonumber(var.body_bytes_sent) or 0
    end
    e.response = { status = status, headers = listed(resp.get_headers(200, true)), bodySize = size,
      content = c.skip and { size = size } or text_of({ size = size }, have, c.coded) }
  end
  return cjson.encode(e)
end

-- What is known of the request in hand; false when it is not sent.
local function context()
  local c = ngx.ctx.xiezhi
  if c ~= nil then return c end
  if ngx.is_subrequest or conf.sample < 1 and random() >= conf.sample then
    c = false
  elseif last - first + 1 >= conf.queue_lines or bytes >= conf.queue_bytes then
    lost, c = lost + 1, false -- before any work is done for it
  else
    c = { size = 0 } -- and the pieces of the body in 1..n
  end
  ngx.ctx.xiezhi = c
  return c
end

local function body()
  local c = context()
  if not c or c.more or c.skip then return end
  if c.size == 0 then
    local kind, coding = ngx.header["Content-Type"], var.upstream_http_content_encoding
    if type(kind) == "string" and conf.skip_types and re_find(kind, conf.skip_types, "jo") then
      c.skip = true
      return
    end
    c.coded = coding and coding ~= "" and lower(coding) ~= "identity"
  end
  local piece = ngx.arg[1]
  if not piece or piece == "" then return end
  if c.size == 0 and not c.coded then c.coded = sub(piece, 1, 3) == "\31\139\8" end -- gzip_static
  local room = conf.max_body - c.size
  if #piece > room then piece, c.more = sub(piece, 1, room), true end
  c[#c + 1], c.size = piece, c.size + #piece
end

local flush

local function log()
  local c = context()
  if not c then return end
  if (var.request_method or "") == "" or not var.request_uri then return end -- what came was no request
  local line, err = entry(c)
  if not line then error(err) end
  last, bytes = last + 1, bytes + #line
  queue[last] = line
  if ngx.worker.exiting() or not woken and last - first + 1 >= conf.batch_lines and ngx.now() >= not_before then
    woken = timer.at(0, flush)
  end
end

local function hook(f)
  return function()
    if not conf then return end
    local ok, err = pcall(f)
    if not ok then
      failed = failed + 1
      if failed <= 10 then note("a hook failed", err) end
    end
  end
end

_M.body, _M.log = hook(body), hook(log)

-- Posts one body. Gives the status and Retry-After, or nil and what is wrong.
local function post(sock, text)
  sock:settimeouts(min(conf.timeout, 1000), conf.timeout, conf.timeout)
  local ok, err = sock:connect(conf.host, conf.port)
  if not ok then return nil, err end
  if conf.tls and (sock:getreusedtimes() or 0) == 0 then
    ok, err = sock:sslhandshake(false, conf.name or conf.host, conf.verify)
    if not ok then return nil, err end
  end
  ok, err = sock:send{ conf.head, "Xiezhi-Dropped: ", lost, "\r\nContent-Length: ", #text, "\r\n\r\n", text }
  if not ok then return nil, err end
  local line
  line, err = sock:receive("*l")
  local status = line and tonumber((line:match("^HTTP/1%.%d (%d%d%d)")))
  if not status then return nil, err or "no HTTP" end
  local length, retry, close
  for _ = 1, 64 do
    line = sock:receive("*l")
    if not line or line == "" then break end
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    name = name and lower(name)
    if name == "content-length" then length = tonumber(value)
    elseif name == "retry-after" then retry = tonumber(value)
    elseif name == "connection" then close = lower(value) == "close" end
  end
  if length and length <= 65536 and sock:receive(length) and not close then
    sock:setkeepalive(10000, 1)
  end
  return status, retry
end

local function take_off(n)
  for i = first, first + n - 1 do
    bytes = bytes - #queue[i]
    queue[i] = nil
  end
  first = first + n
end

-- Posts until the queue is empty or the collector wants a pause.
local function run()
  while (last >= first or lost > told) and ngx.now() >= not_before do
    local n, size, from = 0, 0, first
    while from + n <= last and n < limit and (n == 0 or size + #queue[from + n] <= conf.batch_bytes) do
      size, n = size + #queue[from + n] + 1, n + 1
    end
    local reported = lost
    local sock = ngx.socket.tcp()
    local status, more = post(sock, concat(queue, "\n", from, from + n - 1))
    sock:close() -- does nothing to one that is kept alive
    if status == 200 or status == 400 then -- 400: taken for no exchange, it never will be
      take_off(n)
      if status == 200 then sent = sent + n else lost = lost + n end
      told, delay, limit = reported, 1, min(limit * 2, conf.batch_lines)
    elseif status == 413 and n > 0 then
      if n == 1 then
        take_off(1)
        lost = lost + 1
      end
      limit = max(1, floor(n / 2))
    else
      note("the collector takes nothing now", status or more)
      not_before = ngx.now() + max(delay, status and more or 0)
      delay = min(delay * 2, 30)
    end
  end
end

flush = function(ending)
  woken = false
  if ending then not_before = 0 end -- the worker exits: now or never
  if sending then return end
  sending = true
  local ok, err = pcall(run)
  sending = false
  if not ok then note("sending failed", err) end
end

-- What happened in this worker, for a status page.
function _M.status()
  return { queued = last - first + 1, queued_bytes = bytes, sent = sent, dropped = lost, failed = failed }
end

local function start(options)
  local c = {}
  for k, v in pairs(defaults) do c[k] = v end
  for k, v in pairs(options or {}) do
    if defaults[k] == nil then error("unknown option " .. tostring(k)) end
    c[k] = v
  end
  local scheme, host, port, path = tostring(c.url):match("^(https?)://([^/:]+):?(%d*)(/.*)$")
  if not scheme then error("url must be as http://127.0.0.1:8400/v1/harl") end
  c.tls, c.host, c.port = scheme == "https", host, tonumber(port) or (scheme == "https" and 443 or 80)
  c.head = "POST " .. path .. " HTTP/1.1\r\nHost: " .. host .. ":" .. c.port .. "\r\nUser-Agent: xiezhi-nginx/" .. _M.version
    .. "\r\nContent-Type: application/x-ndjson\r\n" .. (c.token and "Authorization: Bearer " .. c.token .. "\r\n" or "")
    .. "Xiezhi-Instance: " .. ngx.worker.pid() .. "-" .. floor(ngx.now() * 1000) .. "\r\n"
  local ok, err = timer.every(c.interval, flush)
  if not ok then error(err) end
  conf, limit = c, c.batch_lines
end

-- Call once in init_worker. A mistake is logged and switches all of this off.
function _M.start(options)
  local ok, err = pcall(start, options)
  if not ok then ngx.log(ngx.ERR, "xiezhi: not started: ", err) end
end

return _M
