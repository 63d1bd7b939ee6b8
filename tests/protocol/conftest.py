"""pref_voting compiles its counting with numba: seconds for what plain Python does in milliseconds here."""

import os

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
