# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that breaks on demand, to stand between a server and its database. Standard library only.

    with FaultProxy(("127.0.0.1", database_port)) as proxy:
        ... the server connects to proxy.port ...
        proxy.cut_reply(match=b"COMMIT")    # the next request with these bytes is carried out, its answer is lost
        proxy.heal()                        # as if nothing had been; the port stays the same

REQUESTS are the bytes towards the database, REPLIES those from it. Faults hold for all connections, open and new, until heal().
Every call returns when its fault is in force. What a proxy has done is in proxy.connections (accepted so far), proxy.fired (cuts
made), proxy.passed (bytes forwarded, by direction) and proxy.lost (the packet of which cut_reply() let pass a part, the newest last). A match is found across the borders of packets; encrypted bytes match nothing.
"""
import asyncio
import socket
import struct
import threading

REQUESTS, REPLIES = "requests", "replies"
CHUNK = 65536


class Cut:
    """Ends connections: `count` of them (None: all). What is not None has to be met, from when the cut was ordered on."""

    def __init__(self, direction, after, match, count, is_reply_lost, reply_bytes):
        self.direction, self.after, self.match, self.count = direction, after, match, count
        self.is_reply_lost, self.reply_bytes = is_reply_lost, reply_bytes

    def take(self):
        """One more; false: there were enough."""
        if self.count is None:
            return True
        self.count -= 1
        return self.count >= 0


class Flow:
    """One direction of a connection, seen by the cuts that were ordered."""

    def __init__(self):
        self.sizes = {}   # by cut: bytes since it was ordered
        self.tails = {}   # by cut: the last bytes, too few for a whole match

    def pass_through(self, cut, data):
        """How many bytes of data may pass before the cut; None: all of them, and it is not due."""
        size, tail = self.sizes.get(cut, 0), self.tails.get(cut, b"")
        self.sizes[cut] = size + len(data)
        limit = None
        if cut.match is not None:
            text = tail + data
            at = text.find(cut.match)
            if at < 0:
                self.tails[cut] = text[-(len(cut.match) - 1):] if len(cut.match) > 1 else b""
                return None
            self.tails[cut] = b""
            limit = max(0, at - len(tail))
        if cut.after is not None:
            if size + len(data) < cut.after:
                return None
            limit = max(0, cut.after - size)
        return limit if limit is not None else 0


class Connection:
    def __init__(self, proxy, reader, writer):
        self.proxy, self.client_reader, self.client_writer = proxy, reader, writer
        self.server_writer, self.tasks, self.is_over = None, [], False
        self.losing = None  # bytes of the reply that still pass, once a reply is to be lost
        self.flows = {REQUESTS: Flow(), REPLIES: Flow()}

    async def run(self):
        try:
            await self.proxy.thawed.wait()
            reader, self.server_writer = await asyncio.open_connection(*self.proxy.target)
        except OSError:
            self.reset()
            return
        if self.is_over:
            self.reset()
            return
        self.tasks = [asyncio.ensure_future(self.pump(REQUESTS, self.client_reader, self.server_writer)),
                      asyncio.ensure_future(self.pump(REPLIES, reader, self.client_writer))]
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.reset(linger=True)

    async def pump(self, direction, reader, writer):
        try:
            while True:
                data = await reader.read(CHUNK)
                if self.proxy.delays[direction]:
                    await asyncio.sleep(self.proxy.delays[direction])
                await self.proxy.thawed.wait()
                if not data:
                    writer.write_eof()
                    return
                limit, is_cut = self.look(direction, data)
                if limit:
                    self.proxy.passed[direction] += limit
                    writer.write(data[:limit])
                    await writer.drain()
                if is_cut:
                    self.proxy.fired += 1
                    self.reset()
                    return
        except (OSError, RuntimeError):
            self.reset()

    def look(self, direction, data):
        """(how many bytes pass, whether the connection ends then)"""
        if direction == REPLIES and self.losing is not None:
            passing = min(self.losing, len(data))
            self.losing -= passing
            is_cut = len(data) > passing or self.losing == 0
            if is_cut:
                self.proxy.lost.append(data)
            return passing, is_cut
        for cut in list(self.proxy.cuts):
            if cut.direction != direction:
                continue
            limit = self.flows[direction].pass_through(cut, data)
            if limit is None or not cut.take():
                continue
            if cut.is_reply_lost:
                self.losing = cut.reply_bytes
                continue
            return limit, True
        return len(data), False

    def reset(self, linger=False):
        """Both sides at once, with RST unless `linger`: what is on its way is lost."""
        self.is_over = True
        self.proxy.open.discard(self)
        for writer in (self.client_writer, self.server_writer):
            if writer is None:
                continue
            if not linger and not writer.transport.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()


class FaultProxy:
    """Listens on 127.0.0.1 at a free port, which it keeps while it refuses."""

    def __init__(self, target):
        self.target = target
        self.delays, self.passed = {REQUESTS: 0.0, REPLIES: 0.0}, {REQUESTS: 0, REPLIES: 0}
        self.cuts, self.open, self.running, self.connections, self.fired, self.lost = [], set(), set(), 0, 0, []
        self.loop, self.listener, self.thawed = asyncio.new_event_loop(), None, None
        # Bound and never listening: the port is ours, also while nobody listens at it.
        self.holder = self._bind(0)
        self.port = self.holder.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self._call(self._start())

    @staticmethod
    def _bind(port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        return sock

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def _start(self):
        self.thawed = asyncio.Event()
        self.thawed.set()
        await self._listen()

    async def _listen(self):
        if not self.listener:
            self.listener = await asyncio.start_server(self._accept, sock=self._bind(self.port))

    def _accept(self, reader, writer):
        connection = Connection(self, reader, writer)
        self.connections += 1
        self.open.add(connection)
        task = self.loop.create_task(connection.run())
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def _change(self, function):
        function()

    # --- faults ---

    def delay(self, seconds, direction=None):
        """Every packet waits so long; direction None: both."""
        self._call(self._change(lambda: self.delays.update({d: seconds for d in ([direction] if direction else self.delays)})))

    def cut(self, direction=REPLIES, after=None, match=None, count=1):
        """A connection is reset after so many more bytes of that direction, or before the bytes of a match; neither: at the next byte. The
        match is looked for first, then after its packet `after` counts."""
        self._call(self._change(lambda: self.cuts.append(Cut(direction, after, match, count, False, 0))))

    def cut_reply(self, match, reply_bytes=0, count=1):
        """The request that has these bytes reaches the database; of what comes back so many bytes pass, then the connection is reset. With 0
        the database has begun to answer, so it has carried the request out."""
        self._call(self._change(lambda: self.cuts.append(Cut(REQUESTS, None, match, count, True, reply_bytes))))

    def freeze(self):
        """Nothing moves in either direction; new connections are accepted and hang."""
        self._call(self._change(self.thawed.clear))

    def refuse(self):
        """New connections are refused, and the open ones are reset."""
        self._call(self._refuse())

    async def _refuse(self):
        if self.listener:
            self.listener.close()
            self.listener = None
        self._reset_all()

    def reset(self):
        """The open connections are reset; new ones are welcome."""
        self._call(self._change(self._reset_all))

    def _reset_all(self):
        for connection in list(self.open):
            connection.reset()

    def heal(self):
        """No faults any more. What was frozen goes on; what was cut stays cut."""
        self._call(self._heal())

    async def _heal(self):
        self.cuts.clear()
        for direction in self.delays:
            self.delays[direction] = 0.0
        self.thawed.set()
        await self._listen()

    def close(self):
        if self.loop.is_closed():
            return
        self._call(self._refuse())
        self._call(self._finish())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        self.holder.close()

    async def _finish(self):
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
