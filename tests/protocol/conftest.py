"""pref_voting compiles its counting with numba: seconds for what takes milliseconds in plain Python at this size."""

import os

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
