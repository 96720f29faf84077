"""Generator of the demo shop: pictures, a catalogue, users with known tastes, and the interaction log that they leave.

Read in this order:

    catalogue              designs (shape, colour, pattern, style) and the items made of them
    tastes                 ground-truth preferences of the users, and their drift
    companions             items that go with an item, where the log has sequences
    world                  all of these together, from which everything else follows
    logging_policy         the recommender of the shop: which items a page shows
    sessions               click model: what users do with the pages
    log                    events as rows of a CSV file, with injected data errors
    canvas, outlines/, patterns, scene, drawing     the picture of an item
    pictures               picture files, some of them damaged
    truth, oracle          the ground truth on disk, and the scorer that knows it
    write                  the whole shop to a folder

Everything follows from the config and a seed. Each picture and each user has a random stream of its own
(`determinism`), so the bytes do not depend on the order of the work or on the number of processes.
"""
