"""What an attacker who changes pictures can reach, and what common corruptions cost."""
