"""The read side of data: snapshots, images, interactions, splits and held-out views."""
