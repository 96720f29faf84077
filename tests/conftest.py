"""Settings that every test shares."""

from hypothesis import settings

# A busy machine makes a single example slow, and a red build must stay red when it is run again.
settings.register_profile("visrec", deadline=None, derandomize=True)
settings.load_profile("visrec")
