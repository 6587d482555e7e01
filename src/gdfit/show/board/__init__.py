"""An epoch written out as on a blackboard."""
