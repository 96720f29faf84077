"""Ray: sessions, bounded task maps, unwrapped errors, training workers. No other room of the library imports Ray."""
