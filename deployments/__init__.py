"""The Ray Serve graph: one file a deployment, the function that binds them, the web page."""
