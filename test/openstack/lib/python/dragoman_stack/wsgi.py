"""Serves a WSGI application: python3 -m dragoman_stack.wsgi PORT MODULE:FUNCTION

The threads of gunicorn do not wait on idle connections. Those of uwsgi do, and
the kept-alive connections of ten OpenStack processes soon hold them all.
"""

import importlib
import sys

from gunicorn.app.base import BaseApplication


class Server(BaseApplication):
    def __init__(self, port, entry):
        self.settings = {
            "bind": f"127.0.0.1:{port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": 12,
            "keepalive": 600,
            "timeout": 120,
            "graceful_timeout": 5,
            "loglevel": "warning",
        }
        self.entry = entry
        super().__init__()

    def load_config(self):
        for key, value in self.settings.items():
            self.cfg.set(key, value)

    def load(self):
        module, function = self.entry.split(":")
        return getattr(importlib.import_module(module), function)()


if __name__ == "__main__":
    server = Server(*sys.argv[1:])
    # Keystone takes the command line of its server for its own.
    del sys.argv[1:]
    server.run()
