-- POST 1 KiB with a Content-Length.
dofile("load/summary.lua")

wrk.method = "POST"
wrk.body = string.rep("x", 1024)
