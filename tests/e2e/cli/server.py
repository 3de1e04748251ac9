# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a pep-server: answers as a test says, remembers what came."""
import http.server, json, threading, urllib.parse

LIMIT_S = 30


class Request:
    """One request as it came: method, path, fields (query or JSON body), headers."""

    def __init__(self, handler):
        self.method, self.headers = handler.command, handler.headers
        self.path, _, query = handler.path.partition("?")
        self.raw_path, self.fields = handler.path, dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        size = int(handler.headers.get("Content-Length") or 0)
        if size:
            self.fields.update(json.loads(handler.rfile.read(size)))
        self.key = handler.headers.get("Idempotency-Key")


class Reply:
    """status, headers and body; `how` is None for a whole reply, or what goes wrong:
    lose  the connection closes without a byte     hang  nothing comes until the test ends
    cut   the body breaks off                      bare  the body has neither length nor chunks"""

    def __init__(self, status=200, body=b"", headers=None, how=None, chunks=None, code=None):
        self.status, self.how, self.chunks, self.headers = status, how, chunks, dict(headers or {})
        if code:
            self.headers["Pep-Error"] = code
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            self.headers.setdefault("Content-Type", "application/json")
        self.body = body.encode() if isinstance(body, str) else body


def problem(status, code, headers=None):
    return Reply(status, {"title": "t", "status": status, "detail": "the-detail", "code": code}, headers, code=code)


class Server:
    """Answers with what `answer(request)` returns and remembers the requests. `arrived` is released once for each of them."""

    def __init__(self, answer):
        server = self
        self.answer, self.requests, self.ended, self.arrived = answer, [], threading.Event(), threading.Semaphore(0)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                server.handle(self)
            do_POST = do_GET

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass
        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle(self, handler):
        handler.close_connection = True
        request = Request(handler)
        reply = self.answer(request)
        self.requests.append(request)
        self.arrived.release()
        if reply.how == "hang":
            self.ended.wait(LIMIT_S)
            return
        if reply.how == "lose":
            return
        handler.send_response(reply.status)
        for name, value in dict({"X-Request-Id": "stub-1"}, **reply.headers).items():
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        if reply.chunks is not None:
            self.send_chunks(handler, reply)
            return
        if reply.how != "bare":
            handler.send_header("Content-Length", str(len(reply.body) + (50 if reply.how == "cut" else 0)))
        handler.end_headers()
        handler.wfile.write(reply.body)

    def send_chunks(self, handler, reply):
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for chunk in reply.chunks:
            if callable(chunk):
                chunk()
                continue
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            handler.wfile.flush()
        if reply.how != "cut":
            handler.wfile.write(b"0\r\n\r\n")

    def wait_for_request(self):
        assert self.arrived.acquire(timeout=LIMIT_S), "no request came"

    def close(self):
        self.ended.set()
        self.listener.shutdown()
        self.listener.server_close()


def in_turn(*replies):
    """Answers with one after the other, the last again and again."""
    left = list(replies)

    def answer(request):
        reply = left.pop(0) if len(left) > 1 else left[0]
        return reply(request) if callable(reply) else reply
    return answer
