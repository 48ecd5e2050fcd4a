"""An S3-compatible server on loopback, which fails as object stores and networks do."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

LISTED = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>
<Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter>
<IsTruncated>false</IsTruncated>{contents}{prefixes}</ListBucketResult>"""
CONTENT = """<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>
<ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"""


class Handler(BaseHTTPRequestHandler):
    """Keys that hold ``stall``, ``refuse``, ``cut`` or ``flaky`` behave like that."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body):
        parts = urlsplit(self.path)
        _, bucket, *rest = unquote(parts.path).split("/", 2)
        key, query = "".join(rest), parse_qs(parts.query)
        self.server.asked[key] += body
        if bucket != "bucket":
            self._send(404, b"<Error><Code>NoSuchBucket</Code></Error>", body)
        elif "list-type" in query:
            self._send(200, self._listed(query.get("prefix", [""])[0]), body)
        elif key not in self.server.objects:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>", body)
        elif body and "stall" in key:
            self.server.stopped.wait(60)
        elif body and ("refuse" in key or ("flaky" in key and self.server.asked[key] < 2)):
            self._send(503, b"<Error><Code>SlowDown</Code></Error>", body)
        else:
            self._send(200, self.server.objects[key], body, cut="cut" in key)

    def _listed(self, prefix):
        inside = [key for key in self.server.objects if key.startswith(prefix)]
        folders = sorted(
            {
                prefix + k[len(prefix) :].split("/")[0] + "/"
                for k in inside
                if "/" in k[len(prefix) :]
            }
        )
        files = sorted(key for key in inside if "/" not in key[len(prefix) :])
        contents = "".join(
            CONTENT.format(
                key=escape(key),
                etag=f"{hash(self.server.objects[key]) & 0xFFFF:x}",
                size=len(self.server.objects[key]),
            )
            for key in files
        )
        prefixes = "".join(
            f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders
        )
        count = len(files) + len(folders)
        return LISTED.format(
            prefix=escape(prefix), count=count, contents=contents, prefixes=prefixes
        ).encode()

    def _send(self, status, content, body, *, cut=False):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/xml")
        self.send_header("ETag", f'"{hash(content) & 0xFFFF:x}"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if body:
            self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.close_connection = True


@contextmanager
def s3_server(objects):
    """Serve key → bytes; yields the server, whose ``asked`` counts the GET requests of each key."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.objects, server.asked, server.stopped = objects, Counter(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
