"""Small changes of pictures that raise a loss: what an attacker does, and what training can learn to withstand."""
