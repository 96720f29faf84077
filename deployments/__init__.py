"""The Serve graph: actors around the stages of `visrec.recommend`, the HTTP ingress, the web page."""
