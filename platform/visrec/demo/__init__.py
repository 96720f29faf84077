"""A shop that draws itself: pictures, users with tastes, an interaction log with dirt, and the truth beside them.

    designs    what a product can look like: shape x colour x pattern x style
    catalogue  the items of the shop: design, arrival, quality, popularity, price, title
    scene      pose, light and background of one picture
    outlines/  the products as shapes in the unit square
    patterns   stripes, dots, checks, ... as functions of a place on the product
    drawing    one picture from a design and a scene
    tastes     what users like, and how that drifts
    shelf      what the shop shows: the logging policy
    sessions   what users do with what they are shown
    dirt       what goes wrong in real logs; `bad_pictures` the same for picture files
    truth      the tastes on disk; `oracle` scores with them
    write      the whole shop to a folder; `sheet` a contact sheet of its pictures

Everything follows from the settings and a seed: each picture and each user has random numbers of its own, so the bytes
are the same in whatever order and by however many processes they are made.
"""
