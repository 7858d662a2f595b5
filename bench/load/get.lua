-- GET / with nothing but Host.
dofile("load/summary.lua")
