# Serve one of the files that apps.py has made: sh nginx.sh FOLDER apps:NAME PORT
set -e
folder=$1
cat >"$folder/nginx.conf" <<END
daemon off;
user $(id -un) $(id -gn);
worker_processes 1;
pid $folder/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_body_temp_path $folder/nginx-body;
    proxy_temp_path $folder/nginx-proxy;
    fastcgi_temp_path $folder/nginx-fastcgi;
    uwsgi_temp_path $folder/nginx-uwsgi;
    scgi_temp_path $folder/nginx-scgi;
    server {
        listen 127.0.0.1:$3;
        root $folder;
        rewrite ^ /${2#apps:} break;
    }
}
END
exec nginx -c "$folder/nginx.conf"
