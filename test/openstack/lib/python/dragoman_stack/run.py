"""Runs a console entry point: python3 -m dragoman_stack.run NAME MODULE:FUNCTION ARGUMENT...

The scripts of nova-compute and its like are in packages of their own, which
depend on much that nothing here needs.
"""

import importlib
import sys

if __name__ == "__main__":
    name, entry = sys.argv[1:3]
    module, function = entry.split(":")
    sys.argv[:] = [name] + sys.argv[3:]
    sys.exit(getattr(importlib.import_module(module), function)())
