"""Gradient descent: losses, gradients, update rules, the loop, and what a run comes to."""
