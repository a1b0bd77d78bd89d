"""How long the fuzzers look: some seconds in every run of the suite, minutes when asked.

``HYPOTHESIS_PROFILE=long`` multiplies the examples of all of tests/fuzz by ``LONG``; each new example then also prints
how to get it back. What they find is kept by Hypothesis in the environment's folder and tried first next time.
"""

import os
from typing import Final

from hypothesis import HealthCheck, settings

LONG: Final = 20
FACTOR: Final = LONG if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1


def examples(count: int, *, steps: int = 50) -> settings:
    """Make the settings of one fuzzer: ``count`` examples in the quick profile, of at most ``steps`` rules each."""
    return settings(
        max_examples=count * FACTOR,
        stateful_step_count=steps,
        deadline=None,  # the machine may be shared
        print_blob=FACTOR > 1,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
