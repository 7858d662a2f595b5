/*
 * The load of HTTP/1.1 that wrk cannot put: UNIX sockets, thousands of connections that are open
 * before the clock starts, slow clients beside fast ones, event streams, idle connections.
 *
 * Usage: http_load TARGET CONNECTIONS SECONDS REQUEST PIPELINED [slow|streams COUNT REQUEST]
 *   Every connection sends the file REQUEST, waits for the PIPELINED answers to it, and sends it
 *   again. Where the request or its answer says `Connection: close`, on a new connection.
 *   slow: COUNT more connections, every other of which sends its request a byte in each tick, the
 *     others read 4 KiB of the answer in each tick. They are not counted.
 *   streams: COUNT more connections get an endless answer. What is counted are the events that
 *     arrive on them, each one ended by an empty line; the first connection sends its request
 *     again when its answer and an event on every stream have come.
 * Every connection has its request answered once; then it prints READY, begins the load when stdin
 * has a byte, prints one line for load.py, and keeps the connections until stdin ends.
 */
#define _GNU_SOURCE
#include "load_core.h"

enum { HEAD_LIMIT = 8192, SLOW_READ = 4096, TICK = 50 * 1000 };
enum role { FAST, DRIPPING, SIPPING, STREAM };
enum state { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILERS, EVENTS };

struct connection {
    int fd;
    enum role role;
    enum state state;
    struct file *request;
    int waits_to_write, answered, closes;
    size_t written;
    uint64_t sent_at;
    int answers_left;     /* to the requests that were sent */
    char head[HEAD_LIMIT];
    size_t head_size;
    uint64_t left;        /* of the body or the chunk */
    int newlines;         /* that have just come, in a stream or behind the last chunk */
};

static const char *target;
static struct file request, other_request;
static int pipelined, is_running, stream_count, requests_close;
static int answered_count, open_streams, events_due, publisher_is_answered;
static struct connection *publisher;
static uint64_t statuses, closed, malformed;

static void open_connection(struct connection *connection);

static void give_up(struct connection *connection, uint64_t *counter)
{
    (*counter)++;
    close(connection->fd);
    connection->fd = -1;
}

/* Write what is left of the request; wait for the socket where it takes no more. */
static void write_on(struct connection *connection)
{
    while (connection->written < connection->request->size) {
        ssize_t size = send(connection->fd, connection->request->data + connection->written,
                            connection->request->size - connection->written, MSG_NOSIGNAL);
        if (size < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
            if (!connection->waits_to_write)
                watch(connection->fd, connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            connection->waits_to_write = 1;
            return;
        }
        if (size < 0) {
            give_up(connection, &closed);
            return;
        }
        connection->written += (size_t)size;
    }
    if (connection->waits_to_write)
        watch(connection->fd, connection, EPOLLIN, EPOLL_CTL_MOD);
    connection->waits_to_write = 0;
}

static void send_request(struct connection *connection)
{
    connection->written = 0;
    connection->answers_left = connection->role == FAST ? pipelined : 1;
    connection->sent_at = now();
    write_on(connection);
}

static void publish_if_due(void)
{
    if (!publisher_is_answered || events_due > 0 || publisher->fd < 0)
        return;
    publisher_is_answered = 0;
    events_due = open_streams;
    send_request(publisher);
}

static void answer_ends(struct connection *connection)
{
    uint64_t taken = now() - connection->sent_at;

    connection->state = HEAD;
    connection->head_size = 0;
    if (connection == publisher && stream_count) {
        publisher_is_answered = 1;
        publish_if_due();
        return;
    }
    if (connection->role == FAST)
        count(taken);
    if (--connection->answers_left)
        return;
    answered_count += !connection->answered;
    connection->answered = 1;
    if (connection->closes) {
        close(connection->fd);
        connection->fd = -1;
    }
    if (is_running && connection->fd >= 0)
        send_request(connection);
    else if (is_running)
        open_connection(connection);
}

/* Read the status, the framing and the persistence in a whole head. */
static void judge_head(struct connection *connection)
{
    const char *length = strcasestr(connection->head, "\r\ncontent-length:");

    if (strncmp(connection->head, "HTTP/1.1 200", 12)) {
        give_up(connection, &statuses);
        return;
    }
    connection->closes = requests_close ||
                         strcasestr(connection->head, "\r\nconnection: close") != NULL;
    if (connection->role == STREAM) {
        connection->state = EVENTS;
        open_streams++;
        answered_count += !connection->answered;
        connection->answered = 1;
    } else if (strcasestr(connection->head, "\r\ntransfer-encoding: chunked")) {
        connection->state = CHUNK_SIZE;
        connection->left = 0;
    } else if (length) {
        connection->state = BODY;
        connection->left = strtoull(length + strlen("\r\ncontent-length:"), NULL, 10);
        if (!connection->left)
            answer_ends(connection);
    } else
        give_up(connection, &malformed);
}

/* Each of these takes a part of the data and returns how much. */
static size_t take_head(struct connection *connection, const char *data, size_t size)
{
    size_t before = connection->head_size, room = HEAD_LIMIT - 1 - before;
    size_t copied = size < room ? size : room;
    size_t searched = before < 3 ? 0 : before - 3;

    memcpy(connection->head + before, data, copied);
    char *end = memmem(connection->head + searched, before + copied - searched, "\r\n\r\n", 4);
    if (!end) {
        connection->head_size += copied;
        if (copied == room)
            give_up(connection, &malformed);
        return copied;
    }
    size_t taken = (size_t)(end - connection->head) + 4 - before;
    end[4 - 2] = 0; /* what lies behind is not part of the head */
    judge_head(connection);
    return taken;
}

static size_t take_body(struct connection *connection, size_t size)
{
    size_t taken = size < connection->left ? size : (size_t)connection->left;

    connection->left -= taken;
    if (!connection->left) {
        if (connection->state == BODY)
            answer_ends(connection);
        else
            connection->state = CHUNK_END;
    }
    return taken;
}

static size_t take_chunk_line(struct connection *connection, const char *data)
{
    char byte = *data;

    if (connection->state == CHUNK_END)
        connection->state = byte == '\n' ? CHUNK_SIZE : CHUNK_END;
    else if (connection->state == TRAILERS) { /* an empty line ends them */
        connection->newlines = byte == '\n' ? connection->newlines + 1
                               : byte == '\r' ? connection->newlines : 0;
        if (connection->newlines == 2)
            answer_ends(connection);
    } else if (byte == '\n') {
        connection->state = connection->left ? CHUNK : TRAILERS;
        connection->newlines = 1;
    } else if (byte != '\r') {
        int digit = byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10;
        if (digit < 0 || digit > 15)
            give_up(connection, &malformed);
        connection->left = connection->left << 4 | (unsigned)(digit & 15);
    }
    return 1;
}

static size_t take_events(struct connection *connection, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        connection->newlines = data[i] == '\n' ? connection->newlines + 1 : 0;
        if (connection->newlines == 2) {
            count(now() - publisher->sent_at);
            events_due--;
        }
    }
    publish_if_due();
    return size;
}

static void take(struct connection *connection, const char *data, size_t size)
{
    while (size && connection->fd >= 0) {
        size_t taken;
        switch (connection->state) {
        case HEAD: taken = take_head(connection, data, size); break;
        case BODY:
        case CHUNK: taken = take_body(connection, size); break;
        case EVENTS: taken = take_events(connection, data, size); break;
        default: taken = take_chunk_line(connection, data);
        }
        data += taken;
        size -= taken;
    }
}

static void read_on(struct connection *connection, size_t most)
{
    ssize_t size = recv(connection->fd, input, most, 0);

    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0)
        give_up(connection, &closed);
    else
        take(connection, input, (size_t)size);
}

static void open_connection(struct connection *connection)
{
    connection->state = HEAD;
    connection->head_size = 0;
    connection->waits_to_write = 0;
    connection->fd = connect_to(target, connection->role == SIPPING ? SLOW_READ : 0);
    if (connection->role == FAST || connection->role == STREAM) {
        watch(connection->fd, connection, EPOLLIN, EPOLL_CTL_ADD);
        send_request(connection);
    }
}

static void turn(int milliseconds)
{
    struct epoll_event events[MAX_EVENTS];
    int ready = epoll_wait(epoll_fd, events, MAX_EVENTS, milliseconds);

    for (int i = 0; i < ready; i++) {
        struct connection *connection = events[i].data.ptr;
        if (connection->fd >= 0 && events[i].events & EPOLLOUT)
            write_on(connection);
        if (connection->fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT)
            read_on(connection, sizeof input);
    }
}

/* What a slow client does in one tick; the socket always has room for a byte more. */
static void be_slow(struct connection *connection)
{
    size_t size = connection->role == DRIPPING ? 1 : connection->request->size;

    if (connection->fd < 0)
        return;
    if (connection->written < connection->request->size) {
        ssize_t sent = send(connection->fd, connection->request->data + connection->written, size,
                            MSG_NOSIGNAL);
        if (sent > 0)
            connection->written += (size_t)sent;
        return;
    }
    connection->answers_left = 2; /* one more than will come: it is not sent again */
    read_on(connection, SLOW_READ);
}

/* Open connections, at most so many at once as a listener's queue holds, and have them answered. */
static void open_all(struct connection *connections, int number, enum role role,
                     struct file *file)
{
    uint64_t deadline = now() + 60 * 1000000ull;
    int begun = answered_count;

    for (int i = 0; i < number; i++) {
        connections[i].request = file;
        connections[i].role = role;
        open_connection(&connections[i]);
        while (i + 1 - (answered_count - begun) - (int)closed > MOST_OPENING && now() < deadline)
            turn(100);
    }
    while (answered_count - begun + (int)(closed + statuses + malformed) < number &&
           now() < deadline)
        turn(100);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 9) {
        fprintf(stderr, "usage: http_load TARGET CONNECTIONS SECONDS REQUEST PIPELINED "
                        "[slow|streams COUNT REQUEST]\n");
        return 2;
    }
    target = argv[1];
    int number = atoi(argv[2]), seconds = atoi(argv[3]), others = 0, slow_count = 0;
    request = read_file(argv[4]);
    pipelined = atoi(argv[5]);
    requests_close = memmem(request.data, request.size, "\r\nConnection: close", 19) != NULL;
    if (argc == 9) {
        others = atoi(argv[7]);
        other_request = read_file(argv[8]);
        if (strcmp(argv[6], "slow"))
            stream_count = others;
        else
            slow_count = others;
    }
    struct connection *connections = calloc((size_t)(number + others), sizeof *connections);
    epoll_fd = epoll_create1(0);
    if (!connections || epoll_fd < 0)
        fail("start");
    publisher = connections;
    if (stream_count)
        open_all(connections + number, stream_count, STREAM, &other_request);
    for (int i = 0; i < slow_count; i++) {
        struct connection *slow = &connections[number + i];
        slow->request = &other_request;
        slow->role = i % 2 ? DRIPPING : SIPPING;
        open_connection(slow);
    }
    if (!stream_count)
        open_all(connections, number, FAST, &request);
    int expected = stream_count ? stream_count : number;
    if (!is_to_begin(answered_count, expected - answered_count))
        return 0;
    is_running = 1;
    counted = 0;
    memset(histogram, 0, sizeof histogram);
    uint64_t started = now(), ends = started + (uint64_t)seconds * 1000000, tick = started;
    if (stream_count) {
        publisher->request = &request;
        events_due = open_streams;
        open_connection(publisher);
    }
    for (int i = 0; i < number && !stream_count; i++)
        if (connections[i].fd >= 0)
            send_request(&connections[i]);
        else if (connections[i].closes)
            open_connection(&connections[i]);
    while (now() < ends) {
        turn(10);
        if (slow_count && now() - tick >= TICK) {
            tick = now();
            for (int i = 0; i < slow_count; i++)
                be_slow(&connections[number + i]);
        }
    }
    int stalled = 0;
    for (int i = 0; i < number && !stream_count; i++)
        stalled += connections[i].fd >= 0 && now() - connections[i].sent_at >= (uint64_t)SLOWEST;
    print_summary(now() - started);
    printf("\"errors\": {\"closed\": %lu, \"status\": %lu, \"malformed\": %lu, \"timeout\": %d}}\n",
           closed, statuses, malformed, stalled);
    return wait_for_end();
}
