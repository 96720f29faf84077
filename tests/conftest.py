"""Settings that every test shares."""

from hypothesis import settings

# A busy machine makes a single example slow, and a red build must stay red when it is run again.
settings.register_profile("visrec", deadline=None, derandomize=True)
settings.register_profile("many", deadline=None, max_examples=10_000)
settings.load_profile("visrec")
