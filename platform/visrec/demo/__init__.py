"""A shop that draws itself: pictures, users with tastes, an interaction log with dirt, and the truth beside them.

designs    what a product can look like: shape x colour x pattern x style
catalogue  the items: design, arrival, quality, popularity; `titles` their words and prices
tastes     what users like, and how that drifts
world      the two together: all that the rest follows from
shelf      what the shop shows: the logging policy
sessions   what users do with what they are shown; `log` the same as rows of text
dirt       what goes wrong in real logs; `pictures` has the broken files
outlines/  the products as parts in the unit square, made with `geometry`
drawing    one picture: outline, `palette`, `patterns`, `scene` (pose, light, background), `lighting`, `stencil`
truth      the tastes on disk; `oracle` scores with them
write      the whole shop to a folder; `sheet` a contact sheet, `ingest_config` what ingest needs to read it

Everything follows from the settings and a seed: each picture and each user has random numbers of its own
(`randomness`), so the bytes are the same in whatever order and by however many processes they are made.
"""
