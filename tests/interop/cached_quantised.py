"""Models that PyTorch quantised, from the cache; made where slow tests are wanted, else the test is skipped."""

import os

import pytest
import quantised_models


def case_of(name, scheme):
    case = quantised_models.find(name, scheme)
    if case is None and not os.environ.get("ETALON_SLOW"):
        pytest.skip(f"{name}-{scheme} is not in the cache; set ETALON_SLOW=1 to quantise it with PyTorch")
    return case or quantised_models.build(name, scheme)
