"""Random files and options against an oracle that shares no code with gdfit.

``cd tests; python -m fuzz [COUNT] [SEED]`` runs COUNT cases; a case comes from its seed alone.
"""
