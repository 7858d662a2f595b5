-- Sixteen GET requests in every write; wrk counts each answer.
dofile("load/summary.lua")

local batch

function init(args)
  batch = string.rep(wrk.format("GET", "/"), 16)
end

function request()
  return batch
end
