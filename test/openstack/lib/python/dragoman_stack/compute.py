"""nova-compute, which finds our driver.

Nova looks for drivers below nova.virt only, so this directory joins in there:
dragoman.py becomes nova.virt.dragoman.
"""

import os

from nova.cmd import compute  # First, for it patches eventlet in.
from nova import virt


def main():
    virt.__path__.append(os.path.dirname(os.path.abspath(__file__)))
    return compute.main()
