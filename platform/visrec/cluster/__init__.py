"""The only room that knows Ray: sessions, bounded task maps, errors of tasks, training workers."""
