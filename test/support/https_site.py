"""A site over TLS that answers what a test tells it to."""
import http.server
import ssl
import threading


class Site:
    """`answers` maps a path to (status, headers, body); whatever else is asked for is 404."""

    def __init__(self, certificate, key):
        self.answers, self.asked = {}, []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append((self.path, dict(self.headers)))
                status, headers, body = site.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # the client had enough

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def stop(self):
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
