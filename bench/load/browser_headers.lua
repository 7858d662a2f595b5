-- GET / with ten fields as a browser sends them, besides Host.
dofile("load/summary.lua")

wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
wrk.headers["Accept"] =
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
wrk.headers["Accept-Language"] = "en-GB,en;q=0.7,de;q=0.3"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br, zstd"
wrk.headers["Referer"] = "http://127.0.0.1/start/page?with=query"
wrk.headers["Cookie"] = "session=0f8a1c4d7e2b4f6a9c3d5e7f10213243; theme=dark; consent=1"
wrk.headers["Cache-Control"] = "max-age=0"
wrk.headers["Sec-Fetch-Dest"] = "document"
wrk.headers["Sec-Fetch-Mode"] = "navigate"
wrk.headers["Upgrade-Insecure-Requests"] = "1"
