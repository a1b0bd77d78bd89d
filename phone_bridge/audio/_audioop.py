"""The C loops of audioop, imported in one place and without its notice of retirement.

Python 3.11 and 3.12 carry the module and warn that it leaves; from 3.13 on the package audioop-lts brings it back.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop as audioop  # "as" marks it as meant for the room to import
